import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { limitedReporter } from "../../protocol/limited-reporter.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a limited reporter", () => {
  it("says an event once a minute for each subject, and then how often it did not", () => {
    let now = 0;
    const recorder = createRecorder();
    const limited = limitedReporter(recorder, () => now);
    const say = (event: string, subject: string): void => limited.say("warn", event, "text", { subject });
    for (const subject of ["a", "a", "b", "a"]) say("lied", subject);
    say("failed", "a");
    now = 59_999;
    say("lied", "a");
    now = 60_000;
    for (const subject of ["a", "a", "b"]) say("lied", subject);
    assert.deepEqual(
      recorder.events.map(({ event, facts, text }) => [event, facts, text]),
      [
        ["lied", { subject: "a" }, "text"],
        ["lied", { subject: "b" }, "text"],
        ["failed", { subject: "a" }, "text"],
        ["lied", { subject: "a", unsaid: 3 }, "text (3 like it were left out)"],
        ["lied", { subject: "b" }, "text"],
      ],
    );
  });

  it("says 64 lines of an event a minute, however many subjects strangers think of", () => {
    let now = 0;
    const recorder = createRecorder();
    const limited = limitedReporter(recorder, () => now);
    const flood = (): void => {
      for (let i = 0; i < 10_000; i++) limited.say("warn", "refused", "text", { subject: `${now}-${i}` });
    };
    flood();
    limited.say("warn", "another", "text", { subject: "a" });
    assert.equal(recorder.facts("refused").length, 64);
    assert.equal(recorder.facts("another").length, 1);
    now = 60_000;
    flood();
    assert.equal(recorder.facts("refused").length, 128);
    assert.equal(recorder.facts("refused")[64]!["unsaid"], 10_000 - 64);
    assert.equal(recorder.facts("refused")[65]!["unsaid"], undefined);
  });

  it("takes events without a subject for one subject, and passes on what is waited for", () => {
    const waited: string[] = [];
    const said: string[] = [];
    const reporter: Reporter = { say: (_, event) => void said.push(event), wait: (text) => void waited.push(text) };
    const limited = limitedReporter(reporter, () => 0);
    for (const event of ["plain", "plain"]) limited.say("info", event, "text");
    for (const text of ["for it", "for it"]) limited.wait(text);
    assert.deepEqual([said, waited], [["plain"], ["for it", "for it"]]);
  });
});
