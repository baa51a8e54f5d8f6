/** What a table's owner may not have meant: columns that say nothing, too much, or on another scale; odd classes. */
import { exampleWidth, featuresOf } from "../examples.ts";
import type { Dataset, DataNote, LoadedData } from "../examples.ts";
import type { Encoded } from "./encode.ts";
import type { Feature, Plan } from "./plan.ts";
import { widthOf } from "./schema.ts";
import { listed, optionText } from "./table.ts";
import { dayText } from "./values.ts";

/** The root mean square of an input beyond which, or below which, training does not get anywhere. */
const LARGEST_SCALE = 10;
const SMALLEST_SCALE = 0.01;
/** Different values above which a column is not compared with the label. */
const MOST_VALUES = 1000;
/** A class in so large a part of the examples makes accuracy say nothing. */
const LARGE_MAJORITY = 0.9;
/** Classes above which labels look like a measured value. */
const MANY_CLASSES = 20;
/** Examples of a class below which they are too few. */
const FEW_EXAMPLES = 20;
/** Columns with the same warning that have one each. */
const MOST_ALIKE = 8;
/** Values of the training data above which test examples are not looked for in it, and test examples below which. */
const MOST_COMPARED = 1 << 24;
const FEW_TEST_EXAMPLES = 10;
/** A recurring value that is so many ranges of the others away from them stands for no value. */
const SENTINEL_GAP = 3;
const IDENTIFIER = /(^|[^a-z])(id|ids|uuid|guid|mrn|index|idx|nr|rownum|row)($|[^a-z])|[a-z]Id$/;

/** Of the columns, before the data is split. Warnings that many columns share become one. */
export function columnWarnings(encoded: Pick<Encoded, "data">, plan: Plan): DataNote[] {
  const all = eachColumn(encoded, plan);
  return [...new Set(all.map(({ event }) => event))].flatMap((one) => {
    const alike = all.filter(({ event }) => event === one);
    return alike.length > MOST_ALIKE ? [together(alike)] : alike;
  });
}

function together(alike: readonly DataNote[]): DataNote {
  const { level, event, text } = alike[0]!;
  const names = listed(
    alike.map(({ column = "" }) => column),
    MOST_ALIKE,
  );
  return { level, event, text: `${text}. The same of ${alike.length} columns: ${names}` };
}

function eachColumn({ data }: Pick<Encoded, "data">, { features, label, isByTask }: Plan): DataNote[] {
  const warnings: DataNote[] = [];
  const warn = (event: string, column: string, text: string): void =>
    void warnings.push({ level: "warning", event, column, text: `column ${column}: ${text}` });
  if (looksLikeIdentifier(label.name))
    warn("label-suspect", label.name, "by its name the label is an identifier; name another column with label=");
  const width = data.features.length / data.exampleCount;
  let at = 0;
  for (const feature of features) {
    const { name, schema } = feature;
    const size = widthOf(schema);
    const column = at;
    at += size;
    if (schema.type !== "category" && followsTarget(data, column)) {
      warn("column-leaks-label", name, "it is the target, or a straight line of it: it may have been made from it");
      continue;
    }
    const leaks = (what: string): void =>
      warn("column-leaks-label", name, `${what} with one class only: it may have been made from the label`);
    if (schema.type === "category") {
      if (tellsLabel(data, size, (i) => oneOf(data, i, column, size))) leaks("each word goes");
      continue;
    }
    const figures = figuresOf(data, column);
    const { mean, stdDev, least, most, distinct } = figures;
    const range = `${short(least)} to ${short(most)}`;
    const remedy = isByTask ? "" : `; drop=${optionText(name)} leaves it out`;
    if (least === most) {
      warn("column-constant", name, `all values are ${asWritten(least, feature)}${remedy}`);
      continue;
    }
    if (isIndex(data, column)) warn("column-index", name, `its values count the rows${remedy}`);
    else if (looksLikeIdentifier(name)) warn("column-identifier", name, `by its name an identifier${remedy}`);
    else if (figures.isEachItsOwn)
      warn("column-identifier", name, `each row has a whole number of its own, as identifiers are${remedy}`);
    const sentinel = sentinelOf(data, column, figures);
    if (sentinel !== undefined) {
      const text = asWritten(sentinel, feature);
      warn(
        "column-sentinel",
        name,
        `${text} recurs far from all other values; if it stands for no value, ${isByTask ? "the task's document has to say so (data.missing)" : `say na=${text}`}`,
      );
    }
    const scale = Math.hypot(mean, stdDev);
    if (scale > LARGEST_SCALE || scale < SMALLEST_SCALE)
      warn(
        "column-unscaled",
        name,
        `goes into the model as ${range}, mean ${short(mean)}, standard deviation ${short(stdDev)}; all clients must scale it by the same constants, near mean 0 and deviation 1 (${isByTask ? "data.scaling in the task's document" : "mean= and deviation=, or data.scaling in the task"})`,
      );
    const valueOf = (i: number): number => data.features[i * width + column]!;
    if (distinct !== undefined && tellsLabel(data, distinct, valueOf)) leaks(`each of its ${distinct} values goes`);
    else if (rangesTellLabel(data, valueOf)) leaks("each range of its values goes");
  }
  return warnings;
}

