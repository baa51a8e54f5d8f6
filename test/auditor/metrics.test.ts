/** Claims about models beside what was measured. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Checker } from "../../auditor/checklist.ts";
import type { Finding } from "../../auditor/checklist.ts";
import { checkMetrics } from "../../auditor/metrics.ts";
import type { Metrics } from "../../task/checkpoint.ts";

const CLASSES = { accuracy: 0.9, loss: 0.5, samples: 100 };
const NUMBERS = { rootMeanSquaredError: 3, meanAbsoluteError: 2, r2: 0.5, loss: 0.5, samples: 100 };

async function findingOf(claimed: Metrics | null | undefined, measured: Metrics): Promise<Finding> {
  const findings: Finding[] = [];
  await checkMetrics(new Checker((finding) => findings.push(finding)), 1, claimed, measured);
  return findings[0]!;
}

describe("a claim about a model", () => {
  it("is green where it differs by rounding, and red with its code where it differs by more", async () => {
    for (const [claimed, measured, ok] of [
      [CLASSES, CLASSES, true],
      [{ ...CLASSES, accuracy: 0.92 }, CLASSES, true],
      [{ ...CLASSES, accuracy: 0.93 }, CLASSES, false],
      [{ ...CLASSES, loss: 0.52 }, CLASSES, false],
      [NUMBERS, NUMBERS, true],
      [{ ...NUMBERS, rootMeanSquaredError: 3.02 }, NUMBERS, true],
      [{ ...NUMBERS, rootMeanSquaredError: 2.9 }, NUMBERS, false],
      [{ ...NUMBERS, meanAbsoluteError: 1.9 }, NUMBERS, false],
      [{ ...NUMBERS, r2: 0.6 }, NUMBERS, false],
      [{ ...NUMBERS, r2: null }, { ...NUMBERS, r2: null }, true],
      [CLASSES, NUMBERS, false],
      [NUMBERS, CLASSES, false],
    ] as const) {
      const finding = await findingOf(claimed, measured);
      assert.deepEqual([finding.ok, finding.code], [ok, ok ? undefined : "METRICS_MISMATCH"], JSON.stringify(claimed));
    }
  });

  it("says nothing where it is absent, lost, or of other data", async () => {
    assert.match((await findingOf(null, NUMBERS)).detail, /nothing is claimed/);
    assert.match((await findingOf(undefined, CLASSES)).detail, /nothing is claimed/);
    const other = await findingOf({ ...NUMBERS, rootMeanSquaredError: 9, samples: 50 }, NUMBERS);
    assert.ok(other.ok);
    assert.match(other.detail, /other data/);
  });
});
