/**
 * Membership inference against real training on real records: coins decide which digits are in, the adversary guesses
 * from the trained weights, and the number of right guesses proves an epsilon. Privately trained at the stated noise,
 * with planted mistakes, and without privacy.
 *
 *   node experiments/privacy/membership.ts
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { positiveNumber } from "../../command/options.ts";
import { createProgram } from "../../command/program.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { selectExamples } from "../../learning/examples.ts";
import { DIGITS_MLP } from "../../learning/model.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { TrainOptions } from "../../learning/trainers/training-method.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { exampleLevel } from "../../task/mechanisms/example-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import { composedEpsilon, noiseMultiplierFor } from "../../protocol/privacy/rdp-accountant.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { auditMembership, mislabelled } from "./membership-attack.ts";
import { epsilonFromGuesses } from "./one-run-bound.ts";
import type { Guesses } from "./one-run-bound.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { repeatableBytes } from "./repeatable-bytes.ts";

const OUTPUT = fileURLToPath(new URL("../../docs/data/privacy-membership.json", import.meta.url));
const TASK = fileURLToPath(new URL("../../tasks/digits-private.json", import.meta.url));
const CONFIDENCE = 0.95;
const RECORDS = 400;
const EPSILONS = [1, 2, 8];
/**
 * Of the standard deviation that is stated; those below 1 are mistakes. The trainer takes no noise below a tenth of the
 * clip norm.
 */
const NOISE_PARTS = [1, 0.1, 0.02];
const LEAST_NOISE = 0.1;

/** One line of the table. */
export interface MembershipRow extends Guesses {
  readonly training: string;
  readonly labels: Labels;
  readonly weights: number;
  readonly delta: number;
  /** null without privacy. */
  readonly statedEpsilon: number | null;
  /** 1, or the planted mistake; 0 without privacy. */
  readonly noisePart: number;
  readonly runs: number;
  readonly confidence: number;
  /** Epsilon is at least this much, at the confidence. */
  readonly provenEpsilon: number;
  readonly command: string;
}

type Labels = "own" | "wrong";
interface Plan extends Pick<MembershipRow, "training" | "labels" | "statedEpsilon" | "noisePart"> {
  readonly model: unknown;
  /** @param random for training that is private */
  options(random: RandomBytes): TrainOptions;
  /** In a run; these and what the trainings are were chosen on runs of other seeds. */
  readonly guesses: number;
  readonly runs: number;
}

interface Flags {
  readonly scale: number;
  readonly seed: string;
  readonly out: string;
}

const flags = (
  await createProgram("membership", "what attacks on the membership of single records prove")
    .option("--scale <n>", "runs, as a multiple of what is planned", positiveNumber, 1)
    .option("--seed <text>", "of what is drawn", "1")
    .option("--out <file>", "where the rows are kept", OUTPUT)
    .parseAsync()
).opts<Flags>();
const { document, maxRounds } = parseSpecification(JSON.parse(await readFile(TASK, "utf8")));
const { learningRate } = document.training;
const privacy = settingsOf(exampleLevel, document.training.privacy);
if (privacy === undefined) throw new VerisumError("USAGE", `${document.name} has no example-level privacy`);
const { delta, samplingRate, exampleClipNorm: clipNorm } = privacy;
const steps = privacy.stepsPerRound * maxRounds;

const shard = (await loadDataset("digits?client=0&clients=2&seed=7")).train;
const own = selectExamples(
  shard,
  Array.from({ length: RECORDS }, (_, row) => row),
);
const records = { own, wrong: mislabelled(own, repeatableBytes(`wrong labels ${flags.seed}`)) };

const plans = [
  ...EPSILONS.flatMap((epsilon) =>
    NOISE_PARTS.filter((part) => part * multiplierOf(epsilon) >= LEAST_NOISE).map((part) =>
      privatePlan("wrong", epsilon, part),
    ),
  ),
  privatePlan("own", 8, 1),
  plainPlan("wrong"),
  plainPlan("own"),
];
const rows: MembershipRow[] = [];
for (const { model, options, guesses, runs: planned, ...plan } of plans) {
  const runs = Math.ceil(planned * flags.scale);
  const random = repeatableBytes(
    `membership ${flags.seed} ${plan.training} ${plan.labels} ${plan.statedEpsilon} ${plan.noisePart}`,
  );
  const counted = await auditMembership(
    { model, records: records[plan.labels], options: options(random), guesses, runs },
    random,
  );
  const provenEpsilon = epsilonFromGuesses(counted, delta, CONFIDENCE);
  const { parameterCount: weights } = await createTrainer(model);
  rows.push({
    ...plan,
    weights,
    delta,
    runs,
    ...counted,
    confidence: CONFIDENCE,
    provenEpsilon,
    command: `node experiments/privacy/membership.ts --scale ${flags.scale} --seed ${flags.seed}`,
  });
  process.stdout.write(
    `${plan.training}, ${plan.labels} labels, stated ${plan.statedEpsilon?.toFixed(3) ?? "none"}, ${plan.noisePart} of the noise: ${counted.right} of ${counted.guesses} right, at least ${provenEpsilon.toFixed(3)}\n`,
  );
}
await mkdir(dirname(flags.out), { recursive: true });
await writeFile(flags.out, `${JSON.stringify(rows, null, 2)}\n`);

/** All rounds of the task by one client; the batch is what is usual of half the records. */
function privatePlan(labels: Labels, epsilon: number, noisePart: number): Plan {
  const multiplier = multiplierOf(epsilon);
  return {
    training: `${document.name}, ${steps} steps`,
    labels,
    statedEpsilon: composedEpsilon([{ noiseMultiplier: multiplier, samplingRate, steps }], delta).epsilon,
    noisePart,
    model: document.model,
    options: (random) => ({
      learningRate,
      momentum: 0,
      batchSize: (RECORDS * samplingRate) / 2,
      localEpochs: 1,
      seed: 0,
      privacy: { clipNorm, noiseMultiplier: multiplier * noisePart, samplingRate, steps, random },
    }),
    guesses: 20,
    runs: 40,
  };
}

function multiplierOf(epsilon: number): number {
  return noiseMultiplierFor(epsilon, delta, { samplingRate, steps });
}

/** A network that has room for every record, trained until it has learnt them. */
function plainPlan(labels: Labels): Plan {
  const localEpochs = 300;
  const model = { ...DIGITS_MLP, hidden: [64] };
  return {
    training: `no privacy, ${localEpochs} epochs`,
    labels,
    statedEpsilon: null,
    noisePart: 0,
    model,
    options: () => ({ learningRate: 0.03, momentum: 0.9, batchSize: 20, localEpochs, seed: 0 }),
    guesses: 100,
    runs: 10,
  };
}
