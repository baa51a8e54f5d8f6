/** Options that may stand on a command line more than once. */
const known = new WeakSet<object>();

/** Marks a parser that adds to the values before; every other option is refused where it is repeated (program.ts). */
export function repeatable<T, Before>(parse: (text: string, before: Before) => T): (text: string, before: Before) => T {
  known.add(parse);
  return parse;
}

/** Whether an option with this parser may be repeated. */
export function isRepeatable(parse: object | undefined): boolean {
  return parse !== undefined && known.has(parse);
}
