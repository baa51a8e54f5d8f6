import assert from "node:assert/strict";
import { fork, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { isVerisumError } from "../../protocol/errors.ts";
import { acquireLock, withLock } from "../../storage/lock.ts";
import { livenessOf, thisProcess } from "../../storage/process-identity.ts";
import type { ProcessIdentity } from "../../storage/process-identity.ts";
import { rejectsCode } from "../support/errors.ts";
import type { Order, Outcome } from "./lock-contender.ts";

const CONTENDERS = 8;
const ROUNDS = 20;

/** The identity of a process that has ended. */
async function endedProcess(): Promise<ProcessIdentity> {
  return { ...(await thisProcess()), pid: spawnSync(process.execPath, ["-e", ""]).pid };
}

describe("a lock", () => {
  let folder: string;
  let path: string;
  const plant = (holder: unknown): Promise<void> => writeFile(path, JSON.stringify(holder));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is refused while it is held, names path and process, and leaves nothing behind", async () => {
    const lock = await acquireLock(path);
    await assert.rejects(acquireLock(path, "the folder"), (error) => {
      assert.ok(isVerisumError(error, "STORAGE_LOCKED"));
      assert.deepEqual(error.details, { path: "the folder", lock: path, pid: process.pid });
      assert.equal(error.message, `the folder is in use by process ${process.pid}`);
      return true;
    });
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
    const next = await acquireLock(path);
    await lock.release();
    await rejectsCode(acquireLock(path), "STORAGE_LOCKED");
    await next.release();
  });

  it("knows when it is lost, and takes nobody else's away", async () => {
    const lock = await acquireLock(path);
    assert.equal(await lock.isHeld(), true);
    await rm(path);
    assert.equal(await lock.isHeld(), false);
    await plant({ pid: 1 });
    assert.equal(await lock.isHeld(), false);
    await lock.release();
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")), { pid: 1 });
  });

  it("lets one in at a time within a process, and is free after a failure", async () => {
    let holders = 0;
    const work = async (): Promise<void> => {
      assert.equal(++holders, 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      holders--;
    };
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error("work failed"))),
      /work failed/,
    );
    await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)]);
  });

  it("is refused while another process that runs holds it, and free once that one is killed", async () => {
    const holder = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      const { startTicks: _, ...here } = await thisProcess();
      await plant({ ...here, pid: holder.pid });
      await rejectsCode(acquireLock(path), "STORAGE_LOCKED");
    } finally {
      holder.kill("SIGKILL");
      await once(holder, "exit");
    }
    await (await acquireLock(path)).release();
  });

  it("of a process that ended is taken over, though a living one has its number now", async function () {
    const { startTicks } = await thisProcess();
    if (startTicks === undefined) this.skip(); // only Linux says when a process started
    await plant({ ...(await thisProcess()), startTicks: String(Number(startTicks) - 1) });
    await (await acquireLock(path)).release();
    await plant({ ...(await thisProcess()), pid: 1, startTicks: "1000000000000" });
    await (await acquireLock(path)).release();
  });

  it("from before the machine's last start is taken over", async function () {
    if ((await thisProcess()).bootId === undefined) this.skip();
    await plant({ ...(await thisProcess()), bootId: "00000000-0000-0000-0000-000000000000" });
    await (await acquireLock(path)).release();
  });

  it("of another container holds for as long as its holder touches it", async function () {
    if ((await thisProcess()).pidNamespace === undefined) this.skip();
    await plant({ ...(await thisProcess()), pidNamespace: "pid:[1]" });
    await rejectsCode(acquireLock(path), "STORAGE_LOCKED");
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(path, longAgo, longAgo);
    await (await acquireLock(path)).release();
  });

  it("is touched by its holder", async function () {
    this.timeout(20_000);
    const lock = await acquireLock(path);
    const longAgo = new Date(Date.now() - 61_000);
    await utimes(path, longAgo, longAgo);
    while ((await stat(path)).mtimeMs < Date.now() - 60_000) await new Promise((resolve) => setTimeout(resolve, 200));
    await lock.release();
  });

  it("with the number alone counts by the number alone", async () => {
    await plant({ pid: process.pid });
    await rejectsCode(acquireLock(path), "STORAGE_LOCKED");
    await plant({ pid: (await endedProcess()).pid });
    await (await acquireLock(path)).release();
  });

  for (const content of ["", "noise", "0", "null", "{}", '{"pid":0}', '{"pid":-1}', '{"pid":"1"}', '{"pid":1.5}']) {
    it(`that holds ${JSON.stringify(content)} is taken over`, async () => {
      await writeFile(path, content);
      await (await acquireLock(path)).release();
    });
  }

  it("is taken over when those who took it over ended in the middle of that", async () => {
    const ended = JSON.stringify(await endedProcess());
    for (const name of [path, `${path}.replacing`, `${path}.replacing.replacing`]) await writeFile(name, ended);
    const lock = await acquireLock(path);
    assert.deepEqual(JSON.parse(await readFile(path, "utf8")), await thisProcess());
    await lock.release();
    assert.deepEqual(await readdir(folder), []);
  });

  it("says that it cannot be made", async () => {
    await writeFile(path, "");
    await rejectsCode(acquireLock(join(path, "below")), "STORAGE_FAILED");
  });
});

