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

export function invalidSpec(message: string): VerisumError {
  return new VerisumError("DATASET_SPEC_INVALID", message);
}
