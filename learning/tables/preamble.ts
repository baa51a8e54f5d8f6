/** What stands in a text file before its table: Excel's `sep=` line, comments, blank lines. */
import type { DataNote } from "../examples.ts";

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

/** @param comment what comment lines begin with, null for none, undefined for `#` */
export function readPreamble(head: string, comment: string | null | undefined): Preamble {
  const lines = head.split("\n");
  const mark = comment === undefined ? DEFAULT_COMMENT : comment;
  const [, delimiter] = SEPARATOR_LINE.exec(lines[0]!.trimEnd()) ?? [];
  let at = delimiter === undefined ? 0 : 1;
  let comments = 0;
  let commented: Preamble["commented"];
  for (; at < lines.length; at++) {
    const line = lines[at]!;
    const isComment = mark !== null && line.startsWith(mark);
    if (!isComment && line.trim() !== "") break;
    if (!isComment) continue;
    comments++;
    if (comment === undefined) commented = { text: line.slice(mark.length).trim(), row: at + 1 };
  }
  const text = `${comments === 1 ? "one line" : `${comments} lines`} beginning with ${mark} before the table are comments`;
  return {
    lines: at,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(commented === undefined ? {} : { commented }),
    notes: comments === 0 ? [] : [{ level: "note", event: "comments", text }],
  };
}
