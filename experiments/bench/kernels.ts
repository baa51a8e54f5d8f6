/**
 * Times the kernel of proving/curve/kernel against ffjavascript: `node experiments/bench/kernels.ts`.
 * Both do the same work in turn; the figure is the fastest repeat. One thread is measured by its processor time,
 * several by the clock.
 */
import { randomBytes } from "node:crypto";
import type { WasmCurve } from "ffjavascript";
import { encodeScalars, G1_BYTES, openThreadlessCurve, SCALAR_BYTES } from "../../proving/curve/bn254.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import type { Curve } from "../../proving/curve/curve.ts";
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
import { describeMachine, loadOfLastMinute } from "./machine.ts";

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

async function printRow(name: string, items: number, clock: Clock, kernel: Work, engine: Work): Promise<void> {
  const [own, other] = await fastest(clock, [kernel, engine]);
  const perItem = (ms: number): string => ((ms * 1e6) / items).toFixed(0);
  console.log(`| ${name} | ${items} | ${perItem(own)} | ${perItem(other)} | ${(other / own).toFixed(1)} |`);
}

async function sums(curve: Curve, alone: WasmCurve): Promise<void> {
  const bases = await generatorMultiples("G1", randomElements(MOST_POINTS, randomBytes));
  const tasks = new PointTasks(new PointMemory(compileKernel(pointModule())));
  for (const [count, scalarBytes] of [
    [2 ** 12, SCALAR_BYTES],
    [2 ** 14, SCALAR_BYTES],
    [2 ** 16, SCALAR_BYTES],
    [MOST_POINTS, SCALAR_BYTES],
    [2 ** 16, 2],
  ] as const) {
    const points = bases.slice(0, count * G1_BYTES);
    const scalars =
      scalarBytes === SCALAR_BYTES
        ? encodeScalars(randomElements(count, randomBytes))
        : Uint8Array.from(randomBytes(count * scalarBytes));
    const name = `sum of multiples, ${8 * scalarBytes}-bit`;
    await printRow(
      `${name}, one thread`,
      count,
      processorMs,
      async () => sumOfBits(alone, tasks.run({ points, scalars, scalarBytes })),
      () => alone.G1.multiExpAffine(points, scalars),
    );
    await printRow(
      `${name}, all cores`,
      count,
      wallMs,
      () => multiExponentiation(curve, points, scalars),
      () => curve.G1.multiExpAffine(points, scalars),
    );
  }
  const points = bases.slice(0, 60_000 * G1_BYTES);
  const groups = Uint32Array.from({ length: 60_000 }, (_, i) => i % GROUPS);
  const adder = await openPointAdder();
  const ones = new Uint8Array(GROUPS).fill(1);
  const entries = Uint32Array.from(groups.keys());
  await printRow(
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
    await printRow(
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

const { node, cpuModel, cores } = describeMachine();
console.log(`Node ${node}, ${cpuModel}, ${cores} cores, load ${loadOfLastMinute().toFixed(1)}; ns an item\n`);
console.log("| work | items | kernel | ffjavascript | ratio |\n|---|--:|--:|--:|--:|");
const [curve, alone] = [await openCurve(), await openThreadlessCurve()];
// The point adder, which comes last, grows the memory that it shares with the threadless engine behind the engine's
// back.
await quotients(alone);
await sums(curve, alone);
await closeCurve();
