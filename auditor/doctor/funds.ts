/** Checks of an account: who it is in the task, and whether it can pay for the rounds that are to come. */
import { ether } from "../../chain/fees.ts";
import { CHUNKS_PER_TRANSACTION } from "../../chain/large-submission.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding } from "./check.ts";
import { ROUNDS_AHEAD } from "./machine.ts";

/**
 * Gas of each party's calls in a round, rounded up from what the contracts' tests measure
 * (test/vectors/gas.json, gas-limits.json); a test compares the two.
 */
export const ROUND_GAS = {
  /** A submission of one chunk; of each further chunk; of each further kind; of each further transaction. */
  submission: 450_000,
  furtherChunk: 70_000,
  furtherKind: 120_000,
  furtherTransaction: 120_000,
  /** An eighth of the registration of keys for eight rounds: a member sends nothing else. */
  member: 30_000,
  /** Opening, proposing, settling, finalising with two signatures; and each further signature. */
  aggregator: 480_000,
  furtherSignature: 10_000,
} as const;
/** Fees change, and rounds that abort are paid as well. */
const MARGIN = 1.5;

export type TaskRole = "member" | "client" | "aggregator";

/** What of a task a round's gas depends on. */
export interface TaskSize {
  readonly chunks: number;
  readonly kinds: number;
  readonly quorum: number;
}

/** Gas of a role in one round. */
export function roundGas(role: TaskRole, { chunks, kinds, quorum }: TaskSize): number {
  const gas = ROUND_GAS;
  const transactions = chunks <= CHUNKS_PER_TRANSACTION ? 0 : Math.ceil(chunks / CHUNKS_PER_TRANSACTION);
  const gasOf: Readonly<Record<TaskRole, number>> = {
    member: gas.member,
    aggregator: gas.aggregator + gas.furtherSignature * Math.max(0, quorum - 2),
    client:
      gas.submission +
      gas.furtherChunk * (chunks - 1) +
      gas.furtherKind * (kinds - 1) +
      gas.furtherTransaction * transactions,
  };
  return gasOf[role];
}

/** An account and what is known of its part. */
export interface FundsReading {
  readonly account: string;
  readonly balanceWei: bigint;
  /** Most that a unit of gas costs now. */
  readonly gasPriceWei: bigint;
  /** None if the task does not know the account; undefined without a task. */
  readonly roles: readonly TaskRole[] | undefined;
  /** From or until when it has a part that is not of the present round, or that ends; in words. */
  readonly changes: readonly string[];
  /** Anybody may join as a client. */
  readonly openRegistration: boolean;
  readonly size: TaskSize;
  /** Undefined for a task without an end. */
  readonly roundsLeft: number | undefined;
}

export function fundsFound(reading: FundsReading): Finding {
  const { account, balanceWei, gasPriceWei, roles, changes, openRegistration, roundsLeft } = reading;
  const has = `${account} has ${ether(balanceWei)}`;
  if (roles === undefined) {
    if (balanceWei > 0n) return ok(has);
    return warning(has, "an account without funds cannot send anything", `Send ether for gas to ${account}.`);
  }
  const parts = roles.length === 0 && openRegistration ? (["client"] as const) : roles;
  if (parts.length === 0)
    return failed(
      `${has} and no part in the task`,
      "it is no member, no listed client and not the operator",
      `Have the operator list it (fl-operator add-client ${account}), or name another key file with --key; a member's account needs a seat (fl-operator replace-member).`,
    );
  const gas = parts.reduce((sum, role) => sum + roundGas(role, reading.size), 0);
  const costWei = BigInt(Math.ceil(gas * MARGIN)) * gasPriceWei;
  const wanted = BigInt(roundsLeft ?? ROUNDS_AHEAD);
  const when = changes.length === 0 ? "" : ` (${changes.join(", ")})`;
  const value = `${has}, as ${parts.join(" and ")}${when}; a round costs up to ${ether(costWei)} at present fees, and ${roundsLeft === undefined ? `${wanted} rounds are looked ahead` : `${wanted} rounds are to come`}`;
  const missing = costWei * wanted - balanceWei;
  if (missing <= 0n) return ok(value);
  const remedy = `Send ${account} at least ${ether(missing)}.`;
  if (balanceWei < costWei) return failed(value, "it cannot pay for one round", remedy);
  return warning(value, `it pays for ${balanceWei / costWei} rounds`, remedy);
}
