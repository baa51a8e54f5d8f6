/** Text of somebody else, as it may be shown: it moves no cursor, changes no colour and hides nothing. */

/** Control characters but the end of a line, and marks that turn the direction of text. */
const MARKS = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** @param kept a character that may stay, such as the end of a line */
export function withoutControls(text: string, kept = ""): string {
  return text.replace(MARKS, (mark) => (mark === kept ? mark : "\ufffd"));
}
