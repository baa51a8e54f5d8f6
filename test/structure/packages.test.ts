import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { COMPILER_VERSION } from "../../proving/groth16/circom.ts";

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const entries = Object.entries(lock.packages).filter(([path]) => path !== "");

/** Compilers, networks and tools of tests: what only a full install has. */
const DEVELOPMENT =
  /^node_modules\/(@foundry-rs\/.*|@nomicfoundation\/.*|@typescript-eslint\/.*|@esbuild\/.*|hardhat|solc|circom2|circomlib|circomlibjs|snarkjs|typescript|esbuild|eslint|mocha|prettier|playwright-core)$/;

describe("the lock file", () => {
  it("needs no compiler and no test tool where roles run", () => {
    assert.deepEqual(
      entries.filter(([path, { dev }]) => DEVELOPMENT.test(path) && dev !== true).map(([path]) => path),
      [],
    );
  });

  it("names no registry", () => {
    for (const [path, { resolved }] of entries) {
      assert.equal(resolved, undefined, path);
    }
  });

  it("has the circuit compiler that an operator is told to install", () => {
    assert.equal(lock.packages["node_modules/circom2"]?.version, COMPILER_VERSION);
  });

  // npm keeps only the running platform's native packages when it rewrites the file.
  it("has the native packages of every platform", () => {
    for (const [path, { optionalDependencies = {} }] of entries) {
      for (const name of Object.keys(optionalDependencies)) {
        const nested = `${path}/node_modules/${name}`;
        const found = nested in lock.packages || `node_modules/${name}` in lock.packages;
        assert.ok(found, `${path} lacks ${name}`);
      }
    }
  });
});
