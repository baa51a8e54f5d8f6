/** The benchmark's arithmetic; the measurements themselves are not tested. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ClientTimes } from "../../experiments/bench/client-run.ts";
import { benchTask } from "../../experiments/bench/bench-task.ts";
import { CONTRACT_FUNCTIONS, GasMeter } from "../../experiments/bench/gas-meter.ts";
import type { RoundMeasurement } from "../../experiments/bench/measure-round.ts";
import { rowOf } from "../../experiments/bench/rows.ts";
import type { BenchRow } from "../../experiments/bench/rows.ts";
import { median } from "../../experiments/bench/statistics.ts";
import { verdictsOf } from "../../experiments/bench/targets.ts";
import { word } from "../support/random.ts";

const times = (totalMs: number): ClientTimes => ({
  packMs: 1,
  noiseMs: 7,
  commitMs: 2,
  shareMs: 3,
  encryptMs: 4,
  proveMs: 5,
  openMs: 6,
  totalMs,
  processorMs: 8,
});

function rowFrom(dimension: number, totalsMs: readonly number[], gasEach: number): BenchRow {
  const gas = new GasMeter();
  for (const name of CONTRACT_FUNCTIONS) gas.note(name, BigInt(gasEach));
  const runs = totalsMs.map((totalMs) => ({
    times: times(totalMs),
    calibration: { fieldMs: 100, pointsMs: 10 },
    load: 1,
  }));
  const measurement: RoundMeasurement = {
    task: benchTask(dimension, { clients: 3, members: 4 }, word("keys")),
    client: { loadMs: 10, runs, outputs: [], peakRssMb: 300.4 },
    audits: [30, 33.04, 90],
    memberChecks: [3, 1, 2],
    aggregatorRounds: [9],
    calibrations: [{ fieldMs: 50, pointsMs: 20 }],
    gas: gas.result(),
    bytesPerMember: 7280,
  };
  return rowOf(measurement, [{ size: 10, gasPerClient: 4 }]);
}

const met = (row: BenchRow): Record<string, boolean> =>
  Object.fromEntries(verdictsOf(row).map((verdict) => [verdict.what, verdict.met]));

describe("bench", () => {
  it("takes the middle of odd and the mean of the middle two of even numbers of values", () => {
    assert.equal(median([10, 9, 100]), 10);
    assert.equal(median([4, 1, 2, 10]), 3);
    assert.throws(() => median([]), RangeError);
  });

  it("writes rows with exactly the fields of the format, null for a batch that does not fit", () => {
    assert.deepEqual(rowFrom(2_410, [9_999, 700, 900, 800], 5), {
      d: 2_410,
      chunks: 1,
      clients: 3,
      members: 4,
      preset: "standard",
      client: {
        packMs: 1,
        noiseMs: 7,
        commitMs: 2,
        shareMs: 3,
        encryptMs: 4,
        proveMs: 5,
        openMs: 6,
        totalMs: 800,
        peakRssMb: 300,
      },
      audit: { processorMs: 33 },
      member: { checkMsPerClient: 2 },
      aggregator: { roundMs: 9 },
      gas: { submit: 5, submitBatched20: null, settle: 5, finalize: 5 },
      bytesPerMember: 7280,
    });
  });

  it("counts a limit as met up to the limit itself, and not one above it", () => {
    const wall = (dimension: number, totalMs: number): boolean | undefined =>
      met(rowFrom(dimension, [0, totalMs], 1))["client wall"];
    for (const [dimension, limit] of [
      [2_410, 800],
      [10_000, 1_000],
      [100_000, 4_500],
      [1_199_882, 45_000],
    ] as const) {
      assert.deepEqual([wall(dimension, limit), wall(dimension, limit + 1)], [true, false]);
    }
    assert.equal(met(rowFrom(2_410, [0, 1], 260_000))["finalize"], true);
    assert.equal(met(rowFrom(2_410, [0, 1], 260_001))["finalize"], false);
    assert.equal(met(rowFrom(10_000, [0, 1], 450_000))["submit, one chunk"], true);
    assert.equal(met(rowFrom(10_000, [0, 1], 450_001))["submit, one chunk"], false);
  });

  it("holds proofs, checks, aggregation and memory to limits of their own, and a batch of one chunk each", () => {
    const row = rowFrom(2_410, [0, 1], 1);
    assert.deepEqual(Object.keys(met(row)), [
      "client wall",
      "proofs",
      "member check",
      "aggregator round",
      "client memory",
      "submit, one chunk",
      "finalize",
    ]);
    const batched = (gas: number): boolean | undefined =>
      met({ ...row, gas: { ...row.gas, submitBatched20: gas } })["submit in a batch of 20"];
    assert.deepEqual([batched(150_000), batched(150_001)], [true, false]);
  });

  it("allows each further chunk its own gas", () => {
    assert.equal(met(rowFrom(100_000, [0, 1], 520_000))["submit, 2 chunks"], true);
    assert.equal(met(rowFrom(100_000, [0, 1], 520_001))["submit, 2 chunks"], false);
  });

  it("has no wall time to compare with beyond the sizes that the targets name", () => {
    assert.ok(!("client wall" in met(rowFrom(1_200_001, [0, 1], 1))));
  });

  it("keeps the dearest call of each function and misses those not called", () => {
    const gas = new GasMeter();
    assert.throws(() => gas.result());
    for (const name of CONTRACT_FUNCTIONS) gas.note(name, 7n);
    gas.note("submit", 9n);
    gas.note("submit", 8n);
    assert.equal(gas.result().submit, 9);
    assert.equal(gas.result().settle, 7);
  });
});
