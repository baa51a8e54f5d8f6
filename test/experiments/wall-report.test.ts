import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { secondsOf, wallChart } from "../../experiments/buffers/wall-report.ts";
import type { TimedRun } from "../../experiments/buffers/wall-report.ts";

function run(way: string, seconds: number): TimedRun {
  const models = [
    { seconds: seconds / 2, round: 1, accuracy: 0.5, updates: 3 },
    { seconds, round: 2, accuracy: 0.95, updates: 3 },
  ];
  return { way, seconds, result: { fastSeconds: 1, models, staleness: [], dropped: 0 } };
}

describe("the chart of runs with real processes", () => {
  it("has of each way the run in the middle, and says the medians", () => {
    const runs = [run("barrier", 90), run("buffer", 30), run("barrier", 120), run("buffer", 20), run("barrier", 100)];
    assert.equal(secondsOf(runs, "barrier"), 100);
    const chart = wallChart(runs, ["barrier", "buffer"], { clients: 10, slow: 2, times: 10 });
    assert.match(chart.description, /barrier: 100\.0 s; buffer: 25\.0 s/);
    assert.deepEqual(chart.series, [
      {
        name: "barrier",
        points: [
          { x: 50, y: 50 },
          { x: 100, y: 95 },
        ],
      },
      {
        name: "buffer",
        points: [
          { x: 10, y: 50 },
          { x: 20, y: 95 },
        ],
      },
    ]);
  });
});
