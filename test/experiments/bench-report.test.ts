/** What the benchmark makes of its measurements: growth, ratios, charts. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { committeeOf } from "../../experiments/bench/bench-task.ts";
import { renderChart } from "../../experiments/bench/chart.ts";
import type { Chart } from "../../experiments/bench/chart.ts";
import { growthExponent } from "../../experiments/bench/growth.ts";
import { expectedGas } from "../../experiments/bench/measure-batches.ts";
import { RATIO_NAMES, RATIO_TOLERANCE, ratiosOf, regressionsIn } from "../../experiments/bench/ratios.ts";
import type { RatioName, Ratios } from "../../experiments/bench/ratios.ts";

const BASELINE = new URL("../vectors/bench-ratios.json", import.meta.url);

const times = (milliseconds: number) => ({
  packMs: milliseconds,
  noiseMs: 0,
  commitMs: milliseconds,
  shareMs: milliseconds,
  encryptMs: milliseconds,
  proveMs: milliseconds,
  openMs: milliseconds,
  totalMs: milliseconds,
  processorMs: 0,
});
const ratiosAt = (value: number, other: Partial<Record<RatioName, number>> = {}): Ratios => ({
  ...(Object.fromEntries(RATIO_NAMES.map((name) => [name, value])) as Record<RatioName, number>),
  ...other,
});
const chart: Chart = {
  name: "time",
  title: "Time & <work>",
  description: "Seconds by size.",
  x: { label: "size", scale: "log" },
  y: { label: "time, seconds", scale: "log" },
  series: [
    {
      name: "measured",
      points: [
        { x: 10, y: 1 },
        { x: 100_000, y: 50 },
      ],
    },
    { name: "published", points: [{ x: 1_000, y: 9 }], loose: true },
  ],
};

describe("the benchmark's report", () => {
  it("finds the exponent of a power law, whatever its factor", () => {
    const exponent = growthExponent([1, 3, 10, 200].map((x) => ({ x, y: 7 * x ** 0.75 })));
    assert.ok(Math.abs(exponent! - 0.75) < 1e-12);
  });

  it("has no exponent for fewer than two sizes", () => {
    assert.equal(growthExponent([{ x: 5, y: 1 }]), undefined);
    assert.equal(
      growthExponent([
        { x: 5, y: 1 },
        { x: 5, y: 2 },
      ]),
      undefined,
    );
    assert.equal(
      growthExponent([
        { x: 5, y: 0 },
        { x: 6, y: 2 },
      ]),
      undefined,
    );
  });

  it("divides the fastest time by the fastest yardstick of the same process, the first submission left out", () => {
    const run = (milliseconds: number, fieldMs: number, pointsMs: number) => ({
      times: times(milliseconds),
      calibration: { fieldMs, pointsMs },
      load: 1,
    });
    const ratios = ratiosOf({
      client: { loadMs: 0, peakRssMb: 0, outputs: [], runs: [run(1, 1, 1), run(60, 200, 30), run(90, 100, 20)] },
      memberChecks: [8, 4],
      aggregatorRounds: [50, 70],
      calibrations: [
        { fieldMs: 40, pointsMs: 10 },
        { fieldMs: 80, pointsMs: 5 },
      ],
    });
    assert.equal(ratios["client: prove"], 3);
    assert.equal(ratios["client: pack and share"], 1.2);
    assert.equal(ratios["member: check one client"], 0.1);
    assert.equal(ratios["aggregator: one round"], 10);
  });

  it("names the ratios that exceed the baseline by more than the tolerance, and no others", () => {
    const slower = ratiosAt(1, { "client: prove": RATIO_TOLERANCE * 1.001, "client: open": RATIO_TOLERANCE });
    const found = regressionsIn({ 2410: slower }, { 2410: ratiosAt(1) });
    assert.deepEqual(
      found.map(({ size, name }) => [size, name]),
      [["2410", "client: prove"]],
    );
    assert.deepEqual(regressionsIn({ 2410: ratiosAt(0.1) }, { 2410: ratiosAt(1) }), []);
  });

  it("counts a size without a baseline as exceeded", () => {
    assert.equal(regressionsIn({ 99: ratiosAt(1) }, { 2410: ratiosAt(1) }).length, RATIO_NAMES.length);
  });

  it("keeps a baseline of every ratio for the sizes that are checked", () => {
    const baseline = JSON.parse(readFileSync(BASELINE, "utf8")) as Record<string, Record<string, number>>;
    assert.deepEqual(Object.keys(baseline), ["2410", "10000"]);
    for (const ratios of Object.values(baseline)) {
      assert.deepEqual(Object.keys(ratios), RATIO_NAMES);
      assert.ok(Object.values(ratios).every((ratio) => ratio > 0));
    }
  });

  it("expects of a batch what the last ones' difference says", () => {
    assert.equal(expectedGas([], 20), 0);
    assert.equal(expectedGas([{ size: 1, gasPerClient: 400 }], 3), 1_200);
    assert.equal(
      expectedGas(
        [
          { size: 1, gasPerClient: 400 },
          { size: 2, gasPerClient: 300 },
        ],
        5,
      ),
      1_200,
    );
  });

  it("draws a chart that says in words what it shows, with every series in the legend", () => {
    const svg = renderChart(chart);
    assert.match(svg, /role="img" aria-labelledby="time-title time-desc"/);
    assert.match(svg, /<title id="time-title">Time &amp; &lt;work&gt;<\/title>/);
    assert.match(svg, /<desc id="time-desc">Seconds by size\.<\/desc>/);
    for (const text of ["size", "time, seconds", "measured", "published"])
      assert.ok(svg.includes(`>${text}</text>`), text);
    assert.match(svg, /prefers-color-scheme:dark/);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  });

  it("draws a line through what was measured, and none through what others published", () => {
    assert.equal([...renderChart(chart).matchAll(/class="path"/g)].length, 1);
  });

  it("draws the same picture each time, and none without points", () => {
    assert.equal(renderChart(chart), renderChart(chart));
    assert.throws(() => renderChart({ ...chart, series: [] }), RangeError);
  });

  it("gives a committee the largest threshold that its size allows", () => {
    for (let size = 4; size <= 32; size++) {
      const { threshold, quorum } = committeeOf(size);
      const allowed = (t: number): boolean => size - t + 1 >= 2 * t - 1;
      assert.equal(quorum, size - threshold + 1);
      assert.ok(threshold >= 2 && allowed(threshold) && !allowed(threshold + 1), String(size));
    }
  });

  it("keeps every plot that docs/bench.md shows", () => {
    const page = readFileSync(new URL("../../docs/bench.md", import.meta.url), "utf8");
    const plots = [...page.matchAll(/\]\((plots\/[^)]+)\)/g)].map(([, path]) => path!);
    assert.deepEqual(
      plots.filter((path) => !existsSync(new URL(`../../docs/${path}`, import.meta.url))),
      [],
    );
  });
});
