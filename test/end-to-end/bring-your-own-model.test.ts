/** The commands of docs/bring-your-own-model.md, as they stand there. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "mocha";
import { ROOT } from "../../scripts/testing/plan.ts";
import { PYTHON, PYTHON_ENVIRONMENT } from "../support/python.ts";

/** What the page has the reader do, and what tells that it worked. Installing and joining are the reader's. */
const EXPECTED: readonly (readonly [RegExp, RegExp | undefined])[] = [
  [/^pip install /, undefined],
  [/^python .* task /, /^$/],
  [
    /^npm run demo /,
    /local: accuracy 0\.\d+, worst_digit [^]*VERIFIED [^]*Every round verified from chain and IPFS alone/,
  ],
  [/^npm run create-task /, /task/],
  [/^npm run fl-client -- join --contract \$CONTRACT /, /--trainer <line>[^]*--evaluator <line>/],
];

describe("the page on bringing one's own model", function () {
  this.timeout(1_200_000);
  let folder: string | undefined;
  let environment: NodeJS.ProcessEnv;
  before(async function () {
    if (PYTHON === undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "verisum-own-model-"));
    // The page's `python`, by the name that the page has.
    const bin = join(folder, "bin");
    await mkdir(bin);
    const program = spawnSync(PYTHON, ["-c", "import sys; print(sys.executable)"], { encoding: "utf8" }).stdout.trim();
    await writeFile(join(bin, "python"), `#!/bin/sh\nexec '${program}' "$@"\n`);
    await chmod(join(bin, "python"), 0o755);
    const path = [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter);
    environment = { ...process.env, ...PYTHON_ENVIRONMENT, PATH: path };
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("has commands that do what it says, in its order", async () => {
    const page = await readFile(join(ROOT, "docs/bring-your-own-model.md"), "utf8");
    const commands = [...page.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) =>
      block!.replaceAll("\\\n", " ").trim().split("\n"),
    );
    assert.equal(commands.length, EXPECTED.length);
    for (const [i, [command, result]] of EXPECTED.entries()) {
      assert.match(commands[i]!, command);
      if (result === undefined) continue;
      assert.match(await run(commands[i]!), result);
    }
  });

  /** In the repository, with what is the reader's own in the test's folder; of joining, its options. */
  async function run(command: string): Promise<string> {
    const line = command
      .replaceAll(".verisum/mine", `${folder!}/mine`)
      .replace(/^npm run create-task -- /, `npm run create-task -- --store ${folder!}/store `)
      .replace(/ join .*/, " join --help");
    const child = spawn("sh", ["-c", line], { cwd: ROOT, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    assert.equal(child.exitCode, 0, `${line}\n${out}\n${errors}`);
    return out;
  }
});
