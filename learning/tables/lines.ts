/** Text as numbered lines, some at a time. */
import { refusal } from "./table.ts";
import type { TextSource } from "./text.ts";

/** Characters of one line: a million values with fifteen digits each. */
const MAX_LINE_LENGTH = 1 << 24;

export interface Line {
  /** Counted from 1, blank lines included. */
  readonly number: number;
  /** Without blanks around it. */
  readonly text: string;
}

/** Lines that are not blank. @throws DATASET_TOO_LARGE, and what reading throws */
export async function* linesOf(source: TextSource): AsyncGenerator<Line[]> {
  let rest = "";
  let number = 1;
  const take = (texts: readonly string[]): Line[] =>
    texts.map((text) => lineFrom(text, number++, source.path)).filter(({ text }) => text !== "");
  for await (const text of source.open()) {
    const texts = (rest + text).split("\n");
    rest = texts.pop()!;
    lineFrom(rest, number + texts.length, source.path);
    yield take(texts);
  }
  yield take([rest]);
}

/** @throws DATASET_TOO_LARGE */
function lineFrom(text: string, number: number, path: string): Line {
  if (text.length > MAX_LINE_LENGTH)
    throw refusal(
      "DATASET_TOO_LARGE",
      { path, row: number },
      `longer than ${MAX_LINE_LENGTH} characters`,
      "one example belongs on one line",
    );
  return { number, text: text.trim() };
}
