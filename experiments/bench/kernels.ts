/**
 * Times the kernel of proving/curve/kernel against ffjavascript: `node experiments/bench/kernels.ts`. With a file's
 * name it keeps the rows there as JSON, for docs/bench.md.
 * Both do the same work in turn; the figure is the fastest repeat. One thread is measured by its processor time,
 * several by the clock.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { WasmCurve } from "ffjavascript";
import { encodeScalars, openThreadlessCurve, SCALAR_BYTES } from "../../proving/curve/bn254.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import type { Curve } from "../../proving/curve/curve.ts";
import type { GroupName } from "../../proving/curve/fixed-base-kernel.ts";
import { generatorMultiples } from "../../proving/node/fixed-base.ts";
import { compileKernel } from "../../proving/curve/kernel/kernel-memory.ts";
import { PointMemory } from "../../proving/curve/kernel/point-memory.ts";
import { pointModule } from "../../proving/curve/kernel/point-module.ts";
import { PointTasks } from "../../proving/curve/kernel/point-task.ts";
import { QuotientTasks } from "../../proving/curve/kernel/quotient-task.ts";
import { transformModule } from "../../proving/curve/kernel/transform-module.ts";
import { multiExponentiation, sumOfBits } from "../../proving/curve/multi-exponentiation.ts";
import { openPointAdder } from "../../proving/curve/point-adder.ts";
import { rootOfUnity } from "../../proving/groth16/qap.ts";
import { randomElements } from "../../protocol/field.ts";
import { kernelSurroundings, kernelTable } from "./kernel-report.ts";
import type { KernelReport, KernelRow } from "./kernel-report.ts";
import { describeMachine, loadOfLastMinute } from "./machine.ts";
import { renderText } from "./tables.ts";

const DATA = "docs/data/kernels.json";
const REPEATS = 3;
const MOST_POINTS = 100_000;
const GROUPS = 4096;

type Clock = () => number;
type Work = () => Promise<unknown>;

const processorMs: Clock = () => process.cpuUsage().user / 1000;
const wallMs: Clock = () => performance.now();

/** The fastest of several runs of each, alternating. */
async function fastest(clock: Clock, works: readonly [Work, Work]): Promise<[number, number]> {
  const best: [number, number] = [Infinity, Infinity];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    for (const side of [0, 1] as const) {
      const start = clock();
      await works[side]();
      best[side] = Math.min(best[side], clock() - start);
    }
  }
  return best;
}

const rows: KernelRow[] = [];

async function addRow(work: string, items: number, clock: Clock, kernel: Work, engine: Work): Promise<void> {
  const [own, other] = await fastest(clock, [kernel, engine]);
  rows.push({ work, items, kernelNs: (own * 1e6) / items, engineNs: (other * 1e6) / items });
}

/** Counts and bytes of scalars, by group. A proof's sums have some thousands to 100,000 terms in G1, fewer in G2. */
const SUMS: Readonly<Record<GroupName, readonly (readonly [count: number, scalarBytes: number])[]>> = {
  G1: [
    [2 ** 12, SCALAR_BYTES],
    [2 ** 14, SCALAR_BYTES],
    [2 ** 16, SCALAR_BYTES],
    [MOST_POINTS, SCALAR_BYTES],
    [2 ** 16, 2],
  ],
  G2: [
    [2 ** 12, SCALAR_BYTES],
    [2 ** 14, SCALAR_BYTES],
    [2 ** 14, 2],
  ],
};

async function sums(group: GroupName, curve: Curve, alone: WasmCurve): Promise<void> {
  const most = Math.max(...SUMS[group].map(([count]) => count));
  const bases = await generatorMultiples(group, randomElements(most, randomBytes));
  const tasks = new PointTasks(new PointMemory(compileKernel(pointModule(group)), group));
  for (const [count, scalarBytes] of SUMS[group]) {
    const points = bases.slice(0, (count * bases.length) / most);
    const scalars =
      scalarBytes === SCALAR_BYTES
        ? encodeScalars(randomElements(count, randomBytes))
        : Uint8Array.from(randomBytes(count * scalarBytes));
    const name = `sum of multiples in ${group}, ${8 * scalarBytes}-bit`;
    await addRow(
      `${name}, one thread`,
      count,
      processorMs,
      async () => sumOfBits(alone[group], tasks.run({ points, scalars, scalarBytes })),
      () => alone[group].multiExpAffine(points, scalars),
    );
    await addRow(
      `${name}, all cores`,
      count,
      wallMs,
      () => multiExponentiation(curve, points, scalars, group),
      () => curve[group].multiExpAffine(points, scalars),
    );
  }
}

async function groupSums(): Promise<void> {
  const points = await generatorMultiples("G1", randomElements(60_000, randomBytes));
  const tasks = new PointTasks(new PointMemory(compileKernel(pointModule("G1")), "G1"));
  const groups = Uint32Array.from({ length: 60_000 }, (_, i) => i % GROUPS);
  const adder = await openPointAdder();
  const ones = new Uint8Array(GROUPS).fill(1);
  const entries = Uint32Array.from(groups.keys());
  await addRow(
    `sums of ${GROUPS} groups, one thread`,
    groups.length,
    processorMs,
    // The kernel also adds the groups' sums up: it has no use for them alone.
    async () => tasks.run({ points, scalars: ones, scalarBytes: 1, groups }),
    async () => adder.sumByBucket(points, entries, groups, GROUPS),
  );
}

async function quotients(alone: WasmCurve): Promise<void> {
  const tasks = new QuotientTasks(compileKernel(transformModule()));
  const { Fr } = alone;
  for (const bits of [12, 14, 16]) {
    const size = 2 ** bits;
    const [a, b, c] = [0, 1, 2].map(() => encodeScalars(randomElements(size, randomBytes))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    await addRow(
      "six transforms of a quotient, one thread",
      size,
      processorMs,
      async () => tasks.run({ a, b, c, root: rootOfUnity(bits + 1) }),
      async () => {
        for (const values of [a, b, c])
          await Fr.fft(await Fr.batchApplyKey(await Fr.ifft(values), Fr.e(1), Fr.w[bits + 1]!));
      },
    );
  }
}

const load = loadOfLastMinute();
const [curve, alone] = [await openCurve(), await openThreadlessCurve()];
// The point adder, which comes last, grows the memory that it shares with the threadless engine behind the engine's
// back.
await quotients(alone);
await sums("G1", curve, alone);
await sums("G2", curve, alone);
await groupSums();
await closeCurve();
const report: KernelReport = {
  command: `node experiments/bench/kernels.ts ${DATA}`,
  machine: describeMachine(),
  load,
  rows,
};
console.log(`${kernelSurroundings(report)}\n\n${renderText(kernelTable(report))}`);
const [file] = process.argv.slice(2);
if (file !== undefined) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
