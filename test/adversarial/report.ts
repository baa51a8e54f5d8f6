/** What the adversarial test came to, as a table for people and as JSON. */
import { z } from "zod";
import { BROKEN } from "./tally.ts";
import type { Broken, Tally } from "./tally.ts";

const count = z.int().min(0);
const brokenSchema = z.strictObject(
  Object.fromEntries(BROKEN.map((kind) => [kind, count])) as Record<Broken, typeof count>,
);

export const partSchema = z.strictObject({
  name: z.string(),
  /** By what was done. */
  faults: z.record(z.string(), count),
  injected: count,
  /** Followed by a final round. */
  survived: count,
  roundsFinal: count,
  broken: brokenSchema,
  /** From a fault to the next final round; in the simulator's part by its virtual clock. */
  meanRecoverySeconds: z.number().min(0),
  /** Faults that were to be injected, and whose occasion did not come. */
  notReached: z.array(z.string()),
  /** Each broken promise, with what is known of it. */
  details: z.array(z.string()),
  /** What the part took. */
  seconds: z.number().min(0),
});

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  ok: z.boolean(),
  parts: z.array(partSchema),
});

export type PartReport = z.infer<typeof partSchema>;
export type Report = z.infer<typeof reportSchema>;

/** A part over processes. */
export function partReport(
  name: string,
  tally: Tally,
  { seconds, notReached = [] }: { readonly seconds: number; readonly notReached?: readonly string[] },
): PartReport {
  const injected = sum([...tally.injected.values()]);
  return {
    name,
    faults: Object.fromEntries(tally.injected),
    injected,
    survived: injected - tally.open,
    roundsFinal: tally.roundsFinal,
    broken: brokenCounts(tally.broken.map(({ kind }) => kind)),
    meanRecoverySeconds: mean(tally.recoverySeconds),
    notReached: [...notReached],
    details: tally.broken.map(({ kind, detail }) => `${kind}: ${detail}`),
    seconds,
  };
}

export function brokenCounts(kinds: readonly Broken[]): Record<Broken, number> {
  return Object.fromEntries(BROKEN.map((kind) => [kind, kinds.filter((other) => other === kind).length])) as Record<
    Broken,
    number
  >;
}

/** Whether nothing was broken and nothing left out. */
export function reportOf(parts: readonly PartReport[]): Report {
  const ok = parts.every(({ broken, notReached, injected, survived }) => {
    return sum(Object.values(broken)) === 0 && notReached.length === 0 && survived === injected;
  });
  return { schemaVersion: 1, ok, parts: [...parts] };
}

const COLUMNS: readonly (readonly [string, (part: PartReport) => number])[] = [
  ["faults injected", ({ injected }) => injected],
  ["survived", ({ survived }) => survived],
  ...BROKEN.map((kind) => [kind, ({ broken }: PartReport) => broken[kind]] as const),
  ["rounds final", ({ roundsFinal }) => roundsFinal],
  ["mean recovery, seconds", ({ meanRecoverySeconds }) => Math.round(10 * meanRecoverySeconds) / 10],
  ["not reached", ({ notReached }) => notReached.length],
  ["seconds", ({ seconds }) => Math.round(seconds)],
];

/** One column for each part. */
export function tableOf({ parts }: Report): string {
  const rows = [
    ["", ...parts.map(({ name }) => name)],
    ...COLUMNS.map(([title, of]) => [title, ...parts.map((part) => of(part).toLocaleString("en"))]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  const details = parts.flatMap(({ name, details: all, notReached }) => [
    ...all.map((detail) => `${name}: ${detail}`),
    ...notReached.map((what) => `${name}: not reached: ${what}`),
  ]);
  return [...lines, ...details].join("\n");
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
