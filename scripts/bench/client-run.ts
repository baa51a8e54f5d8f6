/** A client's work after training, timed stage by stage, through the functions that a real client calls. */
import { directoryDigest } from "../../adapters/task/outcome.ts";
import { sealShare, shareFileName } from "../../protocol/bundle.ts";
import type { Layout } from "../../protocol/layout.ts";
import type { ChunkProver, VectorCommitter } from "../../protocol/ports.ts";
import { quantiseUpdate } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { commitUpdate, proveUpdate } from "../../protocol/submission.ts";
import type { Submission, SubmissionContext } from "../../protocol/submission.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { BENCH_PRESET, benchUpdate, quantisationFor } from "./bench-task.ts";

/** Milliseconds; `totalMs` is the wall time from the float update to the finished submission. */
export interface ClientTimes {
  /** Clip, scale, round, and pack into field elements. */
  readonly packMs: number;
  /** [X]. */
  readonly commitMs: number;
  /** Shamir shares and their hashes. */
  readonly shareMs: number;
  /** HPKE to every seat, and the CID of the bundle. */
  readonly encryptMs: number;
  /** Every D, witness and proof. */
  readonly proveMs: number;
  /** The KZG opening and the shares' evaluations. */
  readonly openMs: number;
  readonly totalMs: number;
  /** Processor time of all threads. */
  readonly processorMs: number;
}

export interface ClientTools {
  readonly layout: Layout;
  readonly parameters: TaskParameters;
  readonly committer: VectorCommitter;
  readonly prover: ChunkProver;
  readonly random: RandomBytes;
}

export interface ClientOutput {
  readonly submission: Submission;
  /** Sealed shares by seat, 1 first. */
  readonly sealed: readonly Uint8Array[];
  readonly times: ClientTimes;
}

/**
 * One submission.
 * @param roundKeys raw X25519 keys of all seats, seat 1 first
 */
export async function runClient(tools: ClientTools, context: SubmissionContext, roundKeys: readonly Uint8Array[], seed: number): Promise<ClientOutput> {
  const { layout, parameters, committer, prover, random } = tools;
  const update = benchUpdate(layout.dimension, seed);
  const marks = new Map<string, number>();
  const mark = (name: string): void => void (marks.has(name) || marks.set(name, performance.now()));
  const processorBefore = process.cpuUsage();

  mark("pack");
  const quantised = quantiseUpdate(BENCH_PRESET, quantisationFor(layout.dimension), update, random);
  const committed = await commitUpdate(layout, parameters, quantised, { committer, random, onStage: mark });
  mark("encrypt");
  const sealed: Uint8Array[] = [];
  for (const [index, share] of committed.shares.entries()) sealed.push(await sealShare(share, roundKeys[index]!, { ...context, seat: index + 1 }, random));
  const sharesCid = await directoryDigest(Object.fromEntries(sealed.map((file, index) => [shareFileName(index + 1), file])));
  mark("wires");
  const submission = await proveUpdate(layout, context, committed, sharesCid, { committer, prover, onStage: mark });
  mark("end");

  const { user, system } = process.cpuUsage(processorBefore);
  const between = (from: string, to: string): number => marks.get(to)! - marks.get(from)!;
  return {
    submission,
    sealed,
    times: {
      packMs: between("pack", "commit"),
      commitMs: between("commit", "share"),
      shareMs: between("share", "encrypt"),
      encryptMs: between("encrypt", "wires"),
      proveMs: between("wires", "open"),
      openMs: between("open", "end"),
      totalMs: between("pack", "end"),
      processorMs: (user + system) / 1000,
    },
  };
}
