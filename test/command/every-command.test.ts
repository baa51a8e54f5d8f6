/** What holds of every command that there is, whatever it does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
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
    "predict",
    "evaluate",
    "history",
    "statistics",
    "keygen",
    "dashboard",
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
  "scripts/coverage.ts": [],
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

/** Options that take a value, each with its value's name and what a command's help says of it. */
const describedOptions = (help: string): { option: string; value: string; text: string }[] =>
  help.split(/^ {2}(?=-)/m).flatMap((block) => {
    const [, option, value] = /^(?:-\w, )?(--[\w-]+) <([^>]+)>/.exec(block) ?? [];
    return option === undefined ? [] : [{ option, value: value!, text: block.replaceAll(/\s+/g, " ") }];
  });

const NO_NUMBERS = ["x", "NaN", "1e999", "3 4", "0x", "1_0"];
/** What is wrong wherever help names a value so. */
const WRONG: Readonly<Record<string, readonly string[]>> = {
  url: ["nonsense", "ws://node.example", "ftp://node.example", "http://", "http://[::1"],
  address: ["x", "0x", `0x${"12".repeat(19)}`, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD".replace("5aA", "5AA")],
  "address[:weight]": ["x", `0x${"12".repeat(20)}:`, `0x${"12".repeat(20)}:0`, `0x${"12".repeat(20)}:abc`],
  time: ["x", "7", "0d", "7w", "-1d", "1.5h"],
  "token-file": ["missing", "."],
  "host:port": ["x", "127.0.0.1", "127.0.0.1:65536", ":80", "127.0.0.1:x"],
  ...Object.fromEntries(
    ["n", "a", "e", "d", "q", "seconds", "bits", "sizes", "counts", "quantile", "list", "ether", "gwei"].map(
      (value) => [value, NO_NUMBERS],
    ),
  ),
};
/** What nobody can tell from a good value before it is used, and a word that would do at parsing. */
const FREE: Readonly<Record<string, string>> = Object.fromEntries(
  ["file", "directory", "folder", "spec", "data", "name", "text", "hex", "path", "line"].map((value) => [
    value,
    "word",
  ]),
);

describe("every command", function () {
  this.timeout(120_000);
  for (const [file, commands] of Object.entries(PROGRAMS)) {
    const words = (commands.length === 0 ? [""] : commands).map((text) => text.split(" ").filter(Boolean));
    const helps = new Map<readonly string[], string>();
    const loadHelps = (): void => {
      if (helps.size > 0) return;
      const results = runLines(
        file,
        words.map((command) => [...command, "--help"]),
      );
      results.forEach(({ status, stdout }, i) => {
        assert.equal(status, 0, `${file} ${words[i]!.join(" ")} --help`);
        helps.set(words[i]!, stdout);
      });
    };

    it(`of ${file} prints its help`, () => {
      loadHelps();
      for (const [command, help] of helps)
        assert.match(help, new RegExp(`^Usage: \\S+ ${[...command, "\\["].join(" ")}`));
    });

    it(`of ${file} refuses a blank value and a secret key in every option, and never shows the key`, () => {
      loadHelps();
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

    it(`of ${file} refuses values of another kind, and options given twice, by name before it does anything`, () => {
      loadHelps();
      const cases = [...helps].flatMap(([command, help]) =>
        describedOptions(help).flatMap(({ option, value, text }) => {
          const wrong = text.includes("(choices: ") ? ["nonsense"] : (WRONG[value] ?? []);
          const word = /repeat(ed| it)/.test(text) || wrong.length > 0 ? undefined : FREE[value];
          return [
            ...wrong.map((given) => ({ line: [...command, option, given], option, given })),
            ...(word === undefined
              ? []
              : [{ line: [...command, option, word, option, "again"], option, given: "again" }]),
          ];
        }),
      );
      runLines(
        file,
        cases.map(({ line }) => line),
      ).forEach(({ status, stderr }, i) => {
        const { line, option, given } = cases[i]!;
        assert.equal(status, 4, `${file} ${line.join(" ")}: ${stderr}`);
        assert.match(stderr, /^✗ USAGE: option '/, line.join(" "));
        assert.ok(stderr.includes(`${option} `) && stderr.includes(`'${given}'`), `${line.join(" ")}: ${stderr}`);
        assert.match(stderr, /' is invalid\. .{15,}/, line.join(" "));
      });
    });

    it(`of ${file} has no option whose kind of value this test does not know`, () => {
      loadHelps();
      for (const help of helps.values())
        for (const { option, value, text } of describedOptions(help))
          assert.ok(value in WRONG || value in FREE || text.includes("(choices: "), `${option} <${value}>`);
    });

    it(`of ${file} refuses what it does not know, and shows no secret that it was given`, () => {
      loadHelps();
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
