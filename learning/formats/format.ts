/**
 * What a data format is to the rest of the program. A format is one file in this folder and one entry in the list
 * registry.ts.
 */
import type { LoadedData } from "../examples.ts";
import { readOptions } from "./options.ts";
import type { OptionReaders, OptionValues } from "./options.ts";

/** What a data specification names before its `?`. */
export interface Source {
  readonly path: string;
  readonly kind: "missing" | "file" | "directory";
  /** Of a directory: the names in it. */
  readonly entries: readonly string[];
}

/** A format as the list holds it. */
export interface DataFormat {
  /** As messages call it. */
  readonly name: string;
  /** What it looks like on a command line, for messages. */
  readonly sources: string;
  /** Options besides those that every format has. */
  readonly optionNames: readonly string[];
  /** Whether this format is to load the source; the first of the list that says so does. */
  recognises(source: Source): boolean;
  /** @param options as texts; those of other names are left alone. @throws DATASET_… */
  load(source: Source, options: ReadonlyMap<string, string>): Promise<LoadedData>;
}

/** A format that is given its options as its own readers read them. */
export function dataFormat<Readers extends OptionReaders>({
  options: readers,
  load,
  ...format
}: Omit<DataFormat, "optionNames" | "load"> & {
  readonly options: Readers;
  readonly load: (source: Source, options: OptionValues<Readers>) => Promise<LoadedData>;
}): DataFormat {
  return {
    ...format,
    optionNames: Object.keys(readers),
    load: (source, options) => load(source, readOptions(options, readers)),
  };
}
