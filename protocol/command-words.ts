/** How a command line becomes a program and its arguments, where no shell reads it. */
import { ensure } from "./errors.ts";

/**
 * Words between blanks. Single or double quotes keep blanks inside a word and are dropped, also in its middle; nothing
 * else is special: no escapes, variables or wildcards.
 * @param what names the command in the refusal
 * @throws USAGE if there is no word, or a quote stays open
 */
export function commandWords(line: string, what: string): readonly [string, ...string[]] {
  const words: string[] = [];
  const pattern = /\s+|((?:[^\s"']|"[^"]*"|'[^']*')+)|["']/gy;
  for (const [part, word] of line.matchAll(pattern)) {
    ensure(word !== undefined || part.trim() === "", "USAGE", `${what} has a quote that stays open`);
    if (word !== undefined)
      words.push(
        word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? ""),
      );
  }
  const [program, ...rest] = words;
  ensure(program !== undefined && program !== "", "USAGE", `${what} is blank`);
  return [program, ...rest];
}
