/**
 * The measured client: a process of its own, so that its peak memory is a client's and nobody else's. Started by
 * client-fork.ts.
 */
import { platformRandom as random } from "../../command/platform-random.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import { kzgCommitter } from "../../proving/curve/kzg.ts";
import { chunkProver } from "../../proving/groth16/chunk-prover.ts";
import { loadKeySet } from "../../proving/groth16/key-set.ts";
import type { OnStage } from "../../protocol/submission.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { calibrationOn } from "./calibration.ts";
import type { ClientJob, ClientMessage, ClientReport } from "./client-job.ts";
import { runClient } from "./client-run.ts";
import { loadOfLastMinute, peakMemoryMb } from "./machine.ts";

/** Steps of a submission of many chunks that are reported. */
const STEPS_PER_STAGE = 4;

const send = (message: ClientMessage): void => void process.send!(message);

async function work(job: ClientJob): Promise<ClientReport> {
  const started = performance.now();
  const curve = await openCurve();
  const keys = await loadKeySet(curve, job.keyDirectory, random);
  const loadMs = performance.now() - started;
  const tools = {
    layout: layoutOfTask(job.parameters),
    parameters: job.parameters,
    committer: kzgCommitter(curve, keys.powers),
    prover: chunkProver(curve, keys, random),
    random,
  };
  const calibrate = calibrationOn(curve);
  const runs: ClientReport["runs"][number][] = [];
  const outputs: ClientReport["outputs"][number][] = [];
  let peakRssMb = 0;
  for (let i = 0; i < job.submissions; i++) {
    const name = `submission ${i + 1} of ${job.submissions}`;
    const { submission, sealed, times } = await runClient(
      tools,
      job.contexts[i % job.contexts.length]!,
      job.roundKeys,
      i,
      progressOf(name),
    );
    if (i === 0) peakRssMb = peakMemoryMb();
    // After the submission, so that the first one's memory is a client's alone.
    runs.push({ times, calibration: await calibrate(), load: loadOfLastMinute() });
    if (i < job.contexts.length) outputs.push({ submission, sealed });
    send({ step: `${name}: ${(times.totalMs / 1000).toFixed(1)} s` });
  }
  await closeCurve();
  return { loadMs, runs, outputs, peakRssMb };
}

/** Says now and then how far a long stage is. */
function progressOf(name: string): OnStage {
  return (stage, done, total) => {
    if (total > STEPS_PER_STAGE && done > 0 && done < total && done % Math.ceil(total / STEPS_PER_STAGE) === 0)
      send({ step: `${name}: ${stage} ${done} of ${total}` });
  };
}

process.once("disconnect", () => process.exit());
process.once("message", (job) => {
  void work(job as ClientJob).then((report) =>
    process.send!({ report } satisfies ClientMessage, () => process.disconnect()),
  );
});
