/** What a command that pays has signed, on the disk: whoever repeats the command goes on where it stopped. */
import { join } from "node:path";
import { keccak256, toUtf8Bytes } from "ethers";
import { z } from "zod";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, listDirectory, readRecord, writeDurably } from "../storage/durable-file.ts";
import { acquireLock } from "../storage/lock.ts";
import type { Lock } from "../storage/lock.ts";
import type { RecordedTransaction, TransactionRecord } from "./recorded-sender.ts";

const FORMAT = "verisum-payments-1";
const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]+$/.test(value));
const schema = z.strictObject({
  format: z.literal(FORMAT),
  finished: z.boolean(),
  transactions: z.array(z.strictObject({ label: z.string(), sender: hex, nonce: z.int().min(0), hash: hex, raw: hex })),
});
type Content = z.infer<typeof schema>;

/** A record that this process alone writes to. */
export interface PaymentRecord extends TransactionRecord {
  readonly path: string;
  /** True if all was done the last time. */
  readonly finished: boolean;
  finish(): Promise<void>;
  close(): Promise<void>;
}

export interface PaymentRequest {
  /** What is paid for: equal requests share a record. */
  readonly purpose: Readonly<Record<string, string | number | bigint>>;
  /** How it is to be done. Another unfinished record of the same purpose is in the way. */
  readonly details: unknown;
  /** Pays once more for what is finished. */
  readonly again: boolean;
}

/**
 * Opens the record of a request, or begins one.
 * @throws STORAGE_LOCKED if the same command runs; PAYMENT_UNFINISHED; STORAGE_CORRUPT, STORAGE_FAILED
 */
export async function openPaymentRecord(
  directory: string,
  { purpose, details, again }: PaymentRequest,
): Promise<PaymentRecord> {
  const prefix = shortHash(purpose);
  const name = `${prefix}-${shortHash(details)}`;
  const lock = await acquireLock(join(directory, `${prefix}.lock`), "this deployment's record");
  try {
    await refuseOthers(directory, prefix, name, again);
    for (let count = 1; ; count++) {
      const path = join(directory, `${name}-${count}.json`);
      const content = await read(path);
      if (content?.finished === true && again) continue;
      return recordAt(path, content ?? { format: FORMAT, finished: false, transactions: [] }, lock);
    }
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Nothing is kept on the disk: for programs that start all over when they fail. */
export function volatileRecord(): TransactionRecord {
  const transactions: RecordedTransaction[] = [];
  return { transactions, add: (transaction) => Promise.resolve(void transactions.push(transaction)) };
}

function recordAt(path: string, content: Content, lock: Lock): PaymentRecord {
  let current = content;
  const save = async (next: Content): Promise<void> => {
    await writeDurably(path, encodeRecord(next));
    current = next;
  };
  return {
    path,
    get finished() {
      return current.finished;
    },
    get transactions() {
      return current.transactions;
    },
    add: (transaction) => {
      const others = current.transactions.filter(
        ({ label, sender }) => label !== transaction.label || sender !== transaction.sender,
      );
      return save({ ...current, transactions: [...others, transaction] });
    },
    finish: () => save({ ...current, finished: true }),
    close: () => lock.release(),
  };
}

/** @throws PAYMENT_UNFINISHED */
async function refuseOthers(directory: string, prefix: string, own: string, again: boolean): Promise<void> {
  for (const name of await listDirectory(directory)) {
    if (again || !name.startsWith(`${prefix}-`) || !name.endsWith(".json") || name.startsWith(`${own}-`)) continue;
    const content = await read(join(directory, name));
    if (content === undefined || content.finished || content.transactions.length === 0) continue;
    throw new VerisumError(
      "PAYMENT_UNFINISHED",
      `${join(directory, name)} records the same work with other accounts or amounts, paid for and not finished`,
      { record: join(directory, name) },
    );
  }
}

/** @throws STORAGE_CORRUPT */
async function read(path: string): Promise<Content | undefined> {
  const found = await readRecord(path);
  if (found === undefined) return undefined;
  const parsed = schema.safeParse(found);
  ensure(parsed.success, "STORAGE_CORRUPT", `${path} is not a record of payments`, { path });
  return parsed.data;
}

function shortHash(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
  return keccak256(toUtf8Bytes(text)).slice(2, 18);
}
