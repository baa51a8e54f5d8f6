import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";
import { checkedTrainer } from "../../../client/trainers/checked.ts";
import { processEvaluator, processTrainer } from "../../../client/trainers/process.ts";
import type { RoundEvaluator, RoundTrainer, TrainingRound } from "../../../client/round-trainer.ts";
import { joinWeights } from "../../../learning/named-tensors.ts";
import { VerisumError } from "../../../protocol/errors.ts";
import { rejectsCode } from "../../support/errors.ts";

const TRAINER = fileURLToPath(new URL("../../support/trainer.mjs", import.meta.url));
const TENSORS = [
  { name: "hidden.weight", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: "hidden.bias", shape: [2], data: Float32Array.of(-1, 0.5) },
];
const PARAMETERS = [
  ...TENSORS.map(({ name, shape }) => ({ name, shape, trained: true })),
  { name: "batches", shape: [], trained: false },
];
const STEPS = [...TENSORS[0]!.data, ...TENSORS[1]!.data].map((_, i) =>
  Math.fround(0.01 * (((i < 6 ? i : i - 6) % 7) - 3)),
);

const round = (changes: Partial<TrainingRound> = {}): TrainingRound => ({
  round: 7n,
  baseDigest: "0xab",
  tensors: TENSORS,
  parameters: PARAMETERS,
  secondsLeft: 60,
  training: { learningRate: 0.1, momentum: 0, batchSize: 8, localEpochs: 1 },
  options: { head: "linear" },
  signal: new AbortController().signal,
  ...changes,
});

