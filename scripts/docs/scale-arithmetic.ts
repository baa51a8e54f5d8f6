/**
 * Writes the tables of docs/scale.md: what a million clients would cost, from measured figures and stated assumptions.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleBytes, sealedShareBytes } from "../../protocol/bundle.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { PRESETS } from "../../protocol/parameters.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

const CLIENTS = 1_000_000;
const CELL = 256;
const CELLS = Math.ceil(CLIENTS / CELL);
const DIMENSIONS = [10_000, 100_000, 1_200_000] as const;
/** The committee of test/vectors/gas.json. */
const MEMBERS = 5;
const THRESHOLD = 2;
/** Children of a node in the tree of cells. */
const FAN_OUT = 16;

/** Assumptions: change them here, run `npm run generate`. */
const GWEI = [1, 10, 30] as const;
const USD_PER_ETHER = 3000;
const L1_GAS_PER_SECOND = 60_000_000 / 12;
const L2_EXECUTION_GWEI = 0.01;
const L2_GAS_PER_SECOND = 10_000_000;
/** A blob byte costs one unit of blob gas; submissions are incompressible. */
const BLOB_GWEI = [0.1, 1] as const;

interface Scale {
  readonly dimension: number;
  readonly chunks: number;
  /** M. */
  readonly elements: number;
  readonly submitGas: number;
  readonly calldataBytes: number;
  /** Of one cell's round but for the submissions. */
  readonly committeeGas: number;
}

/**
 * `docs/scale.md` with its tables written anew.
 * @param bench the page of measurements; what this run of the generator makes of it, if it does
 */
export function generateScaleFiles(bench = read("docs/bench.md")): Record<string, string> {
  const gas = {
    ...(JSON.parse(read("test/vectors/gas-limits.json")) as Record<string, number>),
    ...(JSON.parse(read("test/vectors/gas.json")) as Record<string, number>),
  };
  const scales = DIMENSIONS.map((dimension) => scaleOf(dimension, gas));
  const tables: Readonly<Record<string, string>> = {
    assumptions: assumptionsTable(),
    bytes: bytesTable(scales),
    gas: gasTable(scales, gas),
    money: moneyTable(scales, gas),
    seconds: secondsTable(bench),
  };
  const page = read("docs/scale.md").replaceAll(
    /<!-- (\w+): generated -->\n[^]*?<!-- end -->/g,
    (_, name: string) => `<!-- ${name}: generated -->\n\n${tables[name] ?? ""}\n\n<!-- end -->`,
  );
  return { "docs/scale.md": page };
}

function scaleOf(dimension: number, gas: Record<string, number>): Scale {
  const layout = layoutFor(PRESETS.standard, dimension);
  const chunks = layout.chunks.length;
  const furtherChunk = (gas["submit, 5 chunks"]! - gas["submit, 2 chunks"]!) / 3;
  const oneChunk = gas["submit, 1 chunk, client 1"]!;
  const kinds = new Set(layout.chunks.map(({ kindIndex }) => kindIndex)).size;
  const furtherKind = gas["submit, 2 chunks of 2 kinds"]! - gas["submit, 2 chunks"]!;
  const submitGas =
    gas[`submit, ${chunks} chunks`] ??
    Math.round(
      chunks === 1 ? oneChunk : gas["submit, 2 chunks"]! + (chunks - 2) * furtherChunk + (kinds - 1) * furtherKind,
    );
  // Selector, round, offset, the head of eight words, three array lengths, a hash a seat, twelve words a chunk, t − 1
  // evaluations.
  const calldataBytes = 4 + 32 * (2 + 8 + 3 + MEMBERS + 12 * chunks + THRESHOLD - 1);
  // A round that leaves a client out; its result opens the next one.
  const committeeGas =
    MEMBERS * (gas["registerRoundKeys, 8 keys"]! / 8) +
    gas["settle, proposing, 4 statements"]! +
    gas["settle, 1 excluded"]! +
    gas["finalize and open, 2 releases, 2 signatures"]!;
  return { dimension, chunks, elements: layout.elementCount, submitGas, calldataBytes, committeeGas };
}

