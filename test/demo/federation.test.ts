/** The simulation of rounds that stands in for the protocol when only accuracy is asked for. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { classEvaluation } from "../../learning/evaluation.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { centralAccuracy } from "../../demo/central.ts";
import { demoDealing, demoProgram, flagsFrom, headline, trainingArguments } from "../../demo/flags.ts";
import type { DemoFlags } from "../../demo/flags.ts";
import { runFederation } from "../../demo/federation.ts";
import { shardSpecification, unionSpecification } from "../../demo/shards.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const DEALING = { clients: 3, seed: 7, alpha: undefined, samples: undefined, testSamples: undefined };

describe("a simulated federation", () => {
  it("learns as the task's rounds do, the same with the same random bytes", async function () {
    this.timeout(20_000);
    const specification = parseSpecification(
      JSON.parse(await readFile(new URL("../../tasks/digits.json", import.meta.url), "utf8")),
    );
    const loaded = await Promise.all(
      [0, 1, 2].map((client) => loadDataset(shardSpecification("digits", client, DEALING))),
    );
    const trainer = await createTrainer(specification.document.model);
    const run = async (): Promise<readonly number[]> => {
      const results = await runFederation(specification, 2, {
        trainer,
        shards: loaded.map(({ train }) => train),
        test: loaded[0]!.test,
        random: seededRandom("federation"),
        onRound: () => undefined,
      });
      assert.ok(
        results.every(
          ({ updates }) =>
            updates.length === 3 && updates.every(({ normSteps, clamped }) => normSteps > 0 && clamped === 0),
        ),
      );
      return results.map(({ evaluation }) => classEvaluation(evaluation).accuracy);
    };
    const first = await run();
    assert.ok(first[1]! > 0.9, `accuracies ${first.join()}`);
    assert.deepEqual(await run(), first);
  });
});

describe("the activity task", () => {
  it("learns from eight wearers what one place learns from all, within five points", async function () {
    this.timeout(60_000);
    const specification = parseSpecification(
      JSON.parse(await readFile(new URL("../../tasks/activity.json", import.meta.url), "utf8")),
    );
    const dealing = { ...DEALING, clients: 8 };
    const data = "activity?features=haar&partition=group";
    const loaded = await Promise.all(
      Array.from({ length: dealing.clients }, (_, client) => loadDataset(shardSpecification(data, client, dealing))),
    );
    const results = await runFederation(specification, specification.maxRounds, {
      trainer: await createTrainer(specification.document.model),
      shards: loaded.map(({ train }) => train),
      test: loaded[0]!.test,
      random: seededRandom("activity"),
      onRound: () => undefined,
    });
    const central = await centralAccuracy(specification, specification.maxRounds, data, dealing);
    const { accuracy } = classEvaluation(results.at(-1)!.evaluation);
    assert.ok(accuracy >= central - 0.05, `${accuracy} beside ${central}`);
  });
});

describe("the dealing of a data set", () => {
  it("is written as the clients' data specifications", () => {
    assert.equal(
      shardSpecification("digits", 1, { ...DEALING, alpha: 0.5 }),
      "digits?client=1&clients=3&alpha=0.5&seed=7",
    );
    assert.equal(
      shardSpecification("x?classes=3", 0, { ...DEALING, samples: 40, testSamples: 9 }),
      "x?classes=3&client=0&clients=3&seed=7&samples=40&testSamples=9",
    );
    assert.equal(unionSpecification("x", { ...DEALING, samples: 40 }), "x?samples=120");
    assert.equal(unionSpecification("x", DEALING), "x");
  });
});

describe("the demo's flags", () => {
  /** Wrong use ends the process; here it throws. */
  const readFlags = (args: readonly string[]): DemoFlags => {
    const program = demoProgram().configureOutput({ writeErr: () => undefined });
    program.exitOverride(({ message }) => {
      throw new VerisumError("USAGE", message);
    });
    return flagsFrom(program.parse(args, { from: "user" }));
  };

  it("are five clients on skewed digits without arguments", async () => {
    const flags = readFlags([]);
    assert.deepEqual(demoDealing(flags), {
      clients: 5,
      seed: 7,
      alpha: 0.5,
      samples: undefined,
      testSamples: undefined,
    });
    assert.equal(flags.central, true);
    const specification = parseSpecification(JSON.parse(await readFile(flags.task, "utf8")));
    assert.equal(
      headline(specification, demoDealing(flags), flags.data),
      "five clients, a committee of four (threshold 2, quorum 3), five rounds on handwritten digits",
    );
  });

  it("leave the data to trainers that have their own, whose lines name the client, and nobody cheats then", () => {
    const flags = readFlags(["--trainer", "python t.py {client} {clients}", "--evaluator", "python e.py {client}"]);
    assert.deepEqual([flags.data, flags.plain, flags.central], [undefined, true, false]);
    assert.deepEqual(trainingArguments(flags, 2, demoDealing(flags)), [
      "--trainer",
      "python t.py 2 5",
      "--evaluator",
      "python e.py 2",
    ]);
    const measured = readFlags(["--trainer", "t", "--data", "digits"]);
    assert.match(
      trainingArguments(measured, 0, demoDealing(measured)).join(" "),
      /^--data digits\?client=0.* --trainer t$/,
    );
    throwsCode(() => readFlags(["--trainer", "t", "--central"]), "USAGE");
  });

  it("deal other data evenly unless asked, and refuse what cannot be", () => {
    assert.deepEqual(demoDealing(readFlags(["--data", "x", "--samples", "40", "--plain", "--clients", "3"])), {
      clients: 3,
      seed: 7,
      alpha: undefined,
      samples: 40,
      testSamples: 1000,
    });
    assert.equal(readFlags(["--data", "x", "--alpha", "0.3"]).alpha, 0.3);
    for (const args of [
      ["--clients", "3"],
      ["--clients", "16"],
      ["--samples", "0"],
      ["--rounds", "x"],
      ["--alpha", ""],
    ])
      throwsCode(() => readFlags(args), "USAGE");
  });
});

describe("the tasks in this repository", () => {
  for (const name of [
    "digits",
    "digits-private",
    "digits-cohort",
    "digits-buffer",
    "digits-turns",
    "activity",
    "fashion-cnn",
    "fashion-private",
    "fashion-pixels",
    "fashion-cohort",
  ]) {
    it(`${name} follows the schema and builds its model`, async () => {
      const specification = parseSpecification(
        JSON.parse(await readFile(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")),
      );
      assert.equal(specification.document.name, name);
      assert.ok((await createTrainer(specification.document.model)).parameterCount > 0);
    });
  }
});
