import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { readonly version: string };
/** What a user waits for before a word is said, in seconds of processor time. */
const LIMIT_SECONDS = 0.25;
/** Makes a process say on stderr what processor time it took. */
const METER = `data:text/javascript,process.on("exit",()=>{const{user,system}=process.cpuUsage();process.stderr.write(String((user+system)/1e6))})`;

function start(program: string, ...args: readonly string[]): { readonly stdout: string; readonly seconds: number } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", METER, `bin/${program}.mjs`, ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return { stdout, seconds: Number(stderr) };
}

describe("the start of a command", function () {
  this.timeout(60_000);

  const helps: Readonly<Record<string, readonly string[]>> = {
    fl: ["verify", "status", "pull", "keygen", "doctor", "dp account", "dp noise"],
    "fl-client": ["join", "data"],
    "fl-aggregator": ["member", "serve"],
    "fl-operator": ["create-task", "deploy", "deploy-group", "add-member", "add-client", "list", "open", "invite"],
  };

  for (const [program, commands] of Object.entries(helps)) {
    it(`says what ${program} is for in less than ${LIMIT_SECONDS} s of processor time`, () => {
      const runs = Array.from({ length: 5 }, () => start(program, "--help"));
      for (const { stdout } of runs) assert.match(stdout, new RegExp(`^Usage: ${program} `));
      const least = Math.min(...runs.map(({ seconds }) => seconds));
      assert.ok(least <= LIMIT_SECONDS, `${least} s`);
    });

    it(`says which version ${program} is`, () => assert.equal(start(program, "--version").stdout, `${version}\n`));

    for (const command of commands) {
      it(`says what ${program} ${command} takes`, () => {
        const { stdout } = start(program, ...command.split(" "), "--help");
        assert.match(stdout, new RegExp(`^Usage: ${program} ${command} `));
      });
    }
  }
});
