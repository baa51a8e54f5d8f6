import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const UNITS = globSync("docs/systemd/*.service", { cwd: ROOT }).sort();

/** What a unit sets, by section and name; lists of one name in order. */
function settingsOf(unit: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>();
  let section = "";
  for (const line of readFileSync(join(ROOT, unit), "utf8").split("\n")) {
    const [, header] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    assert.ok(line === "" || line.startsWith("#") || header !== undefined || name !== undefined, `${unit}: ${line}`);
    section = header ?? section;
    if (name !== undefined) settings.set(`${section}.${name}`, [...(settings.get(`${section}.${name}`) ?? []), value!]);
  }
  return settings;
}

describe("units for systemd", () => {
  it("are there for each role that runs on", () => {
    assert.deepEqual(
      UNITS.map((unit) => /verisum-(\w+)\.service$/.exec(unit)?.[1]),
      ["aggregator", "client", "member"],
    );
  });

  for (const unit of UNITS)
    it(`${unit} gives the role a private directory, its key, and options that the command has`, () => {
      const settings = settingsOf(unit);
      const role = /verisum-(\w+)\.service$/.exec(unit)![1]!;
      const [start] = settings.get("Service.ExecStart")!;
      assert.deepEqual(settings.get("Service.StateDirectory"), [`verisum/${role}`]);
      assert.deepEqual(settings.get("Service.StateDirectoryMode"), ["0700"]);
      assert.ok(start!.includes(` --key /etc/verisum/${role}.key `));
      const [, program, command] = /^\/usr\/bin\/env (\S+) (\S+) /.exec(start!)!;
      const help = spawnSync(process.execPath, [join(ROOT, `bin/${program}.mjs`), command!, "--help"]);
      const options = [...start!.matchAll(/ (--[a-z-]+)/g)].map(([, option]) => option!);
      assert.ok(options.length >= 4);
      for (const option of options) assert.ok(String(help.stdout).includes(option), option);
    });

  it("are taken by systemd", function () {
    this.timeout(30_000);
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) this.skip();
    const checked = spawnSync("systemd-analyze", ["verify", "--man=no", ...UNITS.map((unit) => join(ROOT, unit))]);
    assert.equal(checked.status, 0, String(checked.stderr));
    assert.equal(String(checked.stderr).includes("docs/systemd"), false, String(checked.stderr));
  });
});
