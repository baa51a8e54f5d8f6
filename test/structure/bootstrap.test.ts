import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";

interface Bootstrap {
  runsTypeScript(version: string): boolean;
  missingPackages(root: string): string[];
}
interface LockEntry {
  readonly version: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optional?: boolean;
}

const file = new URL("../../bin/bootstrap.mjs", import.meta.url);
const { runsTypeScript, missingPackages } = (await import(file.href)) as Bootstrap;
const otherPlatform = process.platform === "linux" ? "darwin" : "linux";

describe("the Node versions that run TypeScript", () => {
  const expected = {
    "18.20.8": false,
    "20.20.2": false,
    "22.17.1": false,
    "22.18.0": true,
    "22.23.3": true,
    "23.5.0": false,
    "23.6.0": true,
    "24.0.0": true,
    "26.10.0": true,
  };
  for (const [version, isEnough] of Object.entries(expected)) {
    it(`${isEnough ? "include" : "exclude"} ${version}`, () => assert.equal(runsTypeScript(version), isEnough));
  }
});

describe("missing packages", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "verisum-bootstrap-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  const lock = (path: string, packages: Readonly<Record<string, LockEntry>>): void =>
    writeFileSync(join(root, path), JSON.stringify({ packages }));
  function install(packages: Readonly<Record<string, LockEntry>>): void {
    for (const path of Object.keys(packages)) {
      mkdirSync(join(root, path), { recursive: true });
      writeFileSync(join(root, path, "package.json"), "{}");
    }
    mkdirSync(join(root, "node_modules"), { recursive: true });
    lock("node_modules/.package-lock.json", packages);
  }
  const a = { "node_modules/a": { version: "1.0.0" } };
  const native = {
    "node_modules/native": { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] },
  };

  it("are all of them where nothing is installed", () => {
    lock("package-lock.json", { ...a, ...native });
    assert.deepEqual(missingPackages(root), ["node_modules/a", "node_modules/native"]);
  });

  it("are none after a complete install", () => {
    lock("package-lock.json", { ...a, ...native });
    install({ ...a, ...native });
    assert.deepEqual(missingPackages(root), []);
  });

  it("include an optional native package of this platform that npm left out", () => {
    lock("package-lock.json", { ...a, ...native });
    install(a);
    assert.deepEqual(missingPackages(root), ["node_modules/native"]);
  });

  it("exclude packages of another system or processor", () => {
    lock("package-lock.json", {
      ...a,
      "node_modules/b": { version: "1.0.0", os: [otherPlatform] },
      "node_modules/c": { version: "1.0.0", cpu: ["none"] },
      "node_modules/d": { version: "1.0.0", os: [`!${process.platform}`] },
    });
    install(a);
    assert.deepEqual(missingPackages(root), []);
  });

  it("include a package whose locked version changed", () => {
    lock("package-lock.json", { "node_modules/a": { version: "1.0.1" } });
    install(a);
    assert.deepEqual(missingPackages(root), ["node_modules/a"]);
  });

  it("include a package whose folder was deleted", () => {
    lock("package-lock.json", a);
    install(a);
    rmSync(join(root, "node_modules/a"), { recursive: true });
    assert.deepEqual(missingPackages(root), ["node_modules/a"]);
  });
});

describe("the bootstrap", function () {
  this.timeout(30_000);
  const exitCode = (...args: string[]): number | null =>
    spawnSync(process.execPath, [fileURLToPath(file), ...args], { stdio: "ignore" }).status;

  it("exits with 64 without a target", () => assert.equal(exitCode(), 64));
  it("exits with 64 for a file that does not exist", () => assert.equal(exitCode("scripts/no-such-file.ts"), 64));
  it("exits with 64 for a program no dependency offers", () => assert.equal(exitCode("--bin", "no-such-program"), 64));
  it("passes on a success", () => assert.equal(exitCode("--bin", "mocha", "--version"), 0));
  it("passes on a failure", () => assert.equal(exitCode("--bin", "mocha", "no-such-file"), 1));
});
