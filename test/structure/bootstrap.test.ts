import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";

interface Installed {
  runsTypeScript(version: string): boolean;
  missingPackages(root: string, install?: "roles" | "full"): string[];
  installToMake(needed: "roles" | "full", root: string): "roles" | "full";
}
interface LockEntry {
  readonly version: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optional?: boolean;
  readonly dev?: boolean;
}

const bin = fileURLToPath(new URL("../../bin/", import.meta.url));
const { runsTypeScript, missingPackages, installToMake } = (await import(
  new URL("../../bin/install/installed.mjs", import.meta.url).href
)) as Installed;
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

describe("missing packages of the roles", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "verisum-bootstrap-"))));
  afterEach(() => rmSync(root, { recursive: true }));

  const runtime = { "node_modules/a": { version: "1.0.0" } };
  const compiler = { "node_modules/compiler": { version: "1.0.0", dev: true } };

  it("exclude development packages", () => {
    writeClone(root, { ...runtime, ...compiler }, runtime);
    assert.deepEqual(missingPackages(root, "roles"), []);
    assert.deepEqual(missingPackages(root, "full"), ["node_modules/compiler"]);
  });

  it("include what roles run with", () => {
    writeClone(root, { ...runtime, ...compiler }, {});
    assert.deepEqual(missingPackages(root, "roles"), ["node_modules/a"]);
  });

  it("are installed without development packages, unless there are some already", () => {
    writeClone(root, { ...runtime, ...compiler }, {});
    assert.equal(installToMake("roles", root), "roles");
    assert.equal(installToMake("full", root), "full");
    writeClone(root, { ...runtime, ...compiler }, compiler);
    assert.equal(installToMake("roles", root), "full");
  });
});

/** A clone in the folder whose lock file names `locked`, with `installed` in node_modules. */
function writeClone(
  root: string,
  locked: Readonly<Record<string, LockEntry>>,
  installed: Readonly<Record<string, LockEntry>>,
): void {
  writeFileSync(join(root, "package-lock.json"), JSON.stringify({ packages: locked }));
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(join(root, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
  for (const path of Object.keys(installed)) {
    mkdirSync(join(root, path), { recursive: true });
    writeFileSync(join(root, path, "package.json"), "{}");
  }
}

/** An npm that writes down what it was asked and installs whatever is locked. */
const NPM = `
const { cpSync, mkdirSync, readFileSync, writeFileSync } = require("node:fs");
writeFileSync("npm-was-asked", process.argv.slice(2).join(" "));
const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
for (const path of Object.keys(packages)) {
  mkdirSync(path, { recursive: true });
  writeFileSync(path + "/package.json", "{}");
}
writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
`;

describe("the two installs", function () {
  this.timeout(30_000);
  let root: string;
  const runtime = { "node_modules/a": { version: "1.0.0" } };
  const compiler = { "node_modules/compiler": { version: "1.0.0", dev: true } };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "verisum-bootstrap-"));
    cpSync(bin, join(root, "bin"), { recursive: true });
    for (const name of ["auditor/cli.ts", "demo/demo.ts"]) {
      mkdirSync(join(root, name, ".."), { recursive: true });
      writeFileSync(join(root, name), "process.stdout.write(process.argv.slice(2).join());");
    }
    writeFileSync(join(root, "npm-cli.js"), NPM);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function start(...args: string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly npm?: string;
  } {
    const { status, stdout } = spawnSync(process.execPath, args, {
      cwd: root,
      env: { ...process.env, npm_execpath: join(root, "npm-cli.js") },
      encoding: "utf8",
    });
    const asked = join(root, "npm-was-asked");
    return { status, stdout, ...(existsSync(asked) ? { npm: readFileSync(asked, "utf8") } : {}) };
  }

  it("start a role from an install without development packages", () => {
    writeClone(root, { ...runtime, ...compiler }, runtime);
    assert.deepEqual(start("bin/fl.mjs", "verify"), { status: 0, stdout: "verify" });
    assert.deepEqual(start("bin/bootstrap.mjs", "auditor/cli.ts", "verify"), { status: 0, stdout: "verify" });
  });

  it("get a role no development packages", () => {
    writeClone(root, { ...runtime, ...compiler }, {});
    const { status, stdout, npm } = start("bin/fl.mjs", "verify");
    assert.deepEqual([status, stdout], [0, "verify"]);
    assert.match(npm!, /^ci .*--omit=dev/);
  });

  it("get everything else the development packages", () => {
    writeClone(root, { ...runtime, ...compiler }, runtime);
    const { status, stdout, npm } = start("bin/bootstrap.mjs", "demo/demo.ts", "--stay");
    assert.deepEqual([status, stdout], [0, "--stay"]);
    assert.match(npm!, /^ci .*--include=dev/);
  });

  it("keep the development packages where a role needs another version", () => {
    writeClone(root, { ...runtime, ...compiler }, { "node_modules/a": { version: "0.9.0" }, ...compiler });
    assert.match(start("bin/fl.mjs").npm!, /^ci .*--include=dev/);
  });
});

describe("an installed package", function () {
  this.timeout(30_000);
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "verisum-bootstrap-"));
    cpSync(bin, join(root, "bin"), { recursive: true });
    mkdirSync(join(root, "dist/auditor"), { recursive: true });
    writeFileSync(join(root, "dist/auditor/cli.js"), "process.stdout.write(process.argv.slice(2).join());");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const start = (
    ...args: string[]
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string } =>
    spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });

  it("runs the compiled program of a role", () => {
    const { status, stdout } = start("bin/fl.mjs", "verify");
    assert.deepEqual([status, stdout], [0, "verify"]);
  });

  it("says that a program is missing, and installs nothing", () => {
    const { status, stderr } = start("bin/fl-client.mjs");
    assert.equal(status, 70);
    assert.match(stderr, /incomplete/);
    assert.ok(!existsSync(join(root, ".toolchain")));
  });

  it("says of what it does not contain that a clone has it", () => {
    for (const args of [["demo/demo.ts"], ["--bin", "hardhat", "build"], ["auditor/cli.ts"]]) {
      const { status, stderr } = start("bin/bootstrap.mjs", ...args);
      assert.equal(status, 64);
      assert.match(stderr, /clone of the repository/);
    }
  });
});

describe("the bootstrap", function () {
  this.timeout(30_000);
  const exitCode = (...args: string[]): number | null =>
    spawnSync(process.execPath, [join(bin, "bootstrap.mjs"), ...args], { stdio: "ignore" }).status;

  it("exits with 64 without a target", () => assert.equal(exitCode(), 64));
  it("exits with 64 for a file that does not exist", () => assert.equal(exitCode("scripts/no-such-file.ts"), 64));
  it("exits with 64 for a program no dependency offers", () => assert.equal(exitCode("--bin", "no-such-program"), 64));
  it("passes on a success", () => assert.equal(exitCode("--bin", "mocha", "--version"), 0));
  it("passes on a failure", () => assert.equal(exitCode("--bin", "mocha", "no-such-file"), 1));
});
