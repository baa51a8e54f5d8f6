/**
 * What a data format is to the rest of the program. A format is one file in this folder and one entry in the list
 * registry.ts.
 */
import type { LoadedData } from "../examples.ts";
import type { SplitOptions } from "../split.ts";
import type { ColumnOptions } from "../tables/plan.ts";
import type { TableSchema } from "../tables/schema.ts";
import type { Table } from "../tables/table.ts";
import { invalidSpec, readOptions } from "./options.ts";
import type { OptionReaders, OptionValues } from "./options.ts";

/** What a data specification names before its `?`. */
export interface Source {
  readonly path: string;
  readonly kind: "missing" | "file" | "directory";
  /** Of a directory: the names in it. */
  readonly entries: readonly string[];
}

/** Told how many rows of a table have been read. */
export type OnRows = (rows: number) => void;

/**
 * What data is loaded for: to learn from it; to answer each of its rows, which may lack labels and are not split; or to
 * answer those of one part of the split. Both of the latter know their rows (`Dataset.rows`), if the data is a table.
 */
export type DataUse = "learning" | "answering" | "answering-a-part";

/** A format as the list holds it. */
export interface DataFormat {
  /** As messages call it. */
  readonly name: string;
  /** What stands before the path and a colon to ask for this format, whatever the file is called. */
  readonly scheme: string;
  /** What it looks like on a command line, for messages. */
  readonly sources: string;
  /** Options besides those that every format has. */
  readonly optionNames: readonly string[];
  /** What stored values are divided by before they are scaled; 1 if absent. */
  readonly divisor?: number;
  /** How they are scaled then, where no option decides it. */
  readonly scaling?: { readonly mean: number; readonly stdDev: number };
  /** Whether classes are called by words, which the option `classes` puts in order. */
  readonly namesClasses?: boolean;
  /** Whether this format is to load the source; the first of the list that says so does. */
  recognises(source: Source): boolean;
  /**
   * @param options as texts; those of other names are left alone
   * @param schema of the task's tables, if it has one
   * @throws DATASET_…, DATASET_SPEC_INVALID for a schema with data that is no table
   */
  load(
    source: Source,
    options: ReadonlyMap<string, string>,
    schema?: TableSchema,
    onRows?: OnRows,
    use?: DataUse,
  ): Promise<LoadedData>;
  /** Of tables: what `load` reads, before it decides what the columns mean. */
  readonly open?: (source: Source, options: ReadonlyMap<string, string>) => Promise<OpenTables>;
}

/** The tables that a source has, and what is said of them. */
export interface OpenTables {
  readonly train: Table;
  /** Absent where the test data is split off the one table. */
  readonly test?: Table;
  readonly columns: ColumnOptions;
  readonly split: SplitOptions;
}

/** A format of other things than tables, which is given its options as its own readers read them. */
export function dataFormat<Readers extends OptionReaders>({
  options: readers,
  load,
  ...format
}: Omit<DataFormat, "optionNames" | "load" | "open"> & {
  readonly options: Readers;
  readonly load: (source: Source, options: OptionValues<Readers>) => Promise<LoadedData>;
}): DataFormat {
  return {
    ...format,
    optionNames: Object.keys(readers),
    load: async (source, options, schema) => {
      if (schema !== undefined)
        throw invalidSpec(`the task's document describes a table, and ${source.path} holds ${format.name} data`);
      return load(source, readOptions(options, readers));
    },
  };
}
