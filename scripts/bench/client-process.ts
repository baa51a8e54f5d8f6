/** The measured client: a process of its own, so that its peak memory is a client's and nobody else's. Started by client-fork.ts. */
import { randomFillSync } from "node:crypto";
import { closeCurve, openCurve } from "../../adapters/curve/bn254.ts";
import { kzgCommitter } from "../../adapters/curve/kzg.ts";
import { chunkProver } from "../../adapters/prover/chunk-prover.ts";
import { loadKeySet } from "../../adapters/prover/key-set.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import type { ClientJob, ClientReport } from "./client-fork.ts";
import { runClient } from "./client-run.ts";
import { calibrate, loadOfLastMinute, peakMemoryMb } from "./machine.ts";

const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

async function work(job: ClientJob): Promise<ClientReport> {
  const started = performance.now();
  const curve = await openCurve();
  const keys = await loadKeySet(curve, job.keyDirectory, random);
  const loadMs = performance.now() - started;
  const tools = { layout: layoutOfTask(job.parameters), parameters: job.parameters, committer: kzgCommitter(curve, keys.powers), prover: chunkProver(curve, keys, random), random };
  const runs: ClientReport["runs"][number][] = [];
  const outputs: ClientReport["outputs"][number][] = [];
  let peakRssMb = 0;
  for (let i = 0; i < job.submissions; i++) {
    const calibrationMs = calibrate();
    const { submission, sealed, times } = await runClient(tools, job.contexts[i % job.contexts.length]!, job.roundKeys, i);
    if (i === 0) peakRssMb = peakMemoryMb();
    runs.push({ times, calibrationMs, load: loadOfLastMinute() });
    if (i < job.contexts.length) outputs.push({ submission, sealed });
  }
  await closeCurve();
  return { loadMs, runs, outputs, peakRssMb };
}

process.once("disconnect", () => process.exit());
process.once("message", (job) => {
  void work(job as ClientJob).then((report) => process.send!(report, () => process.disconnect()));
});