/** Of what is to be answered, after the data is split. */
export function answerWarnings(data: LoadedData): DataNote[] {
  const answers = data.train.targets === undefined ? classWarnings(data) : targetWarnings(data.train);
  return [...answers, ...repeatedWarnings(data)];
}

/** Whether the test data was learnt by heart: most of its examples are in the training data, value by value. */
function repeatedWarnings({ train, test }: LoadedData): DataNote[] {
  if (test.exampleCount < FEW_TEST_EXAMPLES || train.exampleCount * exampleWidth(train) > MOST_COMPARED) return [];
  const known = new Set(Array.from({ length: train.exampleCount }, (_, i) => fingerprint(train, i)));
  let repeated = 0;
  for (let i = 0; i < test.exampleCount; i++) if (known.has(fingerprint(test, i))) repeated++;
  if (repeated < LARGE_MAJORITY * test.exampleCount) return [];
  return [
    {
      level: "warning",
      event: "test-in-training",
      text: `${repeated} of ${test.exampleCount} test examples are in the training data as well, value by value: what is reached on them says nothing`,
    },
  ];
}

/** Of an example's values, its answer aside: FNV-1a over their bits, twice 26 bits in one number. */
function fingerprint(data: Dataset, example: number): number {
  const values = featuresOf(data, example).slice();
  let [high, low] = [0x811c9dc5, 0x050c5d1f];
  for (const bits of new Uint32Array(values.buffer)) {
    high = Math.imul(high ^ bits, 0x01000193);
    low = Math.imul(low ^ (bits >>> 7) ^ (bits << 25), 0x01000193);
  }
  return (high >>> 6) * 2 ** 26 + (low >>> 6);
}

function targetWarnings({ targets, targetScaling }: Dataset): DataNote[] {
  const { least, most, mean, stdDev } = figuresOf({ features: targets!, exampleCount: targets!.length }, 0);
  const warning = (event: string, text: string): DataNote[] => [{ level: "warning", event, text }];
  if (least === most)
    return warning(
      "target-constant",
      `all targets are ${short((targetScaling?.mean ?? 0) + (targetScaling?.stdDev ?? 1) * least)}: nothing can be learnt`,
    );
  const scale = Math.hypot(mean, stdDev);
  if (scale <= LARGEST_SCALE && scale >= SMALLEST_SCALE) return [];
  return warning(
    "target-unscaled",
    `the target goes into training as ${short(least)} to ${short(most)}, mean ${short(mean)}, standard deviation ${short(stdDev)}; a task has to scale it near mean 0 and deviation 1 (data.target in its document)`,
  );
}

