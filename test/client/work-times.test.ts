import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ChainTiming } from "../../chain/timing.ts";
import { openWorkTimes } from "../../client/work-times.ts";
import type { WorkTimes } from "../../client/work-times.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { word } from "../support/random.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

const WORK = { trainingSeconds: 31, provingSeconds: 12, replicatingSeconds: 2 };
const SHORT = { collectSeconds: 20, attestSeconds: 1000, aggregateSeconds: 1000 };

describe("a client's times", () => {
  let directory: string;
  let state: StateDirectory;
  let said: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-times-"));
    state = await openStateDirectory(directory);
    said = [];
  });
  afterEach(async () => {
    await state.release();
    await rm(directory, { recursive: true, force: true });
  });
  const open = (
    timing: () => Promise<ChainTiming> = () => Promise.resolve({ secondsPerBlock: 12, finalitySeconds: 36 }),
    hash = "parameters",
    windows = SHORT,
  ): WorkTimes =>
    openWorkTimes({
      chain: { timing },
      task: { parameters: { ...TINY_TASK, keysHash: word("keys"), ...windows }, parametersHash: word(hash) },
      state,
      scope: "scope",
      reporter: { say: (_, event, text) => void said.push(`${event}: ${text}`), wait: () => undefined },
    });

  it("are kept between starts, and held to the window: the number that would do is named", async () => {
    await open().warn();
    assert.equal(said.length, 0, "nothing is measured yet");
    await open().keep(WORK);
    await open().warn();
    assert.equal(said.length, 1);
    const advised = Math.ceil(((31 + 12 + 2 + 12) * 1.5) / 10) * 10;
    for (const part of ["window-short", "31 s", "12 s", "2 s", `${advised} would do`])
      assert.ok(said[0]!.includes(part), said[0]);
    assert.ok((await open().whyLate()).includes(`${advised} would do`));
    said.splice(0);
    await open(undefined, "parameters", { ...SHORT, collectSeconds: advised }).warn();
    assert.deepEqual(said, []);
  });

  it("say nothing of another task, or once they are damaged", async () => {
    await open().keep(WORK);
    await open(undefined, "another task").warn();
    await writeFile(state.file("scope", "work-times.json"), "{");
    await open().warn();
    assert.deepEqual(said, []);
    assert.ok((await open().whyLate()).includes("collect is 20"));
  });

  it("wait while the chain is away, which is no reason to stop taking part", async () => {
    await open().keep(WORK);
    const away = (): Promise<never> => Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "away"));
    await open(away).warn();
    assert.deepEqual(said, []);
  });

  it("name windows that no client is to blame for", async () => {
    await open(() => Promise.resolve({ secondsPerBlock: 12, finalitySeconds: 1150 })).warn();
    assert.deepEqual(
      said.map((line) => /windowSeconds\.(\w+)/.exec(line)?.[1]),
      ["aggregate"],
    );
  });
});
