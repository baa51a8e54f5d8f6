import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { ZERO_ADDRESS } from "../../chain/lists.ts";
import { createCommitteeWatch } from "../../client/committee-watch.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import { createRecorder } from "../support/round-recorder.ts";

describe("a client's watch on its committee", () => {
  let directory: string;
  let state: StateDirectory;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-watch-"));
    state = await openStateDirectory(directory);
    await state.release();
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("warns of each seat that gets another member, once, and tells when they could read single updates", async () => {
    const task = await openMemoryTask();
    const { operator, stranger, clients } = task;
    const { threshold } = task.parameters;
    const reporter = createRecorder();
    const watch = createCommitteeWatch({ parameters: task.parameters, state, scope: "scope", reporter });
    const look = async (): Promise<void> => watch(await stranger.look());
    await look();
    await openMemoryRound(task);
    await look();
    assert.deepEqual(reporter.events, [], "a committee that stays is nothing to warn of");

    await operator.replaceMember(1, stranger.account);
    await look();
    await look();
    await operator.replaceMember(2, ZERO_ADDRESS);
    await look();
    await operator.replaceMember(2, clients[0]!.account);
    await look();
    const from = 2n;
    assert.deepEqual(
      reporter.facts("seat-changed").map(({ seat, member, from: first, changed }) => [seat, member, first, changed]),
      [
        [1, stranger.account, from, 1],
        [2, ZERO_ADDRESS, from, 1],
        [2, clients[0]!.account, from, 2],
      ],
    );
    assert.equal(threshold, 2);
    const advised = reporter.events.map(({ level, text }) => [level, /stop it unless you trust them/.test(text)]);
    assert.deepEqual(advised, [
      ["warn", false],
      ["warn", false],
      ["warn", true],
    ]);

    await operator.replaceMember(1, task.members[0]!.account);
    await look();
    assert.equal(reporter.facts("seat-changed").at(-1)?.["changed"], 1, "who comes back is no other member");
  });

  it("remembers over restarts whom it joined, and tells once what changed while it was stopped", async () => {
    const task = await openMemoryTask();
    const started = async (): Promise<readonly unknown[]> => {
      const reporter = createRecorder();
      const watch = createCommitteeWatch({ parameters: task.parameters, state, scope: "scope", reporter });
      const look = await task.operator.look();
      await watch(look);
      await watch(look);
      return reporter.facts("seat-changed").map(({ seat, changed }) => [seat, changed]);
    };
    await openMemoryRound(task);
    assert.deepEqual(await started(), []);
    await task.operator.replaceMember(1, task.stranger.account);
    assert.deepEqual(await started(), [[1, 1]]);
    assert.deepEqual(await started(), []);
    await task.operator.replaceMember(3, task.clients[0]!.account);
    assert.deepEqual(await started(), [[3, 2]], "counted with what was told before");
    const path = join(directory, "scope", "committee.json");
    await writeFile(path, (await readFile(path)).subarray(0, -9));
    assert.deepEqual(await started(), [], "a damaged record is begun anew");
  });
});
