/** The figures of a run of several cells, in Markdown as docs/scale.md quotes them. */
import { median } from "../bench/statistics.ts";
import type { LedgerRow } from "./ledger.ts";

/** What one cell's roles reported; seconds since the roles were started. */
export interface CellFigures {
  readonly opened: Map<number, number>;
  readonly finalised: Map<number, number>;
  readonly accuracy: Map<number, number>;
  readonly models: Map<number, string>;
  readonly proveMs: number[];
  readonly bundleBytes: number[];
}

export interface CellsRun {
  readonly cells: readonly CellFigures[];
  readonly ledger: readonly LedgerRow[];
  readonly rounds: number;
  readonly cellCount: number;
  readonly clients: number;
  readonly members: number;
  /** M. */
  readonly elementCount: number;
  readonly threshold: number;
  readonly totalSeconds: number;
  readonly auditSeconds: readonly number[];
}

const group = (value: number | bigint): string => value.toLocaleString("en-US");

export function printReport(write: (line: string) => void, run: CellsRun): void {
  const first = run.cells[0]!;
  const steps = [...first.finalised.keys()];
  write("");
  write(`| ${run.cellCount} cells, ${run.clients} clients, ${run.members} members a cell, ${run.rounds} rounds | |`);
  write("| --- | ---: |");
  write(`| seconds, start of the roles to the last finalised round | ${run.totalSeconds.toFixed(1)} |`);
  for (const [i, round] of steps.entries()) {
    const opened = Math.min(...run.cells.map(({ opened: all }) => [...all.values()][i] ?? Infinity));
    const ended = Math.max(...run.cells.map(({ finalised }) => [...finalised.values()][i] ?? 0));
    write(`| seconds, round ${round}: first cell opened to last cell finalised | ${(ended - opened).toFixed(1)} |`);
  }
  write(
    `| seconds between the cells' last finalisations | ${(Math.max(...run.cells.map(lastOf)) - Math.min(...run.cells.map(lastOf))).toFixed(1)} |`,
  );
  write(
    `| milliseconds for a proof, median over clients | ${group(median(run.cells.flatMap(({ proveMs }) => proveMs)))} |`,
  );
  write(
    `| seconds, \`fl verify\` in one cell, both cells' proofs included | ${Math.max(...run.auditSeconds).toFixed(1)} |`,
  );
  const accuracy = [...first.accuracy.values()].at(-1);
  if (accuracy !== undefined) write(`| test accuracy of the common model, % | ${(accuracy * 100).toFixed(1)} |`);
  for (const { role, call, count, gas, bytes } of run.ledger)
    write(
      `| gas, ${role}: ${call}, mean of ${count} (${group(Math.round(bytes / count))} bytes of calldata) | ${group(gas / BigInt(count))} |`,
    );
  write(
    `| bytes, a client's encrypted shares | ${group(median(run.cells.flatMap(({ bundleBytes }) => bundleBytes)))} |`,
  );
  write(`| bytes, one release, and one aggregate | ${group(32 * run.elementCount)} |`);
  const siblings = run.cellCount - 1;
  write(
    `| bytes, a signer downloads for the siblings: ${run.threshold} releases each, or the aggregate once it is published | ${group(siblings * run.threshold * 32 * run.elementCount)} or ${group(siblings * 32 * run.elementCount)} |`,
  );
}

function lastOf({ finalised }: CellFigures): number {
  return Math.max(...finalised.values());
}
