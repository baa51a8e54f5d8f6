/**
 * What large data takes: two million rows of CSV and of Parquet, and a million windows of a sensor stream.
 *
 *   node experiments/large-data.ts [--rows 2000000] [--windows 1000000]
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileWriter, parquetWriteRows } from "hyparquet-writer";
import { positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { loadDataset } from "../learning/dataset.ts";
import { seededStream } from "../learning/seeded-stream.ts";

const FEATURES = 20;
const CHANNELS = ["acc_x", "acc_y", "acc_z"];
const WINDOW = 50;
const STEP = 4;
const SERIES = 100;
const LINES_AT_ONCE = 10_000;
const NAMES = Array.from({ length: FEATURES }, (_, i) => `f${i}`);
/** A few thousand different rows, over and over, are as much work to read as others. */
const stream = seededStream("large-data", 1);
const ROWS = Array.from({ length: 5003 }, () => NAMES.map(() => Number(stream.normal().toFixed(5))));

interface Measured {
  readonly examples: number;
  readonly shape: readonly number[];
  readonly seconds: number;
  readonly peakMb: number;
}

const [, script, asked] = process.argv;
if (process.send !== undefined && asked !== undefined) {
  const started = performance.now();
  let told = 0;
  const { train, test } = await loadDataset(asked, undefined, () => told++);
  if (told === 0) throw new Error("no progress was told");
  const measured: Measured = {
    examples: train.exampleCount + test.exampleCount,
    shape: train.featureShape,
    seconds: (performance.now() - started) / 1000,
    peakMb: (process.resourceUsage().maxRSS * 1024) / 1e6,
  };
  process.send(measured);
} else {
  const program = createProgram("large-data", "measure what large data takes")
    .option("--rows <n>", "rows of the tables", positiveInteger, 2_000_000)
    .option("--windows <n>", "windows of the stream", positiveInteger, 1_000_000);
  const { rows, windows } = program.parse().opts<{ rows: number; windows: number }>();
  const folder = await mkdtemp(join(tmpdir(), "verisum-large-"));
  try {
    for (const [path, options] of [
      [await writeCsv(join(folder, "table.csv"), rows), ""],
      [await writeParquet(join(folder, "table.parquet"), rows), ""],
      [await writeStream(join(folder, "stream.csv"), windows), `?group=subject&time=t&window=${WINDOW}&step=${STEP}`],
    ] as const) {
      const { examples, shape, seconds, peakMb } = await measure(path + options);
      const megabytes = ((await stat(path)).size / 1e6).toFixed(0);
      process.stdout.write(
        `${path.slice(folder.length + 1)}${options}: ${megabytes} MB, ${examples} examples of ${shape.join("×")}, ${seconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB\n`,
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** In a process of its own, whose peak is of nothing else. */
async function measure(spec: string): Promise<Measured> {
  const child = fork(script!, [spec]);
  const [measured] = (await once(child, "message")) as [Measured];
  return measured;
}

async function writeLines(path: string, lines: Iterable<string>): Promise<string> {
  const file = createWriteStream(path);
  let held: string[] = [];
  const write = async (): Promise<void> => {
    if (!file.write(`${held.join("\n")}\n`)) await once(file, "drain");
    held = [];
  };
  for (const line of lines) {
    held.push(line);
    if (held.length >= LINES_AT_ONCE) await write();
  }
  if (held.length > 0) await write();
  file.end();
  await finished(file);
  return path;
}

function writeCsv(path: string, rows: number): Promise<string> {
  return writeLines(
    path,
    (function* () {
      yield `${NAMES.join(",")},label`;
      for (let row = 0; row < rows; row++) yield `${ROWS[row % ROWS.length]!.join(",")},${row % 7 === 0 ? 1 : 0}`;
    })(),
  );
}

async function writeParquet(path: string, rows: number): Promise<string> {
  await parquetWriteRows({
    writer: fileWriter(path),
    columns: [...NAMES.map((name) => ({ name, type: "DOUBLE" as const })), { name: "label", type: "INT32" as const }],
    rows: (function* () {
      for (let row = 0; row < rows; row++) {
        const values = ROWS[row % ROWS.length]!;
        yield { ...Object.fromEntries(NAMES.map((name, i) => [name, values[i]!])), label: row % 7 === 0 ? 1 : 0 };
      }
    })(),
    rowGroupSize: 100_000,
  });
  return path;
}

/** As many rows as give so many windows, in series of one label each. */
function writeStream(path: string, windows: number): Promise<string> {
  const rows = (Math.ceil(windows / SERIES) - 1) * STEP + WINDOW;
  return writeLines(
    path,
    (function* () {
      yield `subject,t,${CHANNELS.join(",")},label`;
      for (let series = 0; series < SERIES; series++)
        for (let row = 0; row < rows; row++)
          yield `s${series},${row / 50},${ROWS[row % ROWS.length]!.slice(0, CHANNELS.length).join(",")},${series % 4}`;
    })(),
  );
}
