/** Measured gas against a committed file. `UPDATE_GAS=1` rewrites the file. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Relative change that fails. */
const TOLERANCE = 0.05;

/** @param file name under test/vectors */
export function assertGasSnapshot(file: string, measured: Readonly<Record<string, number>>): void {
  const path = join(import.meta.dirname, "../vectors", file);
  if (process.env["UPDATE_GAS"] === "1") writeFileSync(path, `${JSON.stringify(measured, undefined, 2)}\n`);
  const snapshot = JSON.parse(readFileSync(path, "utf8")) as Record<string, number>;
  assert.deepEqual(Object.keys(measured).sort(), Object.keys(snapshot).sort());
  const changed = Object.entries(measured).filter(
    ([name, gas]) => Math.abs(gas - snapshot[name]!) > TOLERANCE * snapshot[name]!,
  );
  assert.deepEqual(
    changed.map(([name, gas]) => `${name}: ${snapshot[name]} -> ${gas}`),
    [],
  );
}
