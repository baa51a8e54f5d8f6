/** Tables for tests: a folder of files, and all rows of one as a client would read them, before they are split. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { resolveData } from "../../learning/dataset.ts";
import { encodeTable } from "../../learning/tables/encode.ts";
import type { Encoded } from "../../learning/tables/encode.ts";
import { planFor } from "../../learning/tables/plan.ts";
import type { TableSchema } from "../../learning/tables/schema.ts";

export interface WholeTable extends Encoded {
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly classCount: number;
  /** Events of all notes. */
  readonly events: readonly string[];
}

export async function readWhole(spec: string, schema?: TableSchema): Promise<WholeTable> {
  const { source, format, options } = await resolveData(spec);
  assert.ok(format.open !== undefined, `${spec} is no table`);
  const { train, columns } = await format.open(source, options);
  const plan = planFor(train, columns, schema);
  const encoded = await encodeTable(train, plan);
  const { features, labels, exampleCount, classCount } = encoded.data;
  const width = features.length / exampleCount;
  return {
    ...encoded,
    names: plan.features.map(({ name }) => name),
    rows: Array.from({ length: exampleCount }, (_, i) => [...features.subarray(i * width, (i + 1) * width)]),
    labels: [...labels],
    classCount,
    events: [...train.notes, ...encoded.notes].map(({ event }) => event),
  };
}

export interface Folder {
  /** Writes it, and the folders on the way to it. @returns its path */
  file(name: string, content: string | Uint8Array): Promise<string>;
  remove(): Promise<void>;
}

export async function temporaryFolder(): Promise<Folder> {
  const folder = await mkdtemp(join(tmpdir(), "verisum-tables-"));
  return {
    async file(name, content) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
      return join(folder, name);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}
