import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { withOwnLibrary } from "../../scripts/packing/assets.ts";
import { brokenImports } from "../../scripts/packing/broken-imports.ts";
import { rewritten } from "../../scripts/packing/rewrite.ts";

describe("what the compiler leaves", () => {
  it("names a worker by its compiled file, and only a worker", () => {
    const worker = 'new Worker(new URL("./kernel-worker.ts", import.meta.url), options)';
    assert.equal(rewritten("proving/x.js", worker), worker.replace(".ts", ".js"));
    for (const other of ['new URL("../package.json", import.meta.url)', 'read("./kernel-worker.ts", import.meta.url)'])
      assert.equal(rewritten("proving/x.js", other), other);
  });

  it("imports compiled files in declarations as well, inline types included", () => {
    assert.equal(
      rewritten("a/b.d.ts", 'import type { C } from "../c.ts";\nexport type D = import("./d.ts").D;\n'),
      'import type { C } from "../c.js";\nexport type D = import("./d.js").D;\n',
    );
  });

  it("finds the types of a package that has none", () => {
    const text = 'import type { WasmCurve } from "ffjavascript";\n';
    assert.equal(
      rewritten("task/keys.d.ts", text),
      `/// <reference path="../proving/curve/ffjavascript.d.ts" />\n${text}`,
    );
  });

  it("includes circomlib from a folder of the package", () => {
    const { source, included } = withOwnLibrary(
      'include "./sum.circom";\ninclude "../../node_modules/circomlib/circuits/bitify.circom";\n',
    );
    assert.equal(source, 'include "./sum.circom";\ninclude "../circomlib/bitify.circom";\n');
    assert.deepEqual(included, ["bitify.circom"]);
  });
});

describe("imports of the packed files", () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), "verisum-pack-"))));
  afterEach(() => rm(root, { recursive: true }));

  async function broken(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const manifest = { dependencies: { ethers: "1" }, devDependencies: { hardhat: "1" } };
    for (const [name, text] of Object.entries({ "../package.json": JSON.stringify(manifest), ...files })) {
      const path = join(root, "dist", name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    return brokenImports(root, join(root, "dist"));
  }

  it("may be of dependencies, of Node and of each other", async () => {
    const text = 'import { a } from "ethers";\nimport fs from "node:fs";\nimport "./b.js";\nawait import("./b.js");\n';
    assert.deepEqual(
      await broken({ "a.js": text, "b.js": "", "b.d.ts": "", "a.d.ts": 'export { B } from "./b.js";' }),
      [],
    );
  });

  const refused: Readonly<Record<string, string>> = {
    "a development package": 'import {\n  a,\n} from "hardhat";',
    "a development package, at run time": 'const { a } = await import("hardhat");',
    "a source": 'import "./b.ts";',
    "a file that is not there": 'export { b } from "./c.js";',
    "a worker that is not there": 'new Worker(new URL("./worker.ts", import.meta.url));',
  };
  for (const [name, text] of Object.entries(refused)) {
    it(`must not be of ${name}`, async () => assert.equal((await broken({ "a.js": text, "b.js": "" })).length, 1));
  }
});
