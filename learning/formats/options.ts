/** The options behind the `?` of a data specification: each has a name and a way to read its text. */
import { VerisumError } from "../../protocol/errors.ts";

/** Reads one option's text. @throws DATASET_SPEC_INVALID naming the option */
type OptionReader<T> = (name: string, text: string) => T;

/** Options by name. */
export type OptionReaders = Readonly<Record<string, OptionReader<unknown>>>;

/** What was read; an option that is not given is undefined. */
export type OptionValues<Readers extends OptionReaders> = {
  readonly [Name in keyof Readers]: ReturnType<Readers[Name]> | undefined;
};

/** Cuts `name=value&…`. @throws DATASET_SPEC_INVALID for a repeated option or one without exactly one value */
export function splitOptions(text: string): Map<string, string> {
  const options = new Map<string, string>();
  for (const pair of text === "" ? [] : text.split("&")) {
    const [name = "", value, ...rest] = pair.split("=");
    if (value === undefined || value === "" || rest.length > 0 || options.has(name))
      throw invalidSpec(`option ${name} needs one value`);
    options.set(name, value);
  }
  return options;
}

/** Reads those of the options that `readers` names. */
export function readOptions<Readers extends OptionReaders>(
  options: ReadonlyMap<string, string>,
  readers: Readers,
): OptionValues<Readers> {
  const read = Object.entries(readers).map(([name, reader]) => {
    const text = options.get(name);
    return [name, text === undefined ? undefined : reader(name, text)];
  });
  return Object.fromEntries(read) as OptionValues<Readers>;
}

/** A comma-separated list of finite numbers. */
export const numbers: OptionReader<readonly number[]> = (name, text) => {
  const values = text.split(",").map((item) => (item.trim() === "" ? NaN : Number(item)));
  if (values.some((value) => !Number.isFinite(value))) throw invalidSpec(`${name} is not a number`);
  return values;
};

export const positiveNumbers: OptionReader<readonly number[]> = (name, text) => {
  const values = numbers(name, text);
  if (values.some((value) => value <= 0)) throw invalidSpec(`${name} must be positive`);
  return values;
};

/** A whole number in [least, most]. */
export function wholeNumber(least: number, most: number): OptionReader<number> {
  return (name, text) => {
    const [value, ...rest] = numbers(name, text);
    if (rest.length > 0 || value === undefined || !Number.isInteger(value) || value < least || value > most)
      throw invalidSpec(`${name} must be a whole number from ${least} to ${most}`);
    return value;
  };
}

/** Names separated by commas; what has a meaning in options is percent-encoded, as %2C for a comma. */
export const names: OptionReader<readonly string[]> = (option, text) => {
  const found = text.split(",").map((item) => percentDecoded(option, item).trim());
  if (found.includes("")) throw invalidSpec(`${option} has an empty name`);
  if (new Set(found).size < found.length) throw invalidSpec(`${option} has a name twice`);
  return found;
};

/** One name, as in `names`. */
export const name: OptionReader<string> = (option, text) => {
  const [found, ...rest] = names(option, text);
  if (rest.length > 0) throw invalidSpec(`${option} takes one name; a comma within a name is written %2C`);
  return found!;
};

/** How many classes there are, or their names in order. */
export function classNamesOrNumber(most: number): OptionReader<number | readonly string[]> {
  return (option, text) => {
    const found = names(option, text);
    if (found.length === 1) return wholeNumber(2, most)(option, text);
    if (found.length > most) throw invalidSpec(`${option} has more than ${most} names`);
    return found;
  };
}

export function oneOf<const Words extends readonly string[]>(...words: Words): OptionReader<Words[number]> {
  return (option, text) => {
    if (!words.includes(text)) throw invalidSpec(`${option} must be ${words.join(" or ")}, not ${text}`);
    return text;
  };
}

/** A number between 0 and 1, both excluded. */
export const share: OptionReader<number> = (option, text) => {
  const [value, ...rest] = positiveNumbers(option, text);
  if (rest.length > 0 || value === undefined || value >= 1) throw invalidSpec(`${option} must lie between 0 and 1`);
  return value;
};

/** @throws DATASET_SPEC_INVALID naming the option */
export function percentDecoded(option: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidSpec(`${option}: a percent sign is written %25`);
  }
}

export function invalidSpec(message: string): VerisumError {
  return new VerisumError("DATASET_SPEC_INVALID", message);
}
