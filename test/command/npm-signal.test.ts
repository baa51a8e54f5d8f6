/** SIGTERM to npm reaches what `npm run` started, though npm passes it on to a shell only. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MOST_MS = 10_000;

describe("npm run", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "verisum-npm-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("ends the program of the bootstrap at SIGTERM, and lets it end properly", async () => {
    const [program, ended] = [join(folder, "program.mjs"), join(folder, "ended")];
    await writeFile(
      program,
      `import { writeFileSync } from "node:fs";
      process.on("SIGTERM", () => { writeFileSync(${JSON.stringify(ended)}, "SIGTERM"); process.exit(0); });
      setInterval(() => undefined, 1000);
      console.log(\`pid \${process.pid}\`);`,
    );
    // The shell stays, as the one of dash does: two commands.
    const start = `node ${join(ROOT, "bin/bootstrap.mjs")} ${program}; true`;
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "a", version: "1.0.0", scripts: { start } }));
    const npm = spawn("npm", ["run", "--silent", "start"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    let pid: number | undefined;
    try {
      for await (const line of createInterface({ input: npm.stdout })) {
        pid = Number(/^pid (\d+)$/.exec(line)?.[1] ?? NaN);
        if (!Number.isNaN(pid)) break;
      }
      assert.ok(pid !== undefined && isRunning(pid));
      npm.kill("SIGTERM");
      for (let waited = 0; isRunning(pid) && waited < MOST_MS; waited += 100) await sleep(100);
      assert.equal(isRunning(pid), false);
      assert.equal(await readFile(ended, "utf8"), "SIGTERM");
    } finally {
      npm.kill("SIGKILL");
      if (pid !== undefined && isRunning(pid)) process.kill(pid, "SIGKILL");
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
