/**
 * Puts the stated epsilons to the test: worst-case contributions, thousands of runs of the real encoding, training and
 * noise, and what they prove. Each setting is run again with half the noise that the accountant counts on, which the
 * audit has to notice.
 *
 *   node experiments/privacy/audit.ts
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { positiveNumber } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { auditClients, auditExamples } from "./audit-mechanisms.ts";
import type { Audited, AuditRuns } from "./audit-mechanisms.ts";
import { epsilonLowerBound } from "./epsilon-bound.ts";
import { repeatableBytes } from "./repeatable-bytes.ts";

const OUTPUT = fileURLToPath(new URL("../../docs/data/privacy-audit.json", import.meta.url));
const CONFIDENCE = 0.95;
/** Of the standard deviation that is stated; one of them is a mistake. */
const NOISE_PARTS = [1, 0.5];

/** One line of the table. */
export interface AuditRow {
  readonly unit: "client" | "example";
  readonly setting: string;
  readonly delta: number;
  readonly statedEpsilon: number;
  /** 1, or the planted mistake. */
  readonly noisePart: number;
  /** Runs of each neighbour, half of which choose the test. */
  readonly trials: number;
  readonly confidence: number;
  /** Epsilon is at least this much, at the confidence. */
  readonly measuredEpsilon: number;
  readonly command: string;
}

interface Plan {
  readonly unit: AuditRow["unit"];
  readonly setting: string;
  readonly delta: number;
  readonly trials: number;
  run(runs: AuditRuns): Audited | Promise<Audited>;
}

interface Flags {
  readonly scale: number;
  readonly seed: string;
  readonly out: string;
}

const flags = (
  await createProgram("audit", "what attacks on the mechanisms as they run prove")
    .option("--scale <n>", "runs, as a multiple of what is planned", positiveNumber, 1)
    .option("--seed <text>", "of what is drawn", "1")
    .option("--out <file>", "where the rows are kept", OUTPUT)
    .parseAsync()
).opts<Flags>();
const digits = (await loadDataset("digits?client=0&clients=40&seed=7")).train;

const plans: Plan[] = [
  ...(
    [
      [1, 0.01],
      [2, 0.01],
      [4, 0.01],
      [2, 1e-5],
    ] as const
  ).map(([epsilon, delta]) => clientPlan(epsilon, delta, 1, 40_000)),
  clientPlan(2, 0.01, 5, 20_000),
  ...(
    [
      [1, 1, 2],
      [2, 1, 2],
      [2, 0.25, 8],
    ] as const
  ).map(([epsilon, samplingRate, steps]) => examplePlan(epsilon, samplingRate, steps, 4_000)),
];
const rows: AuditRow[] = [];
for (const plan of plans) {
  for (const noisePart of NOISE_PARTS) {
    const trials = Math.round(plan.trials * flags.scale);
    const { statedEpsilon, observations } = await plan.run({
      trials,
      noisePart,
      random: repeatableBytes(`audit ${flags.seed} ${plan.setting} ${noisePart}`),
    });
    const { epsilon, found, trials: counted } = epsilonLowerBound(observations, plan.delta, CONFIDENCE);
    rows.push({
      unit: plan.unit,
      setting: plan.setting,
      delta: plan.delta,
      statedEpsilon,
      noisePart,
      trials,
      confidence: CONFIDENCE,
      measuredEpsilon: epsilon,
      command: `node experiments/privacy/audit.ts --scale ${flags.scale} --seed ${flags.seed}`,
    });
    process.stdout.write(
      `${plan.unit}, ${plan.setting}, delta ${plan.delta}, ${noisePart} of the noise: stated ${statedEpsilon.toFixed(3)}, at least ${epsilon.toFixed(3)} (${found.with} and ${found.without} of ${counted})\n`,
    );
  }
}
await mkdir(dirname(flags.out), { recursive: true });
await writeFile(flags.out, `${JSON.stringify(rows, null, 2)}\n`);

function clientPlan(epsilon: number, delta: number, rounds: number, trials: number): Plan {
  const setting = { clients: 3, dimension: 8, clipSteps: 40, rounds };
  return {
    unit: "client",
    setting: `3 clients, 8 weights, ${rounds} ${rounds === 1 ? "round" : "rounds"}, epsilon ${epsilon}`,
    delta,
    trials,
    run: (runs) => auditClients({ ...setting, epsilon, delta }, runs),
  };
}

function examplePlan(epsilon: number, samplingRate: number, steps: number, trials: number): Plan {
  const delta = 0.01;
  return {
    unit: "example",
    setting: `digits, ${digits.exampleCount} rows, 650 weights, rate ${samplingRate}, ${steps} steps, epsilon ${epsilon}`,
    delta,
    trials,
    run: (runs) => auditExamples({ data: digits, samplingRate, steps, epsilon, delta }, runs),
  };
}
