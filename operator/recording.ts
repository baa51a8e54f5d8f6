/** A command that pays, from its options to the line on standard output. */
import { join } from "node:path";
import type { Reporter } from "../protocol/reporter.ts";
import type { ChainIdentity } from "./deploy-task.ts";
import { openPaymentRecord } from "./payment-record.ts";
import type { PaymentRecord } from "./payment-record.ts";

/** Of what was signed, below `--out`, which is deployments/ unless told. */
const PAYMENTS = "payments";

/** Options of every command that pays. */
export interface PaymentFlags {
  readonly rpc: readonly string[];
  readonly chainId?: bigint;
  readonly key?: string;
  /** In wei. */
  readonly maxFeePerGas?: bigint;
  readonly out: string;
  readonly again: boolean;
}

/** Runs what pays with a record on the disk, and prints the one line that comes of it. */
export async function recording(
  { out, again }: PaymentFlags,
  reporter: Reporter,
  purpose: Readonly<Record<string, string | number>>,
  details: unknown,
  pay: (record: (chain: ChainIdentity) => Promise<PaymentRecord>) => Promise<string>,
): Promise<void> {
  let record: PaymentRecord | undefined;
  try {
    const result = await pay(async (chain) => {
      record = await openPaymentRecord(join(out, PAYMENTS), { purpose: { ...purpose, ...chain }, details, again });
      if (record.finished)
        reporter.say("good", "known", "this was done before: nothing is paid (--again does it anew)");
      else if (record.transactions.length > 0) reporter.say("info", "resumed", `goes on with ${record.path}`);
      return record;
    });
    await record?.finish();
    process.stdout.write(`${result}\n`);
  } finally {
    await record?.close();
  }
}
