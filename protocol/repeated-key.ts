/** JSON.parse keeps the last of two equal keys; a reader that keeps the first sees something else. */

/** A string with what tells that it is a key, another string, or an end of an object. */
const TOKENS = /("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g;

/** A key that one object of this JSON has twice, if there is one. @param text what JSON.parse takes */
export function repeatedKey(text: string): string | undefined {
  const levels: Set<string>[] = [];
  for (const [token, key] of text.matchAll(TOKENS)) {
    if (token === "{") levels.push(new Set());
    else if (token === "}") levels.pop();
    else if (key !== undefined) {
      const name = String(JSON.parse(key));
      if (levels.at(-1)?.has(name) === true) return name;
      levels.at(-1)?.add(name);
    }
  }
  return undefined;
}
