/** JSON.parse keeps the last of two equal keys; a reader that keeps the first sees something else. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * A key that one object of this JSON has twice, if there is one. Takes time in proportion to the text.
 * @param text what JSON.parse takes
 */
export function repeatedKey(text: string): string | undefined {
  const levels: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "{") levels.push(new Set());
    else if (character === "}") levels.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      if (isKey(text, end)) {
        const name = String(JSON.parse(text.slice(at, end + 1)));
        if (levels.at(-1)?.has(name) === true) return name;
        levels.at(-1)?.add(name);
      }
      at = end;
    }
  }
  return undefined;
}

/** Where the string that begins here has its last quote. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length && text.charCodeAt(at) !== QUOTE; at++) if (text.charCodeAt(at) === BACKSLASH) at++;
  return at;
}

/** Whether a colon follows the string that ends here. */
function isKey(text: string, end: number): boolean {
  let at = end + 1;
  while (at < text.length && text[at]!.trim() === "") at++;
  return text.charCodeAt(at) === COLON;
}
