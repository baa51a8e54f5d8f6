import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { checksOf } from "../../../proving/node/check-record.ts";

const RELEASE = "1.2.3";
const CONTENTS = ["proving key", "powers"].map((text) => new TextEncoder().encode(text));
const OTHER = [CONTENTS[0]!, new TextEncoder().encode("others")];

describe("the record of checks that passed", function () {
  this.timeout(20_000);
  let home: string;
  let directory: string;
  let made: number;
  const processes: ChildProcess[] = [];
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "verisum-checks-"));
    directory = join(home, "cache", "checked-keys");
    made = 0;
  });
  afterEach(async () => {
    for (const child of processes.splice(0)) child.kill("SIGKILL");
    await rm(home, { recursive: true, force: true });
  });

  /** Asks for a check, from a key folder of its own; the number of checks that were made so far. */
  async function checked(contents = CONTENTS, release = RELEASE, name = "kind"): Promise<number> {
    const checkOnce = await checksOf(join(home, "keys"), { directory, release });
    await checkOnce(name, contents, async () => void made++);
    return made;
  }

  /** The one record in the shared folder. */
  async function recordPath(): Promise<string> {
    const [name, ...more] = await readdir(directory);
    assert.deepEqual(more, []);
    return join(directory, name!);
  }

  function contender(): ChildProcess {
    const child = fork(new URL("./check-contender.ts", import.meta.url), [directory, RELEASE, "contents"], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    processes.push(child);
    return child;
  }
  const said = async (child: ChildProcess): Promise<unknown> => ((await once(child, "message")) as unknown[])[0];

  it("is the same for all folders of a user, closed to others, and leaves no lock", async () => {
    assert.equal(await checked(), 1);
    assert.equal(await checked(), 1);
    assert.equal((await stat(await recordPath())).mode & 0o777, 0o600);
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
  });

  it("is believed of the same bytes, the same check and the same release only", async () => {
    await checked();
    assert.equal(await checked(OTHER), 2);
    assert.equal(await checked(CONTENTS.toReversed()), 3);
    assert.equal(await checked(CONTENTS, RELEASE, "another kind"), 4);
    assert.equal(await checked(CONTENTS, "1.2.4"), 5);
    assert.equal(await checked(CONTENTS, RELEASE), 6, "one release's record takes the place of another's");
  });

  it("is not believed under another's name, nor damaged", async () => {
    await checked();
    const good = await recordPath();
    const text = await readFile(good, "utf8");
    await rm(good);
    await checked(OTHER);
    await rename(await recordPath(), good);
    assert.equal(await checked(), 3);
    await writeFile(good, text.replace("kind", "kine"));
    assert.equal(await checked(), 4);
  });

  it("is not believed if others could have written it", async () => {
    await checked();
    const record = await recordPath();
    await chmod(record, 0o640);
    assert.equal(await checked(), 2, "readable by the group");
    await rename(record, join(home, "elsewhere"));
    await symlink(join(home, "elsewhere"), record);
    assert.equal(await checked(), 3, "a symbolic link");
    await link(record, join(home, "second-name"));
    assert.equal(await checked(), 4, "a file with a second name");
    assert.equal(await checked(), 4, "replaced by the last check");
  });

  it("is kept beside the key folder instead where others can write the shared one", async () => {
    await mkdir(directory, { recursive: true });
    await chmod(directory, 0o777);
    assert.equal(await checked(), 1);
    assert.equal(await checked(), 1);
    assert.deepEqual(await readdir(directory), []);
    assert.equal((await stat(join(home, "keys.checked.json"))).mode & 0o777, 0o600);
    await chmod(home, 0o777);
    assert.equal(await checked(), 2, "others can write beside the folder, too");
  });

  it("is kept beside the key folder where there can be no shared one", async () => {
    await writeFile(join(home, "cache"), "");
    assert.equal(await checked(), 1);
    assert.equal(await checked(), 1);
  });

  it("says nothing of a check that failed", async () => {
    const checkOnce = await checksOf(join(home, "keys"), { directory, release: RELEASE });
    const failing = checkOnce("kind", CONTENTS, () => Promise.reject(new Error("refused")));
    await assert.rejects(failing, /refused/);
    assert.equal(await checked(), 1);
  });

  it("lets one of two processes check, and the other wait for it", async () => {
    const first = contender();
    assert.equal(await said(first), "checking");
    const second = contender();
    const outcome = said(second);
    assert.equal(await Promise.race([outcome, new Promise((resolve) => setTimeout(resolve, 1500, "waits"))]), "waits");
    first.send("go on");
    assert.equal(await said(first), "passed");
    assert.equal(await outcome, "passed");
  });

  it("has the next process check if the first is killed in the middle of it", async () => {
    const first = contender();
    assert.equal(await said(first), "checking");
    const second = contender();
    const outcome = said(second);
    first.kill("SIGKILL");
    assert.equal(await outcome, "checking");
    second.send("go on");
    assert.equal(await said(second), "passed");
    await recordPath();
  });
});