function assumptionsTable(): string {
  return table(
    ["assumption", "value"],
    [
      ["clients; in a cell; cells", `${count(CLIENTS)}; ${CELL}; ${count(CELLS)}`],
      ["committee of each cell", `n = ${MEMBERS}, t = ${THRESHOLD}, as the gas figures`],
      [
        "L1",
        `${GWEI.join(", ")} gwei, ${count(USD_PER_ETHER)} USD for an ether, a block limit of 60 million gas every 12 s with nobody else`,
      ],
      [
        "L2",
        `${L2_EXECUTION_GWEI} gwei for execution, ${count(L2_GAS_PER_SECOND)} gas a second; data in blobs at ${BLOB_GWEI.join(" or ")} gwei a byte, uncompressed`,
      ],
      ["a submission relayed in a batch of 20", "measured with one chunk; further chunks at what they cost alone"],
    ],
  );
}

function bytesTable(scales: readonly Scale[]): string {
  const tree = Math.ceil(Math.log(CELLS) / Math.log(FAN_OUT));
  return table(
    ["bytes in one round", ...scales.map(header)],
    [
      ["chunks; elements M", ...scales.map(({ chunks, elements }) => `${chunks}; ${count(elements)}`)],
      ["client: encrypted shares, all seats", ...scales.map((scale) => bytes(bundleBytes(MEMBERS, shape(scale))))],
      ["client: calldata", ...scales.map(({ calldataBytes }) => bytes(calldataBytes))],
      [
        "member, full share seat: shares of 256 clients",
        ...scales.map((scale) => bytes(CELL * sealedShareBytes(MEMBERS, shape(scale)))),
      ],
      ["aggregator: t releases of its own cell", ...scales.map(({ elements }) => bytes(THRESHOLD * 32 * elements))],
      [
        `signer or auditor, flat: ${count(CELLS - 1)} siblings' aggregates`,
        ...scales.map(({ elements }) => bytes((CELLS - 1) * 32 * elements)),
      ],
      [`the same of 16 cells`, ...scales.map(({ elements }) => bytes((FAN_OUT - 1) * 32 * elements))],
      [
        `node of a tree, fan-out ${FAN_OUT}, ${tree} levels: its children's sums, int32 (not built)`,
        ...scales.map(({ dimension }) => bytes(FAN_OUT * 4 * dimension)),
      ],
      [
        "wide slots: one vector for the group, 7 slots an element (not built)",
        ...scales.map(({ elements }) => bytes(Math.ceil((12 / 7) * elements) * 32)),
      ],
      ["chain: calldata of all clients", ...scales.map(({ calldataBytes }) => bytes(CLIENTS * calldataBytes))],
    ],
  );
}

function gasTable(scales: readonly Scale[], gas: Record<string, number>): string {
  return table(
    ["gas in one round", ...scales.map(header)],
    [
      [
        "client: submit alone",
        ...scales.map(
          ({ submitGas, chunks }) =>
            `${count(submitGas)}${chunks === 1 || `submit, ${chunks} chunks` in gas ? "" : " (extrapolated)"}`,
        ),
      ],
      ["client: relayed in a batch of 20", ...scales.map((scale) => count(batched(scale, gas)))],
      ["a cell's other calls, keys included", ...scales.map(({ committeeGas }) => count(committeeGas))],
      ["the same for each of 256 clients", ...scales.map(({ committeeGas }) => count(committeeGas / CELL))],
      ["a full cell, submissions alone", ...scales.map((scale) => count(CELL * scale.submitGas + scale.committeeGas))],
      [
        "all cells, submissions alone",
        ...scales.map((scale) => `${groupGas(scale, scale.submitGas).toExponential(2)}`),
      ],
      ["all cells, batched", ...scales.map((scale) => groupGas(scale, batched(scale, gas)).toExponential(2))],
      [
        "hours of L1, batched",
        ...scales.map((scale) => (groupGas(scale, batched(scale, gas)) / L1_GAS_PER_SECOND / 3600).toFixed(1)),
      ],
      [
        "hours of the L2, batched",
        ...scales.map((scale) => (groupGas(scale, batched(scale, gas)) / L2_GAS_PER_SECOND / 3600).toFixed(1)),
      ],
    ],
  );
}

