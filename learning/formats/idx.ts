/** The IDX format of MNIST and its kin: a magic number, big-endian sizes, bytes (LeCun, Cortes, Burges). */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import { MAX_DATA_VALUES, readDataFile } from "../data-file.ts";
import { DEFAULT_SPLIT, splitExamples } from "../split.ts";
import type { Dataset } from "../examples.ts";
import { valueScaling } from "../scaling.ts";
import { sizeOf } from "../shape.ts";
import { dataFormat } from "./format.ts";
import { classCountOf, paired, VALUE_OPTIONS, valueOptions } from "./table.ts";
import type { ValueOptions } from "./table.ts";

/** Mean and standard deviation of Fashion-MNIST's training pixels in [0, 1]; public, and good enough for MNIST. */
const DEFAULT_MEAN = 0.286;
const DEFAULT_STD_DEV = 0.353;
const UNSIGNED_BYTE = 0x08;
const LARGEST_BYTE = 255;
const MAX_RANK = 4;

/** MNIST's own archives also write `.idx3-` for `-idx3-`. */
const TRAINING_IMAGES = /^train-images[-.]idx3-ubyte(\.gz)?$/;

interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/**
 * A folder with the four files of an MNIST-like set, or one `…images-idx3-ubyte` file with its labels beside it (then a
 * fifth of each class is test data). Each file may be gzipped (`.gz`).
 */
export const idx = dataFormat({
  name: "IDX",
  scheme: "idx",
  sources: "…images-idx3-ubyte with its labels beside it, or a folder with the four files of a set like MNIST",
  options: VALUE_OPTIONS,
  divisor: LARGEST_BYTE,
  recognises: ({ path, kind, entries }) =>
    kind === "file" ? basename(path).includes("images") : entries.some((name) => TRAINING_IMAGES.test(name)),
  load: async ({ path, kind }, options) => {
    const values = valueOptions(options);
    if (kind === "file")
      return splitExamples({ data: await loadPair(path, labelsBeside(path), values) }, DEFAULT_SPLIT);
    const partOf = (part: string): Promise<Dataset> =>
      loadPair(join(path, `${part}-images-idx3-ubyte`), join(path, `${part}-labels-idx1-ubyte`), values);
    return paired(path, await partOf("train"), await partOf("t10k"));
  },
});

function labelsBeside(images: string): string {
  const name = basename(images).replace("images", "labels").replace("idx3", "idx1").replace(/\.gz$/, "");
  return join(dirname(images), name);
}

/** @throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE, DATASET_LABEL_INVALID */
async function loadPair(imagesPath: string, labelsPath: string, options: ValueOptions): Promise<Dataset> {
  const imagesFile = await plainOrZipped(imagesPath);
  const labelsFile = await plainOrZipped(labelsPath);
  const images = parseIdx(await readDataFile(imagesFile), imagesFile);
  const labels = parseIdx(await readDataFile(labelsFile), labelsFile);
  const [exampleCount = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (images.shape.length < 3)
    throw malformed(imagesFile, `a file of ${images.shape.length} dimensions does not hold images`);
  if (labels.shape.length !== 1 || labels.shape[0] !== exampleCount)
    throw malformed(labelsFile, `labels do not match ${exampleCount} images`);
  const featureShape = [height, width, channels];
  const scale = valueScaling(
    { mean: options.mean ?? [DEFAULT_MEAN], stdDev: options.stdDev ?? [DEFAULT_STD_DEV] },
    height * width * channels,
  );
  const features = new Float32Array(images.values.length);
  const row = height * width * channels;
  for (let i = 0; i < features.length; i++) features[i] = scale(images.values[i]! / LARGEST_BYTE, i % row);
  const classCount = classCountOf(labels.values, options.classCount);
  const bad = labels.values.findIndex((label) => label >= classCount);
  if (bad >= 0)
    throw new VerisumError(
      "DATASET_LABEL_INVALID",
      `${labelsFile}: label ${labels.values[bad]} of image ${bad} is not below ${classCount}`,
      { row: bad },
    );
  return { features, labels: Int32Array.from(labels.values), exampleCount, featureShape, classCount };
}

/**
 * Parses an array of unsigned bytes; the file must have exactly the size its header says.
 * @throws DATASET_MALFORMED, DATASET_EMPTY, DATASET_TOO_LARGE
 */
export function parseIdx(bytes: Uint8Array, path: string): IdxArray {
  if (bytes.length === 0) throw new VerisumError("DATASET_EMPTY", `${path} is empty`, { path });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0) throw malformed(path, "it does not begin with an IDX magic number");
  const rank = bytes[3]!;
  if (bytes[2] !== UNSIGNED_BYTE || rank < 1 || rank > MAX_RANK)
    throw malformed(path, "only IDX files of unsigned bytes with up to four dimensions are supported");
  const start = 4 + 4 * rank;
  if (bytes.length < start) throw malformed(path, "it ends within its header");
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = sizeOf(shape);
  if (size > MAX_DATA_VALUES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} claims ${shape.join("×")} values`, { path });
  if (size === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no example`, { path });
  if (bytes.length !== start + size)
    throw malformed(path, `its header promises ${size} values, it has ${bytes.length - start}`);
  return { shape, values: bytes.subarray(start) };
}

/** `path` or `path.gz`, whichever exists. */
async function plainOrZipped(path: string): Promise<string> {
  const names = await readdir(dirname(path)).catch((): string[] => []);
  const plain = basename(path);
  const dotted = plain.replace("-idx", ".idx");
  const found = [plain, `${plain}.gz`, dotted, `${dotted}.gz`].find((name) => names.includes(name));
  if (found === undefined)
    throw new VerisumError("DATASET_NOT_FOUND", `neither ${path} nor ${plain}.gz exists`, { path });
  return join(dirname(path), found);
}

function malformed(path: string, problem: string): VerisumError {
  return new VerisumError("DATASET_MALFORMED", `${path}: ${problem}`, { path });
}
