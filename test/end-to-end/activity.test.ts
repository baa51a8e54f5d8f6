/** Human activity, federated and in one place: the mean over five seeds, nothing chosen by the test data. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { candidatesOf } from "../../experiments/gap/choice.ts";
import { compare } from "../../experiments/gap/compare.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { readSpecification } from "../../operator/read-specification.ts";
import { ROOT } from "../../scripts/testing/plan.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { csprng } from "../support/round-harness.ts";

const SHARED = join(import.meta.dirname, "../../../shared/data/basic-motions");
const SEEDS = [1, 2, 3, 4, 5];
/** A part of those that experiments/federated-gap.ts chooses from. */
const CANDIDATES = candidatesOf([0.01, 0.02], [20]);

describe("human activity in five rounds", function () {
  this.timeout(1_200_000);
  for (const [what, data, clients] of [
    ["the project's own windows, whole wearers to each client", "activity?features=haar&partition=group", 4],
    ["windows of real watches (the shared set)", `${SHARED}?features=haar`, 4],
  ] as const)
    it(`stays within five points of one place on ${what}`, async function () {
      if (data.startsWith(SHARED) && !existsSync(SHARED)) this.skip();
      const written = parseSpecification(await readSpecification(join(ROOT, "tasks/activity.json")));
      assert.equal(written.maxRounds, 5);
      const trainer = await createTrainer(written.document.model);
      const gaps: number[] = [];
      for (const seed of SEEDS) {
        const dealing = { clients, seed, alpha: undefined, samples: undefined, testSamples: undefined };
        const setting = { trainer, data, dealing, random: csprng };
        const { federated, central } = await compare({ ...written, initialSeed: seed }, CANDIDATES, setting);
        assert.ok(federated.test.accuracy > federated.test.majority + 0.3);
        gaps.push(central.test.accuracy - federated.test.accuracy);
      }
      const mean = gaps.reduce((sum, gap) => sum + gap, 0) / SEEDS.length;
      assert.ok(Math.abs(mean) <= 0.05, `${mean} of ${gaps.join(", ")}`);
    });
});