function moneyTable(scales: readonly Scale[], gas: Record<string, number>): string {
  const l1 = GWEI.flatMap((gwei) => [
    [`L1, ${gwei} gwei: a client, alone`, ...scales.map((scale) => usd(ether(scale.submitGas, gwei)))],
    [`L1, ${gwei} gwei: a client, batched`, ...scales.map((scale) => usd(ether(batched(scale, gas), gwei)))],
    [
      `L1, ${gwei} gwei: a cell's committee and aggregator`,
      ...scales.map((scale) => usd(ether(scale.committeeGas, gwei))),
    ],
    [
      `L1, ${gwei} gwei: the round, batched`,
      ...scales.map((scale) => usd(ether(groupGas(scale, batched(scale, gas)), gwei))),
    ],
  ]);
  const l2 = BLOB_GWEI.flatMap((gwei) => [
    [
      `L2, blobs at ${gwei} gwei: a client, batched (execution + data)`,
      ...scales.map(
        (scale) => `${usd(ether(batched(scale, gas), L2_EXECUTION_GWEI))} + ${usd(ether(scale.calldataBytes, gwei))}`,
      ),
    ],
    [
      `L2, blobs at ${gwei} gwei: a cell's committee and aggregator`,
      ...scales.map((scale) => usd(ether(scale.committeeGas, L2_EXECUTION_GWEI))),
    ],
    [
      `L2, blobs at ${gwei} gwei: the round, batched`,
      ...scales.map((scale) =>
        usd(
          ether(groupGas(scale, batched(scale, gas)), L2_EXECUTION_GWEI) + ether(CLIENTS * scale.calldataBytes, gwei),
        ),
      ),
    ],
  ]);
  return table(["USD in one round", ...scales.map(header)], [...l1, ...l2]);
}

/** Seconds from docs/bench.md, where it has them; the largest model is scaled from the one before. */
function secondsTable(bench: string): string {
  const [small, middle, large] = DIMENSIONS;
  const columns = [
    (row: string) => benchMs(bench, row, small),
    (row: string) => benchMs(bench, row, middle),
    (row: string) => scaled(benchMs(bench, row, middle), large / middle),
  ] as const;
  const line = (title: string, row: string, times: number): string[] => [
    title,
    ...columns.map((column) => duration(scaled(column(row), times))),
  ];
  return table(
    [
      "seconds in one round, one machine of docs/bench.md",
      `d = ${count(small)}`,
      `d = ${count(middle)}`,
      `d = ${count(large)}, scaled`,
    ],
    [
      line("client: everything after training", "total", 1),
      line("member: check 256 clients' shares", "member: check one client, ms", CELL),
      line("aggregator: its own cell", "aggregator: one round, ms", 1),
      line("signer, 16 cells: siblings' releases or aggregates, at most", "aggregator: one round, ms", FAN_OUT - 1),
      line(`signer, flat over ${count(CELLS)} cells, at most`, "aggregator: one round, ms", CELLS - 1),
    ],
  );
}

/** Milliseconds of a row for a model size; undefined if the page has no such figure. */
function benchMs(bench: string, row: string, dimension: number): number | undefined {
  const lines = bench.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| ${row} |`));
  const head = lines.slice(0, Math.max(at, 0)).findLast((line) => line.includes("d = "));
  const column = cells(head).findIndex((cell) => cell === `d = ${count(dimension)}`);
  const value = Number(cells(lines[at])[column]?.replaceAll(",", ""));
  return column < 0 || Number.isNaN(value) ? undefined : value;
}

const cells = (line: string | undefined): string[] => (line ?? "").split("|").map((cell) => cell.trim());
const shape = ({ elements }: Scale): { elementCount: number; threshold: number } => ({
  elementCount: elements,
  threshold: THRESHOLD,
});
const header = ({ dimension }: Scale): string => `d = ${count(dimension)}`;
/** The first chunk as measured in a batch, further ones as measured alone. */
const batched = ({ submitGas }: Scale, gas: Record<string, number>): number =>
  gas["batch of 20, per client, later round"]! + submitGas - gas["submit, 1 chunk, client 1"]!;
const groupGas = ({ committeeGas }: Scale, submission: number): number => CLIENTS * submission + CELLS * committeeGas;
const ether = (gas: number, gwei: number): number => gas * gwei * 1e-9;
const scaled = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : value * by;
const duration = (ms: number | undefined): string =>
  ms === undefined ? "not measured" : ms < 100_000 ? (ms / 1000).toFixed(2) : count(ms / 1000);
const count = (value: number): string => Math.round(value).toLocaleString("en-US");

function usd(amount: number): string {
  const value = amount * USD_PER_ETHER;
  return value >= 100 ? count(value) : value.toPrecision(2);
}

function bytes(value: number): string {
  const [unit, size] = value >= 1e9 ? ["GB", 1e9] : value >= 1e6 ? ["MB", 1e6] : value >= 1e4 ? ["kB", 1e3] : ["B", 1];
  return `${value / size >= 100 || size === 1 ? count(value / size) : (value / size).toPrecision(3)} ${unit}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