describe("a process's identity", () => {
  it("tells a running process from one that ended", async () => {
    assert.equal(await livenessOf(await thisProcess()), "running");
    assert.equal(await livenessOf(await endedProcess()), "ended");
  });

  it("tells one that ended and whose parent never asks", async function () {
    const here = await thisProcess();
    if (here.startTicks === undefined) this.skip();
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const { startTicks: _, ...zombie } = { ...here, pid: Number(line.toString()) };
      // The shell would ask about its child; what it becomes does not.
      while ((await readFile(`/proc/${parent.pid}/comm`, "utf8")) !== "sleep\n") await pause();
      assert.equal(await livenessOf(zombie), "running");
      process.kill(zombie.pid, "SIGKILL");
      while ((await readFile(`/proc/${zombie.pid}/stat`, "utf8")).split(") ")[1]?.startsWith("Z") !== true)
        await pause();
      assert.equal(await livenessOf({ ...zombie, startTicks: "1" }), "ended");
      assert.equal(await livenessOf(zombie), "ended");
    } finally {
      parent.kill();
    }
  });
});

describe(`a lock that ${CONTENDERS} processes want at once`, function () {
  this.timeout(120_000);
  let folder: string;
  let path: string;
  const contenders: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-contention-"));
    path = join(folder, "lock");
    for (let made = 0; made < CONTENDERS; made++)
      contenders.push(
        fork(new URL("./lock-contender.ts", import.meta.url), {
          execArgv: ["--disable-warning=ExperimentalWarning"],
        }),
      );
    await Promise.all(contenders.map((contender) => once(contender, "message")));
  });
  after(async () => {
    for (const contender of contenders) contender.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const tell = async (contender: ChildProcess, order: Order): Promise<Outcome> => {
    const answer = once(contender, "message");
    contender.send(order);
    return ((await answer) as [Outcome])[0];
  };

  for (const [what, plant] of [
    ["free", () => Promise.resolve()],
    ["left by a process that ended", async () => writeFile(path, JSON.stringify(await endedProcess()))],
    ["torn", () => writeFile(path, '{"pid":')],
  ] as const) {
    it(`and that is ${what} goes to exactly one of them, each time`, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await plant();
        const outcomes = await Promise.all(contenders.map((one) => tell(one, { do: "acquire", path })));
        assert.equal(outcomes.filter(({ held }) => held).length, 1, JSON.stringify(outcomes));
        const winner = contenders[outcomes.findIndex(({ held }) => held)]!;
        for (const { held, refusal } of outcomes) if (!held) assert.equal(refusal, "STORAGE_LOCKED");
        for (const one of contenders.filter((other) => other !== winner).slice(0, 2))
          assert.equal((await tell(one, { do: "acquire", path })).holder, winner.pid);
        await tell(winner, { do: "release" });
        assert.deepEqual(await readdir(folder), []);
      }
    });
  }

  it("keeps a count that all of them add to", async () => {
    const counter = join(folder, "counter");
    await writeFile(counter, "0");
    const order = { do: "count", path, counter, times: ROUNDS } as const;
    const outcomes = await Promise.all(contenders.map((one) => tell(one, order)));
    assert.deepEqual(
      outcomes.map(({ refusal }) => refusal),
      outcomes.map(() => undefined),
    );
    assert.equal(await readFile(counter, "utf8"), String(CONTENDERS * ROUNDS));
  });
});
