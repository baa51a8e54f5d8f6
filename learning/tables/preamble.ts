/** What stands in a text file before its table: Excel's `sep=` line, comments, blank lines. */
import type { DataNote } from "../examples.ts";
import type { TextSource } from "./text.ts";

const DEFAULT_COMMENT = "#";
const SEPARATOR_LINE = /^"?sep=(.)"?$/i;

export interface Preamble {
  /** Lines before the table. */
  readonly lines: number;
  /** What a `sep=` line says. */
  readonly delimiter?: string;
  /** The last comment, where comments were not asked for: it may be a header. */
  readonly commented?: { readonly text: string; readonly row: number };
  readonly notes: readonly DataNote[];
}

/** Characters of the table from which its dialect is found out. */
const BODY_CHARACTERS = 1 << 18;

/**
 * Reads as far as the table begins, however long that takes, and the first whole lines of it.
 * @param comment what comment lines begin with, null for none, undefined for `#`
 * @throws what reading throws
 */
export async function readPreamble(
  source: TextSource,
  comment: string | null | undefined,
): Promise<Preamble & { readonly body: string }> {
  const mark = comment === undefined ? DEFAULT_COMMENT : comment;
  let delimiter: string | undefined;
  let lines = 0;
  let comments = 0;
  let commented: Preamble["commented"];
  /** Takes a line that stands before the table. @returns whether it does */
  const take = (line: string): boolean => {
    if (lines === 0) [, delimiter] = SEPARATOR_LINE.exec(line.trimEnd()) ?? [];
    const isComment = mark !== null && line.startsWith(mark);
    if (!isComment && line.trim() !== "" && (lines > 0 || delimiter === undefined)) return false;
    lines++;
    if (!isComment) return true;
    comments++;
    if (comment === undefined) commented = { text: line.slice(mark.length).trim(), row: lines };
    return true;
  };
  let rest = "";
  let isInBody = false;
  let isCut = false;
  for await (const text of source.open()) {
    rest += text;
    let at = 0;
    for (let end = rest.indexOf("\n"); !isInBody && end >= 0; end = rest.indexOf("\n", at))
      if (take(rest.slice(at, end))) at = end + 1;
      else isInBody = true;
    rest = rest.slice(at);
    isCut = rest.length >= BODY_CHARACTERS;
    if (isCut) break;
  }
  if (!isInBody && !isCut && rest !== "" && take(rest)) rest = "";
  const text = `${comments === 1 ? "one line" : `${comments} lines`} beginning with ${mark} before the table are comments`;
  return {
    lines,
    body: isCut ? rest.slice(0, rest.lastIndexOf("\n") + 1 || rest.length) : rest,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(commented === undefined ? {} : { commented }),
    notes: comments === 0 ? [] : [{ level: "note", event: "comments", text }],
  };
}
