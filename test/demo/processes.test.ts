import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { Processes } from "../../demo/processes.ts";
import type { Role, RoleEvent } from "../../demo/processes.ts";

const TIME = "2026-01-02T03:04:05.678Z";

describe("a role's process", function () {
  this.timeout(30_000);
  let directory: string;
  let processes: Processes;
  let events: RoleEvent[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-processes-"));
    processes = new Processes();
    events = [];
  });
  afterEach(async () => {
    await processes.stopAll();
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (script: string): Promise<Role> => {
    const file = join(directory, "role.mjs");
    await writeFile(file, script);
    return processes.start("client 1", file, [], {
      logFile: join(directory, "role.log"),
      onEvent: (event) => events.push(event),
      onNoise: () => undefined,
    });
  };

  it("is ready once it says so, and its events carry the time at which it said them", async () => {
    const line = JSON.stringify({ time: TIME, who: "client", level: "good", event: "ready", text: "ready", round: 3 });
    const role = await start(`console.log(${JSON.stringify(line)}); setInterval(() => {}, 1000);`);
    await role.ready;
    const expected = { role: "client 1", time: Date.parse(TIME), level: "good", event: "ready", text: "ready" };
    assert.deepEqual(events, [{ ...expected, facts: { round: 3 } }]);
  });

  it("keeps nobody waiting if it ends before it is ready", async () => {
    const role = await start("process.exit(3);");
    await assert.rejects(role.ready, /client 1 ended with status 3/);
    assert.equal(await role.ended, 3);
  });
});
