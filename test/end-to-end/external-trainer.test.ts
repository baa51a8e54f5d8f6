/** A task whose model only its trainers know: rounds with real processes, real proofs, and the auditor. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { RoundTrainer } from "../../client/round-trainer.ts";
import {
  commandOf,
  EXTERNAL_TASK,
  FIRST_TENSORS,
  latestWeights,
  programOf,
  startExternalTask,
  TRAINER,
  TRAINER_STEPS,
  trainWith,
} from "../support/external-trainer.ts";
import type { RoundHarness } from "../support/round-harness.ts";

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
    harness = await startExternalTask({ clients: 3 + FAULTS.length, specification: EXTERNAL_TASK }, folder);
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  it("begins with the operator's file, and moves by the mean of what the processes gave, within one step", async () => {
    const first = await latestWeights(harness);
    assert.deepEqual(
      [...first],
      FIRST_TENSORS.flatMap(({ data }) => [...data]),
    );
    const { state } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    const second = await latestWeights(harness);
    const off = TRAINER_STEPS.map((step, i) => Math.abs(second[i]! - first[i]! - step));
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
    broken.forEach((client) => trainWith(client, programOf(client, folder, "weights")));
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
