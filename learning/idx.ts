/** The IDX format of MNIST and its kin: a magic number, big-endian sizes, bytes (LeCun, Cortes, Burges). */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { VerisumError } from "../protocol/errors.ts";
import { MAX_DATA_VALUES, readDataFile } from "./data-file.ts";
import type { Dataset, LoadedData, SpecOptions } from "./samples.ts";
import { splitEveryFifth } from "./partition.ts";
import { valueScaling } from "./scaling.ts";

/** Mean and standard deviation of Fashion-MNIST's training pixels in [0, 1]; public, and good enough for MNIST. */
const DEFAULT_MEAN = 0.286;
const DEFAULT_DEVIATION = 0.353;
const UNSIGNED_BYTE = 0x08;
const MAX_RANK = 4;

interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/**
 * Loads a directory with the four files of an MNIST-like set, or one `…images-idx3-ubyte` file with its labels beside
 * it (then every fifth row is test data). Each file may be gzipped (`.gz`).
 *
 * @throws DATASET_NOT_FOUND, DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE, DATASET_LABEL_INVALID,
 * DATASET_SPEC_INVALID
 */
export async function loadIdx(path: string, options: SpecOptions): Promise<LoadedData> {
  if (!(await stat(path)).isDirectory()) {
    const labelsName = basename(path).replace("images", "labels").replace("idx3", "idx1").replace(/\.gz$/, "");
    if (labelsName === basename(path))
      throw new VerisumError("DATASET_MALFORMED", `${path} is neither CSV nor an IDX image file`, { path });
    return splitEveryFifth(await loadPair(path, join(dirname(path), labelsName), options));
  }
  const train = await loadPair(join(path, "train-images-idx3-ubyte"), join(path, "train-labels-idx1-ubyte"), options);
  const test = await loadPair(join(path, "t10k-images-idx3-ubyte"), join(path, "t10k-labels-idx1-ubyte"), options);
  if (train.featureShape.join() !== test.featureShape.join())
    throw new VerisumError("DATASET_MALFORMED", "training and test images differ in size", { path });
  const classCount = Math.max(train.classCount, test.classCount);
  return { train: { ...train, classCount }, test: { ...test, classCount } };
}

async function loadPair(imagesPath: string, labelsPath: string, options: SpecOptions): Promise<Dataset> {
  const imagesFile = await plainOrZipped(imagesPath);
  const labelsFile = await plainOrZipped(labelsPath);
  const images = parseIdx(await readDataFile(imagesFile), imagesFile);
  const labels = parseIdx(await readDataFile(labelsFile), labelsFile);
  const [sampleCount = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (images.shape.length < 3) throw malformed(imagesFile, `${images.shape.length} dimensions are not images`);
  if (labels.shape.length !== 1 || labels.shape[0] !== sampleCount)
    throw malformed(labelsFile, `labels do not match ${sampleCount} images`);
  const featureShape = [height, width, channels];
  const scale = valueScaling(
    { mean: options.mean ?? [DEFAULT_MEAN], deviation: options.deviation ?? [DEFAULT_DEVIATION] },
    height * width * channels,
  );
  const features = new Float32Array(images.values.length);
  const row = height * width * channels;
  for (let i = 0; i < features.length; i++) features[i] = scale(images.values[i]! / 255, i % row);
  const classCount = options.classCount ?? Math.max(2, labels.values.reduce((a, b) => Math.max(a, b), 0) + 1);
  const bad = labels.values.findIndex((label) => label >= classCount);
  if (bad >= 0)
    throw new VerisumError(
      "DATASET_LABEL_INVALID",
      `${labelsFile}: label ${labels.values[bad]} of sample ${bad} is not below ${classCount}`,
      { row: bad },
    );
  return { features, labels: Int32Array.from(labels.values), sampleCount, featureShape, classCount };
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
  const size = shape.reduce((product, side) => product * side, 1);
  if (size > MAX_DATA_VALUES)
    throw new VerisumError("DATASET_TOO_LARGE", `${path} claims ${shape.join("×")} values`, { path });
  if (size === 0) throw new VerisumError("DATASET_EMPTY", `${path} holds no sample`, { path });
  if (bytes.length !== start + size)
    throw malformed(path, `its header promises ${size} values, it has ${bytes.length - start}`);
  return { shape, values: bytes.subarray(start) };
}

/** `path` or `path.gz`, whichever exists; MNIST's own archives also write `.idx3-` for `-idx3-`. */
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
