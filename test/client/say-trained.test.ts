import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { sayTrained } from "../../client/say-trained.ts";
import { createReporter } from "../../command/reporter.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** Updates are shortened to 4, and no coordinate moves by more than 2047 / 4096. */
const DOCUMENT = { preset: "standard", quantisation: { stepBits: 12, clipSteps: 4 << 12 } } as const;
const BASE = { weights: new Int32Array(100), kept: [] };

describe("what a client says of its update", () => {
  const said = (...first: readonly number[]) => {
    const reporter = createRecorder();
    const update = new Float32Array(100);
    update.set(first);
    sayTrained(reporter, 2n, { steps: 7, loss: 0.25, auc: 0.5 }, update, DOCUMENT, BASE);
    return reporter.events.map(({ level, event, text }) => [level, event, text]);
  };

  it("is the trainer's numbers and the norm", () => {
    assert.deepEqual(said(0.3, 0.4), [
      ["info", "trained", "round 2: trained 7 steps, loss 0.25, auc 0.5, update norm 0.5"],
    ]);
  });

  it("is told to programs under its own names, whatever a trainer calls its numbers", () => {
    const lines: string[] = [];
    const reporter = createReporter(
      "json",
      "client",
      (line) => void lines.push(line),
      () => 0,
    );
    sayTrained(
      reporter,
      2n,
      { round: 9, norm: 8, time: 12.5, event: 1, auc: 0.5 },
      new Float32Array(100),
      DOCUMENT,
      BASE,
    );
    assert.deepEqual(JSON.parse(lines[0]!), {
      ...{ time: "1970-01-01T00:00:00.000Z", who: "client", level: "info", event: "trained" },
      ...{
        text: "round 2: trained, round 9, norm 8, time 12.5, event 1, auc 0.5, update norm 0",
        round: "2",
        norm: 0,
        auc: 0.5,
      },
    });
  });

  it("is also that the update is shortened, and how many coordinates are cut at the end of their range", () => {
    assert.deepEqual(
      said(0.6, -0.6, 0.4).map(([level, event]) => [level, event]),
      [
        ["info", "trained"],
        ["warn", "coordinates-cut"],
      ],
    );
    assert.match(said(0.6, -0.6, 0.4)[1]![2]!, /2 of 100 coordinates moved by more than 0\.5 and are cut/);
    // Shortened, each of these is within the range.
    const [trained, ...others] = said(...Array.from({ length: 100 }, () => 0.6));
    assert.match(trained![2]!, /update norm 6, shortened to 4$/);
    assert.deepEqual(others, []);
  });
});