function classWarnings({ train, test }: LoadedData): DataNote[] {
  const warnings: DataNote[] = [];
  const warn = (event: string, text: string): void => void warnings.push({ level: "warning", event, text });
  const [inTrain, inTest] = [countsOf(train), countsOf(test)];
  const counts = inTrain.map((count, label) => count + inTest[label]!);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const nameOf = (label: number): string => train.classNames?.[label] ?? String(label);
  const those = (isMeant: (label: number) => boolean): string[] =>
    counts.flatMap((_, label) => (isMeant(label) ? [nameOf(label)] : []));
  const present = counts.filter((count) => count > 0).length;
  const empty = those((label) => counts[label] === 0);
  if (present === 1)
    warn(
      "one-class",
      `all ${total} examples are of class ${those((label) => counts[label]! > 0)[0]}: nothing can be learnt`,
    );
  else if (empty.length > 0)
    warn(
      "class-empty",
      `no example of class ${listed(empty)}; where labels are no numbers from 0, name them in order with classes=`,
    );
  if (train.classNames === undefined && train.classCount > MANY_CLASSES && total < train.classCount * FEW_EXAMPLES)
    warn(
      "label-suspect",
      `${train.classCount} classes in ${total} examples: the label looks like a measured value, not like a class`,
    );
  if (present === 1) return warnings;
  for (const [part, own] of [
    ["training", inTrain],
    ["test", inTest],
  ] as const) {
    const lacking = those((label) => counts[label]! > 0 && own[label] === 0);
    if (lacking.length > 0) warn("class-not-in-split", `the ${part} data has no example of class ${listed(lacking)}`);
  }
  const largest = Math.max(...counts);
  if (largest >= LARGE_MAJORITY * total)
    warn(
      "majority",
      `${((largest / total) * 100).toFixed(1)} % of the examples are of class ${nameOf(counts.indexOf(largest))}: always answering it is as accurate; look at balanced accuracy`,
    );
  return warnings;
}

export function countsOf({ labels, classCount }: Dataset): number[] {
  const counts = Array<number>(classCount).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}

function looksLikeIdentifier(name: string): boolean {
  return IDENTIFIER.test(name.toLowerCase() === name || name.toUpperCase() === name ? name.toLowerCase() : name);
}

interface Figures {
  readonly mean: number;
  readonly stdDev: number;
  readonly least: number;
  readonly most: number;
  /** Different values, or undefined if they are too many to matter. */
  readonly distinct: number | undefined;
  /** Whether all are whole numbers, and no two alike; false if they are too many to tell. */
  readonly isEachItsOwn: boolean;
}

function figuresOf(data: Pick<Dataset, "features" | "exampleCount">, column: number): Figures {
  const width = data.features.length / data.exampleCount;
  const seen = new Set<number>();
  let [mean, squares, least, most] = [0, 0, Infinity, -Infinity];
  let isWhole = true;
  for (let i = 0; i < data.exampleCount; i++) {
    const value = data.features[i * width + column]!;
    const off = value - mean;
    mean += off / (i + 1);
    squares += off * (value - mean);
    least = Math.min(least, value);
    most = Math.max(most, value);
    isWhole &&= Number.isInteger(value);
    if (seen.size <= MOST_VALUES) seen.add(value);
  }
  const distinct = seen.size > MOST_VALUES ? undefined : seen.size;
  const isEachItsOwn = isWhole && distinct === data.exampleCount && distinct >= FEW_EXAMPLES;
  return { mean, stdDev: Math.sqrt(squares / data.exampleCount), least, most, distinct, isEachItsOwn };
}

