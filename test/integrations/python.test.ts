/** The Python package, by its own tests and against checkpoints as they are published here. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { encodeCar } from "../../content/car.ts";
import { buildDirectory } from "../../content/profile.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { PACKAGE, PYTHON, python } from "../support/python.ts";

const TENSORS = [
  { name: "w", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: "b", shape: [2], data: Float32Array.of(1.5, -2) },
];
const MIB = 1 << 20;
/** Files of so many bytes, all of them 7: below, at and above the borders of leaves. */
const SIZES: readonly Readonly<Record<string, number>>[] = [
  { a: 0 },
  { a: 1, b: MIB, "long name with ümlaut": MIB + 1 },
  { z: 3, A: 3, a: 3, ä: 3 },
  { a: 5 * MIB },
  { a: 2 * MIB, b: 2 * MIB },
];

describe("the Python package", function () {
  this.timeout(300_000);
  let folder: string | undefined;
  before(async function () {
    if (PYTHON === undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "verisum-python-"));
    await publish(folder);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("passes its tests, on checkpoints that this project published", async () => {
    const { status, stdout, stderr } = await python(["-m", "pytest", "-q", "-rs", PACKAGE], {
      VERISUM_PUBLISHED: folder!,
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /[0-9]+ passed/);
  });

  it("has types that mypy finds nothing in", async function () {
    if ((await python(["-m", "mypy", "--version"])).status !== 0) return this.skip();
    const { status, stdout } = await python(["-m", "mypy"], {}, PACKAGE);
    assert.equal(status, 0, stdout);
  });
});

/** A checkpoint as a folder, as a CAR and by its CID; and the CIDs of folders of many sizes. */
async function publish(to: string): Promise<void> {
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const files = {
    "config.json": json({ format: "verisum-checkpoint-2", round: 3, metrics: null }),
    "topology.json": json({
      model: { kind: "external" },
      tensors: TENSORS.map(({ name, shape }) => ({ name, shape })),
    }),
    "model.safetensors": encodeSafetensors(TENSORS),
    "state.bin": new Uint8Array(3 * MIB),
  };
  const { root, blocks } = await buildDirectory(files);
  await mkdir(join(to, "checkpoint"));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(to, "checkpoint", name), bytes);
  await writeFile(join(to, "cid.txt"), `${root.toString()}\n`);
  await writeFile(join(to, "checkpoint.car"), encodeCar(root, blocks));
  const cases = [];
  for (const sizes of SIZES) {
    const built = await buildDirectory(
      Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, new Uint8Array(size).fill(7)])),
    );
    cases.push({ files: sizes, cid: built.root.toString() });
  }
  await writeFile(join(to, "sizes.json"), JSON.stringify(cases));
}
