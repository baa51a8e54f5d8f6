/** `--trainer`, `--evaluator` and `--trainer-token`: a command, or a server on this machine with its token. */
import { isIPv4 } from "node:net";
import { commandWords } from "../../protocol/command-words.ts";
import { ensure } from "../../protocol/errors.ts";
import { readUserTextNow, refuseWith } from "../../storage/user-file.ts";

/** Where a program outside this process is: a command to start in each round, or a server on this machine. */
export type TrainerAddress = CommandAddress | { readonly url: URL; readonly token: string };

interface CommandAddress {
  readonly words: readonly [string, ...string[]];
}

/** Of a token's file, blanks included. */
const MOST_TOKEN_BYTES = 65_536;

/** The same before a server's token is known. */
export type TrainerLine = CommandAddress | { readonly url: URL };

/** Names the server's token where no file does. */
export const TOKEN_VARIABLE = "VERISUM_TRAINER_TOKEN";

/** @param text a command unless it begins as a URL @throws USAGE */
export function trainerLine(text: string): TrainerLine {
  return /^https?:/i.test(text) ? { url: trainerUrl(text) } : { words: commandWords(text, "the trainer's command") };
}

/** The token in a file. @throws USAGE */
export function trainerToken(file: string): string {
  const refuse = refuseWith("USAGE", `the token's file ${file}`, { file });
  return checkedToken(readUserTextNow(file, refuse, MOST_TOKEN_BYTES));
}

/** @param token of a file, or what the environment says @throws USAGE for a server without a token */
export function trainerAddress(line: TrainerLine, token: string | undefined): TrainerAddress {
  return "url" in line ? { url: line.url, token: checkedToken(token ?? "") } : line;
}

function checkedToken(text: string): string {
  const token = text.trim();
  ensure(
    /^[\x21-\x7e]{16,1024}$/.test(token),
    "USAGE",
    `a trainer's server needs a token of 16 to 1,024 printable characters, from --trainer-token or ${TOKEN_VARIABLE}`,
  );
  return token;
}

/** A server's URL: HTTP, on this machine only, by its address. @throws USAGE */
export function trainerUrl(text: string): URL {
  const url = URL.parse(text);
  const host = url?.hostname ?? "";
  const isLoopback = host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
  ensure(
    url !== null && url.protocol === "http:" && isLoopback && url.username === "" && url.password === "",
    "USAGE",
    "a trainer's URL is http:// with a loopback address, such as http://127.0.0.1:8000: updates leave this machine only proven",
  );
  return url;
}
