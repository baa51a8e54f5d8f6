/** Folders of images: each class is a folder, called as the class. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import { readDataFile } from "../data-file.ts";
import type { Dataset } from "../examples.ts";
import { decodeImage, withChannels } from "../images/image.ts";
import type { Image } from "../images/image.ts";
import { resized } from "../images/resize.ts";
import { valueScaling } from "../scaling.ts";
import { DEFAULT_SPLIT, splitExamples } from "../split.ts";
import { growingFloats, growingIntegers } from "../tables/growing.ts";
import { MAX_CLASSES } from "../tables/schema.ts";
import { listed, optionText } from "../tables/table.ts";
import { dataFormat } from "./format.ts";
import { classNamesOrNumber, invalidSpec, oneOf } from "./options.ts";
import type { OptionValues } from "./options.ts";
import { paired, VALUE_OPTIONS } from "./table.ts";

const PARTS = ["train", "test"] as const;
const IMAGE = /\.(png|jpe?g)$/i;
/** What systems leave in folders. */
const NO_DATA = /^\.|^(thumbs\.db|desktop\.ini)$/i;
const MAX_IMAGE_BYTES = 1 << 26;
const MAX_SIDE = 4096;

const OPTIONS = {
  ...VALUE_OPTIONS,
  /** Classes in order, or their number where folders are called by numbers from 0. */
  classes: classNamesOrNumber(MAX_CLASSES),
  /** Height and width in pixels, such as 28x28. */
  size: (name: string, text: string): readonly [height: number, width: number] => {
    const [, height, width] = /^(\d{1,4})x(\d{1,4})$/.exec(text) ?? [];
    const sides = [Number(height), Number(width)] as const;
    if (sides.every((side) => side >= 1 && side <= MAX_SIDE)) return sides;
    throw invalidSpec(`${name} must be height and width, such as 28x28`);
  },
  /** Grey or colour; one becomes the other. */
  channels: (name: string, text: string): 1 | 3 => (oneOf("1", "3")(name, text) === "1" ? 1 : 3),
  /** How images of another size become that size. */
  resize: oneOf("stretch", "crop", "pad"),
};
type Options = OptionValues<typeof OPTIONS>;

/**
 * Images of one size, in [0, 1] before they are scaled, examples in the order of folders and files. A folder with the
 * folders train and test is split by them, and has a folder for each class in each.
 */
export const images = dataFormat({
  name: "image folder",
  scheme: "images",
  sources: "a folder with train and test, each with a folder of PNG or JPEG images for each class",
  options: OPTIONS,
  divisor: 255,
  namesClasses: true,
  recognises: ({ kind, entries }) => kind === "directory" && PARTS.every((part) => entries.includes(part)),
  load: async ({ path, kind, entries }, options) => {
    if (kind !== "directory") throw new VerisumError("DATASET_NOT_FOUND", `${path} is no folder`, { path });
    if (!PARTS.every((part) => entries.includes(part)))
      return splitExamples({ data: await loadImages(path, options) }, DEFAULT_SPLIT);
    const train = await loadImages(join(path, "train"), options);
    return { ...paired(path, train, await loadImages(join(path, "test"), options)), split: "a test folder" };
  },
});

/** @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_TOO_LARGE, DATASET_LABEL_INVALID, DATASET_CLASSES_UNSTATED */
async function loadImages(folder: string, options: Options): Promise<Dataset> {
  const features = growingFloats(folder);
  const labels = growingIntegers();
  const folders = await entriesOf(folder);
  const labelOf = labelsOf(folder, folders, options.classes);
  let shape: readonly number[] | undefined = undefined;
  let scale: ((value: number, column: number) => number) | undefined;
  if (options.resize !== undefined && options.size === undefined) throw invalidSpec("resize needs size=");
  for (const name of folders)
    for (const file of await entriesOf(join(folder, name))) {
      const path = join(folder, name, file);
      if (!IMAGE.test(file)) throw malformed(path, "it is no PNG or JPEG image; take it out");
      const found = decodeImage(await readDataFile(path, MAX_IMAGE_BYTES), path);
      const { size, resize, channels } = options;
      const fitting = size === undefined || resize === undefined ? found : resized(found, size, resize);
      const image = channels === undefined ? fitting : withChannels(fitting, channels);
      shape ??= [...(options.size ?? [image.height, image.width]), image.channels];
      assertShape(image, shape, path);
      scale ??= valueScaling({ mean: options.mean, stdDev: options.deviation }, image.values.length);
      features.push(image.values.map(scale));
      labels.push(labelOf(name));
    }
  if (shape === undefined) throw new VerisumError("DATASET_EMPTY", `${folder} holds no image`, { path: folder });
  const { classes } = options;
  return {
    features: features.values(),
    labels: labels.values(),
    exampleCount: labels.length,
    featureShape: shape,
    classCount:
      typeof classes === "object"
        ? classes.length
        : (classes ?? Math.max(2, ...folders.map((name) => labelOf(name) + 1))),
    ...(typeof classes === "object" ? { classNames: classes } : {}),
  };
}

/** Names in a folder in the order of their characters. @throws DATASET_MALFORMED for a file among the classes */
async function entriesOf(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw malformed(folder, "it is no folder, and each class is one", cause);
  });
  return names.filter((name) => !NO_DATA.test(name)).sort();
}

/** @throws DATASET_LABEL_INVALID, DATASET_CLASSES_UNSTATED for words without a list */
function labelsOf(path: string, folders: readonly string[], classes: Options["classes"]): (folder: string) => number {
  const names = typeof classes === "object" ? classes : undefined;
  const limit = typeof classes === "number" ? classes : MAX_CLASSES;
  const labels = new Map(
    folders.map((name) => [name, names?.indexOf(name) ?? (/^\d{1,5}$/.test(name) ? Number(name) : NaN)]),
  );
  for (const [name, label] of labels) {
    if (Number.isNaN(label))
      throw new VerisumError(
        "DATASET_CLASSES_UNSTATED",
        `${path}: the folder ${name} is called by a word, and classes have no order of their own; name all classes in order, as classes=${folders.map(optionText).join(",")}`,
        { path, value: name },
      );
    if (label < 0 || label >= limit)
      throw new VerisumError(
        "DATASET_LABEL_INVALID",
        `${path}: the folder ${name} is none of the classes, ${listed(names ?? [`0 to ${limit - 1}`])}; correct its name, or the list of classes`,
        { path, value: name },
      );
  }
  return (folder) => labels.get(folder)!;
}

function assertShape({ height, width, channels }: Image, shape: readonly number[], path: string): void {
  const found = [height, width, channels];
  if (found.join() === shape.join()) return;
  throw malformed(
    path,
    `it is ${found.join("×")} (height, width, channels), and ${shape.join("×")} is expected; scale all images alike with size= and resize=, and say channels=`,
  );
}

function malformed(path: string, problem: string, cause?: unknown): VerisumError {
  return new VerisumError("DATASET_MALFORMED", `${path}: ${problem}`, { path }, { cause });
}