describe("a trainer that is a command", function () {
  this.timeout(60_000);
  let directory: string;
  let waits: string[];
  beforeEach(async () => {
    waits = [];
    directory = await mkdtemp(join(tmpdir(), "verisum-trainer-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const trainer = (way: string, words: readonly string[] = [TRAINER]): RoundTrainer =>
    checkedTrainer(
      processTrainer({
        words: [process.execPath, ...words, way],
        directory,
        reporter: { say: () => undefined, wait: (text) => void waits.push(text) },
        now: () => 0,
      }),
    );
  const updateOf = async (way: string): Promise<readonly number[]> => {
    const result = await trainer(way).train(round());
    assert.ok(result.kind !== "sit-out");
    return [...joinWeights(TENSORS, result.tensors)];
  };

  it("gives its update, in float32 or float64, in any order, and its numbers of progress", async () => {
    for (const way of ["difference", "float64", "reversed"]) assert.deepEqual(await updateOf(way), STEPS, way);
    const result = await trainer("weights").train(round());
    assert.ok(result.kind === "weights");
    assert.deepEqual(result.metrics, { loss: 0.25, epoch: 1 });
    assert.ok(waits.includes("round 7: the trainer says loss 0.25, epoch 1"));
  });

  it("gets a private folder of its own for the round, of which nothing is left", async () => {
    const look = `const fs = require("fs"); const folder = process.argv[1];
      fs.writeFileSync(${JSON.stringify(join(directory, "seen"))}, JSON.stringify({ mode: fs.statSync(folder).mode & 0o777,
        names: fs.readdirSync(folder), config: JSON.parse(fs.readFileSync(folder + "/config.json")) })); process.exit(10)`;
    const own = processTrainer({
      words: [process.execPath, "-e", look],
      directory,
      reporter: { say: () => undefined, wait: () => undefined },
      now: () => 0,
    });
    assert.deepEqual(await own.train(round()), { kind: "sit-out" });
    assert.deepEqual(JSON.parse(await readFile(join(directory, "seen"), "utf8")), {
      mode: 0o700,
      names: ["base.safetensors", "config.json"],
      config: {
        format: "verisum-trainer-1",
        round: "7",
        base: "0xab",
        deadline: "1970-01-01T00:01:00.000Z",
        secondsLeft: 60,
        training: { learningRate: 0.1, momentum: 0, batchSize: 8, localEpochs: 1 },
        parameters: PARAMETERS,
        options: { head: "linear" },
      },
    });
    assert.deepEqual((await readdir(directory)).sort(), ["round-7.log", "seen"]);
  });

  it("keeps the logs of the last eight rounds before the present one", async () => {
    for (const name of ["round-0.log", "round-11.log", "round-12.log", "notes.log"])
      await writeFile(join(directory, name), "");
    const own = trainer("sit-out");
    await own.train(round({ round: 20n }));
    assert.deepEqual((await readdir(directory)).sort(), ["notes.log", "round-12.log", "round-20.log"]);
  });

  it("measures a model by the numbers that it writes, and says so if it fails", async () => {
    const evaluator = (way: string): RoundEvaluator =>
      processEvaluator({
        words: [process.execPath, TRAINER, way],
        directory,
        reporter: { say: () => undefined, wait: (text) => void waits.push(text) },
        now: () => 0,
      });
    assert.deepEqual(await evaluator("measures").evaluate(round()), { loss: 0.25, epoch: 1, auc: 0.75 });
    assert.ok(waits.every((text) => text.startsWith("round 7: the evaluator says ")));
    await assert.rejects(evaluator("fails").evaluate(round()), /^VerisumError: the evaluator ended with status/);
    await rejectsCode(evaluator("fails").evaluate(round()), "TRAINER_FAILED");
    await rejectsCode(evaluator("sit-out").evaluate(round()), "TRAINER_FAILED");
  });

  it("is not told this client's key or endpoint by the environment", async () => {
    process.env.VERISUM_KEY = "0x01";
    try {
      assert.deepEqual(await updateOf("environment"), STEPS);
    } finally {
      delete process.env.VERISUM_KEY;
    }
  });

  it("is heard after a line that no text could hold, which is dropped as it comes", async () => {
    const flood = `const part = Buffer.alloc(1 << 20, "x"); let left = 600;
      const write = () => process.stdout.write(left-- > 0 ? part : '\\n{"loss":0.5}\\n', left < 0 ? () => process.exit(10) : write);
      write();`;
    const own = processTrainer({
      words: [process.execPath, "-e", flood],
      directory,
      reporter: { say: () => undefined, wait: (text) => void waits.push(text) },
      now: () => 0,
    });
    assert.deepEqual(await own.train(round()), { kind: "sit-out" });
    assert.deepEqual(waits, ["round 7: the trainer says loss 0.5"]);
  });

  it("sits a round out with status 10", async () => {
    assert.deepEqual(await trainer("sit-out").train(round()), { kind: "sit-out" });
  });

  it("fails with any other status and by any signal, and its standard error is kept", async () => {
    await rejectsCode(trainer("fails").train(round()), "TRAINER_FAILED");
    const log = join(directory, "round-7.log");
    assert.equal(await readFile(log, "utf8"), "no such file: patients.csv\n");
    assert.equal((await stat(log)).mode & 0o777, 0o600);
    await rejectsCode(trainer("killed").train(round()), "TRAINER_FAILED");
  });

  it("is ended at the deadline with all that it started, though it ignores SIGTERM", async () => {
    await rejectsCode(trainer("hangs").train(round({ secondsLeft: 3 })), "TRAINER_FAILED");
    const child = Number(/child ([0-9]+)/.exec(waits.join())?.[1]);
    assert.ok(child > 0);
    // Nothing runs any more; where nobody collects orphans, its entry stays.
    const state = await readFile(`/proc/${child}/stat`, "utf8").catch(() => "gone");
    assert.match(state, /^gone$|\) Z /);
  });

  it("is ended when the client is told to stop, and that is no failure of the trainer", async () => {
    const stop = new AbortController();
    const training = trainer("hangs").train(round({ signal: stop.signal }));
    setTimeout(() => stop.abort(), 500);
    await rejectsCode(training, "INTERRUPTED");
  });

  it("cannot be started where there is no such program", async () => {
    const absent = processTrainer({
      words: ["/nowhere/python"],
      directory,
      reporter: { say: () => undefined, wait: () => undefined },
      now: () => 0,
    });
    await rejectsCode(checkedTrainer(absent).train(round()), "TRAINER_UNAVAILABLE");
  });

  for (const [way, named] of [
    ["missing", "missing"],
    ["garbage", "update.safetensors"],
    ["truncated", "hidden.bias"],
    ["integers", "hidden.weight has dtype I32"],
    ["symlink", "symbolic link"],
    ["directory", "symbolic link"],
    ["large", "bytes"],
    ["other round", "round 0"],
    ["other base", "0x00"],
    ["no kind", "kind"],
    ["not a number", "hidden.weight"],
    ["other name", "hidden.weight?"],
    ["other shape", "1×3×2"],
    ["one tensor short", "hidden.weight"],
  ] as const)
    it(`is refused, by name, an update with this fault: ${way}`, async () => {
      const error = await trainer(way)
        .train(round())
        .then(
          () => undefined,
          (cause: unknown) => cause,
        );
      assert.ok(error instanceof VerisumError, String(error));
      assert.equal(error.code, "TRAINER_UPDATE_INVALID");
      assert.ok(error.message.includes(named), error.message);
    });
});
