import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { describe, it } from "mocha";
import { createTimeline } from "../../demo/timeline.ts";

/** The table's rows as cells. */
async function printed(timeline: ReturnType<typeof createTimeline>): Promise<readonly (readonly string[])[]> {
  const lines: string[] = [];
  await timeline.print((text) => lines.push(...stripVTControlCharacters(text).split("\n")));
  return lines
    .filter((line) => line.startsWith("│"))
    .map((line) =>
      line
        .split("│")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("the demo's timeline", () => {
  it("counts each step from its round's opening, and an audit to the round that waits for it", async () => {
    const timeline = createTimeline(() => new Map());
    const note = (event: string, role: string, round: number, seconds: number): void =>
      timeline.note({ role, event, level: "info", text: "", time: 1e12 + seconds * 1000, facts: { round } });
    note("round-opened", "aggregator", 1, 10);
    note("trained", "client 1", 1, 11);
    note("trained", "client 2", 1, 12.5);
    note("round-opened", "aggregator", 2, 14);
    note("audited", "client 1", 1, 14.25);
    const rows = await printed(timeline);
    const row = (name: string): readonly string[] | undefined => rows.find(([first]) => first === name);
    assert.deepEqual(row("step"), ["step", "round 1", "round 2"]);
    assert.deepEqual(row("trained"), ["trained", "1.00 to 2.50", ""]);
    assert.deepEqual(row("audited"), ["audited", "", "0.25"]);
    assert.deepEqual(row("next opening"), ["next opening", "4.00", ""]);
  });

  it("counts a process's time from each opening to the next", async function () {
    // Elsewhere the table has no processes.
    if (!existsSync("/proc/self/stat")) this.skip();
    const timeline = createTimeline(() => new Map([["this test", process.pid]]));
    timeline.note({ role: "", event: "round-opened", level: "info", text: "", time: 0, facts: { round: 1 } });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = process.cpuUsage().user;
    while (process.cpuUsage().user - before < 400_000);
    const [name, setUp, round] = (await printed(timeline)).find(([first]) => first === "this test")!;
    assert.equal(name, "this test");
    assert.ok(Number(setUp) > 0, setUp);
    // Its own loop, and what else the process does meanwhile.
    assert.ok(Number(round) >= 0.3 && Number(round) <= 3, round);
  });
});
