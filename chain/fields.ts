/** Between the generated types of the contract's values and the project's own, field by field. */

/**
 * How each field of one type becomes that of another. A field that only one of the two has needs a function that does
 * not exist: what Solidity gains and TypeScript forgets, or the other way round, does not compile.
 */
export type Fields<From, To> = {
  readonly [K in keyof From | keyof To]: K extends keyof From & keyof To ? (value: From[K]) => To[K] : never;
};

/** What ethers encodes as a decoded value: integers may be numbers as well. */
export type Encodable<T> = T extends bigint
  ? bigint | number
  : T extends object
    ? { readonly [K in keyof T]: Encodable<T[K]> }
    : T;

/** Converts one value by the table of its fields, and nothing besides them. */
export function converter<From, To>(fields: Fields<From, To>): (from: From) => To {
  const entries = Object.entries(fields) as [keyof From & string, (value: unknown) => unknown][];
  return (from) => Object.fromEntries(entries.map(([name, convert]) => [name, convert(from[name])])) as To;
}

/** A field that both types have alike. Lists and structs are no such fields: ethers wraps them. */
export function same<T extends bigint | boolean | string>(value: T): T {
  return value;
}
