/** What holds of every command that there is, whatever it does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { before, describe, it } from "mocha";
import type { CommandLineResult } from "../support/command-lines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SECRETS = ["hunter2", "topsecret", "abcdef99"];
const RPC = "ws://user:hunter2@node.example:8545/v3/topsecret?apikey=abcdef99";
const KEY = `0x${"5eC4".repeat(16)}`;

/** Every program with its commands; none where the program is the command. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "auditor/cli.ts": [
    "verify",
    "status",
    "pull",
    "keygen",
    "doctor",
    "dp account",
    "dp noise",
    "setup import",
    "setup contribute",
    "setup verify",
    "setup export",
  ],
  "client/cli.ts": ["join", "data inspect"],
  "aggregator/cli.ts": ["member", "serve"],
  "operator/cli.ts": ["create-task", "deploy", "deploy-group", "add-member", "add-client", "list", "open", "invite"],
  "demo/demo.ts": [],
  "experiments/bench.ts": [],
  "experiments/cells.ts": [],
  "experiments/load.ts": [],
  "experiments/simulate.ts": [],
  "scripts/build.ts": [],
  "scripts/generate.ts": [],
  "scripts/mutate.ts": [],
};

function runLines(file: string, lines: readonly (readonly string[])[]): readonly CommandLineResult[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "test/support/command-lines.ts", file, JSON.stringify(lines)],
    { cwd: ROOT, encoding: "utf8" },
  );
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as CommandLineResult[];
}

/** Options that take a value, by a command's help. */
const valuedOptions = (help: string): string[] =>
  [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+) </gm)].map(([, option]) => option!);

describe("every command", function () {
  this.timeout(120_000);
  for (const [file, commands] of Object.entries(PROGRAMS)) {
    const words = (commands.length === 0 ? [""] : commands).map((text) => text.split(" ").filter(Boolean));
    const helps = new Map<readonly string[], string>();
    before(() => {
      const results = runLines(
        file,
        words.map((command) => [...command, "--help"]),
      );
      results.forEach(({ status, stdout }, i) => {
        assert.equal(status, 0, `${file} ${words[i]!.join(" ")} --help`);
        helps.set(words[i]!, stdout);
      });
    });

    it(`of ${file} prints its help`, () => {
      for (const [command, help] of helps)
        assert.match(help, new RegExp(`^Usage: \\S+ ${[...command, "\\["].join(" ")}`));
    });

    it(`of ${file} refuses a blank value and a secret key in every option, and never shows the key`, () => {
      const cases = [...helps].flatMap(([command, help]) =>
        valuedOptions(help).flatMap((option) => [
          { line: [...command, option, ""], remedy: /is blank/ },
          { line: [...command, `${option}=  `], remedy: /is blank/ },
          { line: [...command, option, KEY], remedy: /VERISUM_KEY/ },
          { line: [...command, `${option}=${KEY.slice(2)}`], remedy: /VERISUM_KEY/ },
        ]),
      );
      const results = runLines(
        file,
        cases.map(({ line }) => line),
      );
      results.forEach(({ status, stdout, stderr }, i) => {
        const { line, remedy } = cases[i]!;
        assert.equal(status, 4, `${file} ${line.join(" ")}: ${stderr}`);
        assert.match(stderr, /^✗ USAGE: /);
        assert.match(stderr, remedy, line.join(" "));
        assert.ok(!(stdout + stderr).includes("5eC45eC4"), stderr);
      });
    });

    it(`of ${file} refuses what it does not know, and shows no secret that it was given`, () => {
      const unknown = ["--rpcc", "https://user:hunter2@node.example/v3/topsecret?apikey=abcdef99"];
      const cases = [...helps].flatMap(([command, help]) => [
        [...command, ...unknown],
        [...command, unknown.join("=")],
        [...command, KEY],
        ...(valuedOptions(help).includes("--rpc") ? [[...command, "--rpc", RPC]] : []),
      ]);
      runLines(file, cases).forEach(({ status, stdout, stderr }, i) => {
        assert.equal(status, 4, `${file} ${cases[i]!.join(" ")}: ${stderr}`);
        assert.match(stderr, /^✗ USAGE: /);
        for (const secret of [...SECRETS, KEY]) assert.ok(!(stdout + stderr).includes(secret), stderr);
      });
    });
  }

  it("is in this list", () => {
    const { scripts } = JSON.parse(spawnSync("cat", ["package.json"], { cwd: ROOT, encoding: "utf8" }).stdout) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const started = Object.values(scripts).flatMap((line) => /bootstrap\.mjs (\S+\.ts)/.exec(line)?.[1] ?? []);
    /** They are told what to do by words, not by options; the last one packs. */
    const others = ["scripts/test.ts", "scripts/test-watch.ts", "scripts/pack.ts"];
    assert.deepEqual(
      started.filter((file) => !(file in PROGRAMS) && !others.includes(file) && !file.startsWith("test/")),
      [],
    );
  });
});
