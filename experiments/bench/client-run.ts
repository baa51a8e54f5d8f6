/** A client's work after training, timed stage by stage, through the functions that a real client calls. */
import { directoryDigest } from "../../task/outcome.ts";
import { sealShare, shareFileName } from "../../protocol/bundle.ts";
import type { Layout } from "../../protocol/layout.ts";
import type { ChunkProver, VectorCommitter } from "../../protocol/ports.ts";
import { drawNoise, noiseTable } from "../../protocol/privacy/noise-table.ts";
import { quantiseUpdate } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { commitUpdate, proveUpdate } from "../../protocol/submission.ts";
import type { OnStage, Submission, SubmissionContext } from "../../protocol/submission.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { BENCH_PRESET, benchUpdate, quantisationFor } from "./bench-task.ts";

/** Milliseconds; `totalMs` is the wall time from the float update to the finished submission. */
export interface ClientTimes {
  /** Clip, scale, round, and pack into field elements. */
  readonly packMs: number;
  /**
   * Drawing a discrete Gaussian for each coordinate and adding it. Apart from the total: only tasks with noise of each
   * client do it.
   */
  readonly noiseMs: number;
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

/** Standard deviation of the measured noise, in steps. The sampler's time does not depend on it. */
const NOISE_STD_DEV = 64n;
/** Made once for a task, outside the measured time. */
const NOISE_TABLE = noiseTable(NOISE_STD_DEV ** 2n);

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
export async function runClient(
  tools: ClientTools,
  context: SubmissionContext,
  roundKeys: readonly Uint8Array[],
  seed: number,
  onStage: OnStage = () => undefined,
): Promise<ClientOutput> {
  const { layout, parameters, committer, prover, random } = tools;
  const update = benchUpdate(layout.dimension, seed);
  const marks = new Map<string, number>();
  const mark = (name: string): void => void (marks.has(name) || marks.set(name, performance.now()));
  const staged: OnStage = (stage, done, total) => {
    mark(stage);
    onStage(stage, done, total);
  };
  const processorBefore = process.cpuUsage();

  mark("start");
  const quantised = quantiseUpdate(BENCH_PRESET, quantisationFor(layout.dimension), update, random);
  const committed = await commitUpdate(layout, parameters, quantised, { committer, random, onStage: staged });
  mark("encrypt");
  const sealed: Uint8Array[] = [];
  for (const [index, share] of committed.shares.entries())
    sealed.push(
      await sealShare(
        committed.sharing.seeds[index] ?? share,
        roundKeys[index]!,
        { ...context, seat: index + 1 },
        random,
      ),
    );
  const sharesCid = await directoryDigest(
    Object.fromEntries(sealed.map((file, index) => [shareFileName(index + 1), file])),
  );
  mark("wires");
  const submission = await proveUpdate(layout, context, committed, sharesCid, { committer, prover, onStage: staged });
  mark("end");

  const { user, system } = process.cpuUsage(processorBefore);
  const between = (from: string, to: string): number => marks.get(to)! - marks.get(from)!;
  return {
    submission,
    sealed,
    times: {
      packMs: between("start", "commit"),
      noiseMs: drawAndAddNoise(layout.dimension, random),
      commitMs: between("commit", "share"),
      shareMs: between("share", "encrypt"),
      encryptMs: between("encrypt", "wires"),
      proveMs: between("wires", "open"),
      openMs: between("open", "end"),
      totalMs: between("start", "end"),
      processorMs: (user + system) / 1000,
    },
  };
}

/** Milliseconds for one vector of noise. */
function drawAndAddNoise(dimension: number, random: RandomBytes): number {
  const coordinates = new Int32Array(dimension);
  const started = performance.now();
  const noise = drawNoise(NOISE_TABLE, dimension, random);
  for (let i = 0; i < dimension; i++) coordinates[i]! += noise[i]!;
  return performance.now() - started;
}
