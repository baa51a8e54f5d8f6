/**
 * The `.ts` format of the time-series archives (UEA, UCR, aeon, sktime): tags that begin with @, then a line for each
 * series: its dimensions separated by colons, their values by commas, and the class behind the last colon.
 */
import { VerisumError } from "../../protocol/errors.ts";
import { growingFloats, growingIntegers } from "../tables/growing.ts";
import { linesOf } from "../tables/lines.ts";
import type { Line } from "../tables/lines.ts";
import { listed, quoted, refusal } from "../tables/table.ts";
import type { Place } from "../tables/table.ts";
import type { TextSource } from "../tables/text.ts";
import { floatFrom, isMissing } from "../tables/values.ts";
import type { Recording } from "./windows.ts";

const REMEDY = "correct the line, or write the file again";

/** What the tags say. */
interface Header {
  readonly classes: readonly string[];
  /** Stated numbers of dimensions and of values in each, where they are. */
  readonly dimensions: number | undefined;
  readonly length: number | undefined;
}

/**
 * Each series is a group of its own, called by its line.
 * @param classes in order, in place of the file's own list
 * @throws DATASET_EMPTY, DATASET_MALFORMED, DATASET_VALUE_MISSING, DATASET_VALUE_INVALID, DATASET_LABEL_INVALID,
 *   DATASET_CLASSES_UNSTATED, DATASET_TOO_LARGE, and what reading throws
 */
export async function readTsFile(source: TextSource, classes?: readonly string[]): Promise<Recording> {
  const { path } = source;
  const values = growingFloats(path);
  const labels = growingIntegers();
  const series: Recording["series"][number][] = [];
  const tags = new Map<string, readonly string[]>();
  let header: Header | undefined;
  let channels: number | undefined;
  for await (const lines of linesOf(source))
    for (const line of lines) {
      if (line.text.startsWith("#")) continue;
      if (header === undefined) {
        if (readTag(line, tags, path)) header = headerFrom(tags, path, classes);
        continue;
      }
      const { rows, length, label, width } = seriesFrom(line, header, path);
      channels ??= width;
      if (width !== channels)
        throw malformed({ path, row: line.number }, `it has ${width} dimensions instead of ${channels}`);
      series.push({ from: labels.length, until: labels.length + length, group: String(line.number) });
      values.push(rows);
      for (let i = 0; i < length; i++) labels.push(label);
    }
  if (channels === undefined || header === undefined)
    throw new VerisumError("DATASET_EMPTY", `${path} holds no series; they stand below a line @data`, { path });
  return {
    values: values.values(),
    channels,
    labels: labels.values(),
    classCount: header.classes.length,
    classNames: header.classes,
    series,
  };
}

/** @returns whether it is the last one. @throws DATASET_MALFORMED */
function readTag({ number, text }: Line, tags: Map<string, readonly string[]>, path: string): boolean {
  const [tag = "", ...words] = text.split(/\s+/);
  if (!tag.startsWith("@"))
    throw malformed({ path, row: number, value: text }, "it stands above @data, and is neither a tag nor a comment");
  tags.set(tag.slice(1).toLowerCase(), words);
  return tag.toLowerCase() === "@data";
}

function headerFrom(
  tags: ReadonlyMap<string, readonly string[]>,
  path: string,
  classes: readonly string[] | undefined,
): Header {
  if (isTrue(tags.get("timestamps")))
    throw malformed({ path }, "its values have times (@timeStamps true), and series of one rate are read");
  if (isTrue(tags.get("targetlabel")))
    throw refusal(
      "DATASET_LABEL_INVALID",
      { path },
      "its series have measured values in place of classes (@targetLabel true)",
      "take a set with classes",
    );
  const [labelled, ...own] = tags.get("classlabel") ?? [];
  if (labelled?.toLowerCase() !== "true")
    throw refusal("DATASET_CLASSES_UNSTATED", { path }, "its series have no class", "write @classLabel true and them");
  const stated = classes ?? own;
  if (stated.length < 2 || new Set(stated).size < stated.length)
    throw refusal(
      "DATASET_CLASSES_UNSTATED",
      { path },
      `@classLabel names ${stated.length === 0 ? "no class" : listed(stated)}, and classes are two or more`,
      "name all of them in order, there or with classes=",
    );
  return {
    classes: stated,
    dimensions: countOf("dimensions", tags, path),
    length: countOf("serieslength", tags, path),
  };
}

function isTrue(words: readonly string[] | undefined): boolean {
  return words?.[0]?.toLowerCase() === "true";
}

function countOf(tag: string, tags: ReadonlyMap<string, readonly string[]>, path: string): number | undefined {
  const [text] = tags.get(tag) ?? [];
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw malformed({ path, value: text }, `@${tag} is no number`);
  return Number(text);
}

/** One series, a row for each point in time. */
function seriesFrom(
  { number, text }: Line,
  header: Header,
  path: string,
): { readonly rows: Float32Array; readonly length: number; readonly width: number; readonly label: number } {
  const place = { path, row: number };
  if (text.includes("(")) throw malformed(place, "its values have times, and series of one rate are read");
  const parts = text.split(":");
  const name = parts.pop()!.trim();
  const label = header.classes.indexOf(name);
  if (label < 0)
    throw refusal(
      "DATASET_LABEL_INVALID",
      { ...place, value: name },
      `${quoted(name)} is none of the classes, ${listed(header.classes)}`,
      "correct it, or the list of classes",
    );
  const dimensions = parts.map((part) => part.split(","));
  const width = dimensions.length;
  const length = dimensions[0]?.length ?? 0;
  if (length === 0) throw malformed(place, "it has no dimension before its class");
  const odd = dimensions.findIndex((cells) => cells.length !== length);
  if (odd >= 0)
    throw malformed(
      { ...place, column: String(odd + 1) },
      `this dimension has ${dimensions[odd]!.length} values, and the first has ${length}`,
    );
  if (header.dimensions !== undefined && width !== header.dimensions)
    throw malformed(place, `it has ${width} dimensions, and @dimensions says ${header.dimensions}`);
  if (header.length !== undefined && length !== header.length)
    throw malformed(place, `it has ${length} values, and @seriesLength says ${header.length}`);
  const rows = new Float32Array(length * width);
  dimensions.forEach((cells, channel) =>
    cells.forEach((cell, at) => {
      rows[at * width + channel] = valueFrom(cell, { ...place, column: String(channel + 1), value: cell });
    }),
  );
  return { rows, length, width, label };
}

function valueFrom(cell: string, place: Place): number {
  if (isMissing(cell))
    throw refusal("DATASET_VALUE_MISSING", place, `${quoted(cell)} stands for no value`, "fill it in, or take it out");
  return floatFrom(cell, place);
}

function malformed(place: Place, problem: string): VerisumError {
  return refusal("DATASET_MALFORMED", place, problem, REMEDY);
}
