/** What the store, its peers and the gateway tell the operator. Names are stable: programs read them. */
import { withoutControls } from "../protocol/plain-text.ts";
import type { Facts, Level, Reporter } from "../protocol/reporter.ts";

/** What happened. The `subject` is the block, directory, peer, route or sender that it happened to. */
export type ContentEvent =
  /** A block on disk is not what its CID says; it counts as missing. */
  | "block-damaged"
  /** The list of pins was damaged; it was made again from the blocks. */
  | "pins-rebuilt"
  /** The disk refused a read or a write of the store. */
  | "disk-failed"
  /** A peer sent other bytes than it was asked for; they were discarded. */
  | "peer-wrong-bytes"
  /** A peer did not deliver in time. */
  | "peer-too-slow"
  /** A peer cannot be reached. */
  | "peer-unreachable"
  /** A peer answered with an error, other than that it lacks the block. */
  | "peer-refused"
  /** A peer's address is none that may be asked. */
  | "peer-not-asked"
  /** A peer did not take a copy of a directory. */
  | "copy-refused"
  /** The gateway refused an upload. */
  | "upload-refused"
  /** The gateway answered a request with its own failure. */
  | "gateway-failed"
  /** The gateway ended an answer early. */
  | "answer-cut-short";

const MOST_CHARACTERS = 500;

/** Says it; what strangers wrote in it moves no cursor and fills no screen. */
export function report(
  reporter: Reporter,
  level: Level,
  event: ContentEvent,
  text: string,
  facts: Facts & { readonly subject: string },
): void {
  const shown = Object.entries(facts).map(([name, fact]) => [name, typeof fact === "string" ? plainText(fact) : fact]);
  reporter.say(level, event, plainText(text), Object.fromEntries(shown) as Facts);
}

/** A text of somebody else, for one line of a terminal or a log. */
export function plainText(text: string): string {
  return withoutControls(text).slice(0, MOST_CHARACTERS);
}
