/** The first version's figures of docs/protocol.md ("Costs"), and whether a measurement meets them. */
import type { BenchRow } from "./rows.ts";

/** Client wall time after training by model size, milliseconds; the size in a row stands for sizes up to it. */
const CLIENT_WALL_MS: readonly (readonly [dimension: number, milliseconds: number])[] = [[2_410, 1_500], [10_000, 1_800], [100_000, 8_000]];
const SUBMIT_GAS = 450_000;
const FURTHER_CHUNK_GAS = 70_000;
const FINALIZE_GAS = 260_000;

export interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: "ms" | "gas";
  readonly met: boolean;
}

/** One verdict for each limit that applies to the row's size. */
export function verdictsOf(row: BenchRow): Verdict[] {
  const verdict = (what: string, unit: Verdict["unit"], measured: number, limit: number): Verdict => ({ what, unit, measured, limit, met: measured <= limit });
  const wall = CLIENT_WALL_MS.find(([dimension]) => row.d <= dimension);
  const verdicts = wall === undefined ? [] : [verdict("client wall", "ms", row.client.totalMs, wall[1])];
  const submit = row.chunks === 1 ? "submit, one chunk" : `submit, ${row.chunks} chunks`;
  verdicts.push(verdict(submit, "gas", row.gas.submit, SUBMIT_GAS + (row.chunks - 1) * FURTHER_CHUNK_GAS));
  verdicts.push(verdict("finalize", "gas", row.gas.finalize, FINALIZE_GAS));
  return verdicts;
}
