/** A member's one-time decryption keys: made before a round, erased once its release is final (forward secrecy). */
import { z } from "zod";
import { newRoundKeyPair } from "../protocol/bundle.ts";
import type { RoundKeyPair } from "../protocol/bundle.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { fromHex, toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskWriter } from "../chain/task-chain.ts";
import { encodeRecord, eraseFile, listDirectory, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

/** Keys are registered in batches of this many rounds, and topped up when fewer than half are left. */
export const KEYS_AHEAD = 8;

const NO_KEY: Hex = `0x${"00".repeat(32)}`;
const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value));
const keySchema = z.strictObject({ secretKey: hex, publicKey: hex });

export interface RoundKeys {
  /** The pair for a round, or undefined if this directory never had one, has erased it, or holds it damaged. */
  find(round: bigint): Promise<RoundKeyPair | undefined>;
  erase(round: bigint): Promise<void>;
  /** Erases the keys of all rounds before this one: of rounds that were aborted, or settled without this member. */
  eraseBefore(round: bigint): Promise<void>;
  /** Erases every key: those of a directory that is an old copy could release a round again. */
  eraseAll(): Promise<void>;
  /** Registers keys for coming rounds if one of the next half of KEYS_AHEAD has none. Returns how many were added. */
  topUp(chain: TaskWriter, seat: number, nextRound: bigint, random: RandomBytes): Promise<number>;
}

export function openRoundKeys(state: StateDirectory, scope: string): RoundKeys {
  const path = (round: bigint): string => state.file(scope, `round-key-${round}.json`);
  const find: RoundKeys["find"] = async (round) => {
    // A damaged key is as good as none: its round is sat out.
    const parsed = keySchema.safeParse(await readRecordOrNull(path(round)));
    if (!parsed.success) return undefined;
    return { secretKey: fromHex(parsed.data.secretKey), publicKey: fromHex(parsed.data.publicKey) };
  };
  const eraseWhere = async (isErased: (round: bigint) => boolean): Promise<void> => {
    for (const name of await listDirectory(state.file(scope))) {
      const kept = /^round-key-([0-9]+)\.json$/.exec(name)?.[1];
      if (kept !== undefined && isErased(BigInt(kept))) await eraseFile(path(BigInt(kept)));
    }
  };
  return {
    find,
    erase: (round) => eraseFile(path(round)),
    eraseBefore: (round) => eraseWhere((kept) => kept < round),
    eraseAll: () => eraseWhere(() => true),
    topUp: async (chain, seat, nextRound, random) => {
      const rounds = Array.from({ length: KEYS_AHEAD }, (_, i) => nextRound + BigInt(i));
      const registeredFor = (some: readonly bigint[]): Promise<readonly Hex[]> =>
        Promise.all(some.map((round) => chain.roundKey(round, seat)));
      const soon = await registeredFor(rounds.slice(0, KEYS_AHEAD / 2));
      const first = soon.indexOf(NO_KEY);
      if (first === -1) return 0;
      const registered = [...soon, ...(await registeredFor(rounds.slice(KEYS_AHEAD / 2)))];
      // After a reorganisation keys of later rounds can be registered where those of earlier ones are not.
      const until = registered.findIndex((key, i) => i > first && key !== NO_KEY);
      const keys: Hex[] = [];
      for (const round of rounds.slice(first, until === -1 ? undefined : until)) {
        // A pair that was kept but not registered (a crash in between, a reorganisation) is registered now.
        let pair = await find(round);
        if (pair === undefined) {
          pair = await newRoundKeyPair(random);
          await writeDurably(
            path(round),
            encodeRecord({ secretKey: toHex(pair.secretKey), publicKey: toHex(pair.publicKey) }),
          );
        }
        keys.push(toHex(pair.publicKey));
      }
      await chain.registerRoundKeys(rounds[first]!, keys);
      return keys.length;
    },
  };
}
