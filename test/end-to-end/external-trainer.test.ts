/** A task whose model only its trainers know: rounds with real processes, real proofs, and the auditor. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { RoundTrainer } from "../../client/round-trainer.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { commandOf, EXTERNAL_TASK, FIRST_TENSORS, TRAINER, trainWith } from "../support/external-trainer.ts";
import { startHarness } from "../support/round-harness.ts";
import type { ClientRole, RoundHarness } from "../support/round-harness.ts";

/** What the trainer of the tests adds. */
const STEPS = FIRST_TENSORS.flatMap(({ data }) => Array.from(data, (_, i) => 0.01 * ((i % 7) - 3)));
const HANG_SECONDS = 3;

/** How a trainer goes wrong, the code that says so, and a word of what is said. */
const FAULTS = [
  ["killed", "TRAINER_FAILED", "SIGKILL"],
  ["hangs", "TRAINER_FAILED", "deadline"],
  ["garbage", "TRAINER_UPDATE_INVALID", "update.safetensors"],
  ["full disk", "TRAINER_FAILED", "status"],
  ["symlink", "TRAINER_UPDATE_INVALID", "symbolic link"],
  ["other round", "TRAINER_UPDATE_INVALID", "round 0"],
] as const;

describe("a task with an external model", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-external-"));
    const initial = join(folder, "first.safetensors");
    await writeFile(initial, encodeSafetensors(FIRST_TENSORS));
    harness = await startHarness({
      clients: 3 + FAULTS.length,
      specification: EXTERNAL_TASK,
      initial,
      learning: "scripted",
    });
    harness.clients.forEach((client) => train(client, "difference"));
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  const train = (client: ClientRole, way: string): void => {
    const words = [process.execPath, TRAINER, way] as const;
    trainWith(client, commandOf(client, words, folder));
  };
  const weights = async (): Promise<Float32Array> => {
    const { cid, digest } = await harness.operator.latestModel();
    return weightsOf(harness.task.document, await loadModelState(harness.task, cid, digest));
  };

  it("begins with the operator's file, and moves by the mean of what the processes gave, within one step", async () => {
    const first = await weights();
    assert.deepEqual(
      [...first],
      FIRST_TENSORS.flatMap(({ data }) => [...data]),
    );
    const { state } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    const second = await weights();
    const off = STEPS.map((step, i) => Math.abs(second[i]! - first[i]! - step));
    assert.ok(Math.max(...off) <= 2 ** -10, `${Math.max(...off)}`);
    assert.ok((await harness.audit()).ok);
  });

  it("goes on without clients whose trainers go wrong, says how each did, and has them all in the next round", async () => {
    const [, , , ...broken] = harness.clients;
    broken.forEach((client, i) => {
      const [way] = FAULTS[i]!;
      trainWith(client, faulty(commandOf(client, wordsOf(way), folder), way));
    });
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.equal(records.submitted.length, 3);
    for (const [i, [way, code, word]] of FAULTS.entries()) {
      const { account, reporter } = broken[i]!;
      assert.ok(!records.submitted.some(({ client }) => client === account), way);
      const said = reporter.events.filter(({ facts }) => facts.code === code && facts.round === state.number);
      assert.ok(said.length > 0 && said[0]!.text.includes(word), `${way}: ${said[0]?.text}`);
    }
    const full = await readFile(join(folder, broken[3]!.account, `round-${state.number}.log`), "utf8");
    assert.match(full, /EFBIG/);
    broken.forEach((client) => train(client, "weights"));
    const next = await harness.playRound();
    assert.equal(next.state.phase, "Finalised");
    assert.equal(next.records.submitted.length, harness.clients.length);
    assert.ok((await harness.audit()).ok);
  });
});

/** A disk that takes nothing more, as far as a process can tell: no file may have a byte. */
function wordsOf(way: string): readonly [string, ...string[]] {
  const words = [process.execPath, TRAINER, way === "full disk" ? "difference" : way] as const;
  return way === "full disk" ? ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash", ...words] : words;
}

/** Nobody waits for a round's whole window. */
function faulty(trainer: RoundTrainer, way: string): RoundTrainer {
  if (way !== "hangs") return trainer;
  return {
    train: (round) => {
      const time = AbortSignal.timeout(HANG_SECONDS * 1000);
      return trainer.train({ ...round, signal: AbortSignal.any([round.signal, time]) });
    },
  };
}
