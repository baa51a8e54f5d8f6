/** A clip norm from public data. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { partitionIid } from "../../learning/partition.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { clientNoiseBounds } from "../../task/mechanisms/client-level.ts";
import { parseSpecification } from "../../task/create-task.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { suggestClip } from "../../experiments/privacy/suggest-clip.ts";
import type { ProxyData } from "../../experiments/privacy/suggest-clip.ts";
import { rejectsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const EPSILON = 8;

describe("a clip norm that public data suggests", function () {
  this.timeout(20_000);
  let specification: TaskSpecification;
  let proxy: ProxyData;
  before(async () => {
    specification = { ...(await task("digits-cohort")), maxRounds: 4 };
    const { train, test } = await loadDataset("digits");
    proxy = {
      trainer: await createTrainer(specification.document.model),
      shards: partitionIid(train, 100, 7).slice(0, 20),
      test,
      random: seededRandom("proxy"),
    };
  });

  it("grows with the quantile, and its grid holds the noise that the target needs", async () => {
    const suggestions = [];
    for (const quantile of [0.1, 0.5, 0.9])
      suggestions.push(await suggestClip(specification, EPSILON, quantile, proxy));
    const norms = suggestions.map(({ clipNorm }) => clipNorm);
    assert.ok(norms[0]! > 0.1 && norms[0]! < norms[1]! && norms[1]! < norms[2]!, norms.join());
    for (const { clipNorm, stepBits, clipSteps, noiseVariance } of suggestions) {
      assert.equal(clipSteps, Math.floor(clipNorm * 2 ** stepBits));
      const bounds = clientNoiseBounds(
        {
          preset: specification.document.preset,
          quantisation: { stepBits, clipSteps },
          dimension: proxy.trainer.parameterCount,
        },
        noiseVariance,
      );
      assert.ok(bounds.coordinateLimit > 1);
    }
  });

  it("is for tasks that protect clients as a whole, and for quantiles", async () => {
    await rejectsCode(suggestClip(await task("digits-private"), EPSILON, 0.5, proxy), "PRIVACY_PARAMETERS_INVALID");
    await rejectsCode(suggestClip(specification, EPSILON, 1.5, proxy), "PRIVACY_PARAMETERS_INVALID");
  });
});

async function task(name: string): Promise<TaskSpecification> {
  return parseSpecification(JSON.parse(await readFile(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")));
}
