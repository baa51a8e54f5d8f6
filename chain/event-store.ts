/** Events that were read, kept in a directory between starts: a copy of what the chain says, and of nothing else. */
import { join } from "node:path";
import { z } from "zod";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { EventStore } from "./history.ts";

const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]*$/.test(value));
const block = z.strictObject({ number: z.int(), hash: hex });
const keptSchema = z.strictObject({
  origin: block,
  upTo: block,
  logs: z.array(
    z.strictObject({
      topics: z.array(hex),
      data: hex,
      blockNumber: z.int(),
      index: z.int(),
      transactionHash: hex,
    }),
  ),
});

/** One record for each contract. What is damaged is read from the chain again. */
export function openEventStore(directory: string): EventStore {
  const path = (contract: string): string => join(directory, `events-${contract}.json`);
  return {
    load: async (contract) => {
      const parsed = keptSchema.safeParse(await readRecordOrNull(path(contract)));
      return parsed.success ? parsed.data : undefined;
    },
    save: (contract, kept) => writeDurably(path(contract), encodeRecord(kept)),
  };
}
