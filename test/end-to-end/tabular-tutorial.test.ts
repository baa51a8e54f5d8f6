/** The commands of docs/tabular-tutorial.md, as they stand there. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { after, before, describe, it } from "mocha";
import { ROOT } from "../../scripts/testing/plan.ts";
import { PYTHON } from "../support/python.ts";

/** Of each command, what tells that it did what the page says, and the status that it ends with. */
const EXPECTED: readonly (readonly [RegExp, RegExp, number])[] = [
  [/^pip download /, /^/, 0],
  [/^python -m zipfile /, /^/, 0],
  [/inspect --data \S*csv$/, /DATASET_HEADER_UNCLEAR/, 1],
  [
    /inspect --data "\S*classes=0,1"$/,
    /456 training and 113 test examples of 30 values[^]*right in 62\.8 % of the test data[^]*same of 11 columns/,
    0,
  ],
  [/--schema-from /, /"label": "31"/, 0],
  [/inspect --task /, /the task takes 30 inputs and 2 classes; here are 30 and 2 classes: fits/, 0],
  [
    /^npm run demo /,
    /federated 9\d\.\d % \(majority class 62\.8 %\), all data in one place without noise 9\d\.\d %; 5 rounds[^]*per example: epsilon 3\.00 at delta 0\.00001[^]*Every round verified from chain and IPFS alone/,
    0,
  ],
  [/^node experiments\/federated-gap/, /majority class 62\.8 %[^]*behind by -?\d\.\d \(95 % confidence/, 0],
];

describe("the tutorial on a table", function () {
  this.timeout(1_200_000);
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  let commands: readonly string[];
  before(async function () {
    if (PYTHON === undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "verisum-tutorial-"));
    // The page's `python` and `pip`, by the names that the page has.
    const bin = join(folder, "bin");
    await mkdir(bin);
    const program = spawnSync(PYTHON, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout.trim();
    for (const [name, line] of [
      ["python", `exec '${program}' "$@"`],
      ["pip", `exec '${program}' -m pip "$@"`],
    ] as const) {
      await writeFile(join(bin, name), `#!/bin/sh\n${line}\n`);
      await chmod(join(bin, name), 0o755);
    }
    const path = [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    environment = { ...process.env, PATH: path };
    const page = await readFile(join(ROOT, "docs/tabular-tutorial.md"), "utf8");
    commands = [...page.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) =>
      block!.replaceAll("\\\n", " ").trim().split("\n"),
    );
    // A machine without the registry cannot have the table.
    if ((await run(commands[0]!)).status !== 0) return this.skip();
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("has commands that do what it says, in its order", async () => {
    assert.equal(commands.length, EXPECTED.length);
    for (const [i, [command, result, status]] of EXPECTED.entries()) {
      assert.match(commands[i]!, command);
      if (i === 0) continue;
      const ran = await run(commands[i]!);
      assert.equal(ran.status, status, `${commands[i]}\n${ran.out}`);
      assert.match(ran.out, result);
    }
  });

  it("has a task whose description of tables is the one that the table proposes", async () => {
    const { out } = await run(commands.find((command) => command.includes("--schema-from"))!);
    const proposed = JSON.parse(out.slice(out.indexOf("\n{") + 1, out.lastIndexOf("\n}") + 2)) as { data: unknown };
    const task = JSON.parse(await readFile(join(ROOT, "tasks/breast-cancer.json"), "utf8")) as {
      document: { data: unknown };
    };
    assert.deepEqual(task.document.data, proposed.data);
  });

  /** In the repository, with what is the reader's own in the test's folder. */
  async function run(command: string): Promise<{ readonly status: number | null; readonly out: string }> {
    const line = command.replaceAll(".verisum/tutorial", `${folder}/tutorial`);
    const child = spawn("sh", ["-c", line], { cwd: ROOT, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { status: child.exitCode, out: stripVTControlCharacters(`${out}\n${errors}`) };
  }
});
