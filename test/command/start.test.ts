import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { readonly version: string };
/** What a user waits for before a word is said: packages, and files of our own. */
const LIGHT_PACKAGES = ["@noble/hashes", "commander", "picocolors"];
const MOST_FILES = 60;
/** Makes a process say on stderr which modules it loaded. */
const WITNESS = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const loaded = new Set();
  registerHooks({ load: (url, context, next) => (loaded.add(url), next(url, context)) });
  process.on("exit", () => process.stderr.write([...loaded].join("\\n")));
`)}`;

function start(program: string, ...args: readonly string[]): { readonly stdout: string; readonly loaded: string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", WITNESS, `bin/${program}.mjs`, ...args], {
    cwd: ROOT,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return { stdout, loaded: stderr.split("\n").filter((url) => url.startsWith("file:")) };
}

/** The package that a module belongs to; undefined for our own. */
function packageOf(url: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/u.exec(url)?.[1];
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
    it(`says what ${program} is for before it loads what the commands need`, () => {
      const { stdout, loaded } = start(program, "--help");
      assert.match(stdout, new RegExp(`^Usage: ${program} `));
      const packages = new Set(loaded.map(packageOf).filter((name) => name !== undefined));
      assert.deepEqual([...packages].sort(), LIGHT_PACKAGES);
      const files = loaded.filter((url) => packageOf(url) === undefined).length;
      assert.ok(files > 0 && files <= MOST_FILES, `${files} files`);
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
