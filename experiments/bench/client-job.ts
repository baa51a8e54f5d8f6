/** What the measured client's process is sent, and what it answers. */
import type { SubmissionContext, Submission } from "../../protocol/submission.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Calibration } from "./calibration.ts";
import type { ClientTimes } from "./client-run.ts";

export interface ClientJob {
  readonly keyDirectory: string;
  readonly parameters: TaskParameters;

  /** One for each client of the round. */
  readonly contexts: readonly SubmissionContext[];

  /** Raw X25519 keys, seat 1 first. */
  readonly roundKeys: readonly Uint8Array[];

  /** Submissions to make and time, one after the other; at least one for each context. */
  readonly submissions: number;
}

export interface ClientReport {
  /** Start of the curve engine, and reading and checking the powers of tau. */
  readonly loadMs: number;

  /** In order; the first also reads the proving keys and runs before the compilers have warmed up. */
  readonly runs: readonly { readonly times: ClientTimes; readonly calibration: Calibration; readonly load: number }[];

  /** By context. */
  readonly outputs: readonly { readonly submission: Submission; readonly sealed: readonly Uint8Array[] }[];

  /** Largest resident memory up to the end of the first submission. */
  readonly peakRssMb: number;
}

/** What the process sends: any number of steps, then its report. */
export type ClientMessage = { readonly step: string } | { readonly report: ClientReport };