/** The least or the most value, if it recurs, and lies further from all others than they do from one another. */
function sentinelOf(data: Dataset, column: number, { least, most }: Figures): number | undefined {
  const width = data.features.length / data.exampleCount;
  for (const end of [least, most]) {
    let [recurs, low, high] = [0, Infinity, -Infinity];
    for (let i = 0; i < data.exampleCount; i++) {
      const value = data.features[i * width + column]!;
      if (value === end) recurs++;
      else [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    const gap = end === least ? low - end : end - high;
    if (recurs > 1 && high > low && gap > SENTINEL_GAP * (high - low)) return end;
  }
  return undefined;
}

/** Whether the classes' ranges of values do not meet, where several examples of each are there. */
function rangesTellLabel({ labels, classCount }: Dataset, valueOf: (example: number) => number): boolean {
  const ranges = Array.from(
    { length: Math.min(classCount, MANY_CLASSES) },
    () => [Infinity, -Infinity, 0] as [number, number, number],
  );
  for (const [i, label] of labels.entries()) {
    const range = ranges[label];
    if (range === undefined) return false;
    const value = valueOf(i);
    range[0] = Math.min(range[0], value);
    range[1] = Math.max(range[1], value);
    range[2]++;
  }
  const present = ranges.filter(([, , count]) => count > 0).sort(([a], [b]) => a - b);
  return (
    present.length > 1 &&
    present.every(([low, , count], i) => count * 2 >= FEW_EXAMPLES && (i === 0 || low > present[i - 1]![1]))
  );
}

/** Whether all but a millionth of one's variance is the other's. */
function followsTarget({ features, targets, exampleCount }: Dataset, column: number): boolean {
  if (targets === undefined || exampleCount < FEW_EXAMPLES) return false;
  const width = features.length / exampleCount;
  let [x, y, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < exampleCount; i++) {
    const [a, b] = [features[i * width + column]!, targets[i]!];
    const [fromX, fromY] = [a - x, b - y];
    x += fromX / (i + 1);
    y += fromY / (i + 1);
    xx += fromX * (a - x);
    xy += fromX * (b - y);
    yy += fromY * (b - y);
  }
  return xx > 0 && yy > 0 && (xy * xy) / (xx * yy) > 1 - 1e-6;
}

/** Whether each value is the one before it and a step that is the same for all, as row numbers are. */
function isIndex({ features, exampleCount }: Dataset, column: number): boolean {
  const width = features.length / exampleCount;
  const at = (i: number): number => features[i * width + column]!;
  const step = at(1) - at(0);
  if (exampleCount < FEW_EXAMPLES || step === 0) return false;
  const tolerance = Math.abs(step) * 1e-3;
  for (let i = 1; i < exampleCount; i++)
    if (Math.abs(at(i) - at(0) - i * step) > Math.max(tolerance, Math.abs(at(i)) * 1e-6)) return false;
  return true;
}

/** Whether the value fixes the class, in a column with several examples for each value. */
function tellsLabel({ labels, targets }: Dataset, distinct: number, valueOf: (example: number) => number): boolean {
  if (targets !== undefined || distinct * 4 > labels.length || labels.length < FEW_EXAMPLES) return false;
  const labelOf = new Map<number, number>();
  for (const [i, label] of labels.entries()) {
    const value = valueOf(i);
    if ((labelOf.get(value) ?? label) !== label) return false;
    labelOf.set(value, label);
  }
  return new Set(labelOf.values()).size > 1;
}

/** The place of the 1 among an example's values of a category. */
function oneOf({ features, exampleCount }: Dataset, example: number, column: number, size: number): number {
  const start = example * (features.length / exampleCount) + column;
  return features.subarray(start, start + size).indexOf(1);
}

/** A scaled value as its file has it, to the six digits that float32 keeps whatever the scaling; a date as its day. */
function asWritten(scaled: number, { schema, scale }: Feature): string {
  const origin = scale(0);
  const value = (scaled - origin) / (scale(1) - origin);
  const whole = Math.round(value);
  const close = Math.abs(value - whole) <= 1e-6 * Math.abs(value) ? whole : Number(value.toPrecision(6));
  return schema.type === "date" ? dayText(close) : String(close);
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
