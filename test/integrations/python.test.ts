/** The Python package, by its own tests and against checkpoints as they are published here. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { encodeCar } from "../../content/car.ts";
import { buildDirectory } from "../../content/profile.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { itHasTypes, PACKAGE, PYTHON, python } from "../support/python.ts";
import { trainedCheckpoint } from "../support/trained-checkpoint.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

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
    await publishTrained(folder);
  });
  after(async () => {
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  it("passes its tests, on checkpoints that this project published", async () => {
    const { status, stdout, stderr } = await python(["-m", "pytest", "-q", "-rs", PACKAGE], {
      VERISUM_PUBLISHED: folder!,
      VERISUM_DIGITS: join(ROOT, "data/digits/digits.csv.gz"),
    });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /[0-9]+ passed/);
  });

  itHasTypes(PACKAGE);
});

const FASHION = "/usr/share/datasets/fashion-mnist";

/** Trained models of the digits, and of Fashion-MNIST where Debian's package of it is there, as rounds publish them. */
async function publishTrained(to: string): Promise<void> {
  const specification = async (name: string): Promise<{ readonly document: object }> =>
    JSON.parse(await readFile(join(ROOT, "tasks", `${name}.json`), "utf8")) as { readonly document: object };
  await writeFolder(to, "digits", (await trainedCheckpoint(await specification("digits"), "digits")).files);
  if (!(await stat(FASHION).catch(() => undefined))?.isDirectory()) return;
  const pixels = await specification("fashion-pixels");
  const training = { learningRate: 0.02, momentum: 0.9, batchSize: 32, localEpochs: 1 };
  const document = { ...pixels.document, training };
  const { files } = await trainedCheckpoint({ ...pixels, document }, `${FASHION}?samples=6000`);
  await writeFolder(to, "fashion", files);
}

/** The files, and their CID beside them. */
async function writeFolder(to: string, folder: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  await mkdir(join(to, folder));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(to, folder, name), bytes);
  await writeFile(join(to, `${folder}.txt`), `${(await buildDirectory(files)).root.toString()}\n`);
}

/** A checkpoint as a folder, as a CAR and by its CID; and the CIDs of folders of many sizes. */
async function publish(to: string): Promise<void> {
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const files = {
    "config.json": json({
      ...{ format: "verisum-checkpoint-2", round: 3, metrics: null, outputs: null, layers: null },
      inputs: { shape: null, table: null, preprocessing: null },
    }),
    "topology.json": json({
      model: { kind: "external" },
      tensors: TENSORS.map(({ name, shape }) => ({ name, shape })),
    }),
    "model.safetensors": encodeSafetensors(TENSORS),
    "state.bin": new Uint8Array(3 * MIB),
  };
  const { root, blocks } = await buildDirectory(files);
  await writeFolder(to, "checkpoint", files);
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
