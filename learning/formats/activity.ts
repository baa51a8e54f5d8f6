/** The built-in sensor set: made up, not measured. Eight wearers of a watch that stand, walk, run and wave. */
import type { Dataset } from "../examples.ts";
import { seededStream } from "../seeded-stream.ts";
import type { SeededStream } from "../seeded-stream.ts";
import { dataFormat } from "./format.ts";

const CLASSES = ["standing", "walking", "running", "waving"];
/** Of each activity: steps a second, and how far the arm goes. */
const MOTIONS = [
  { pace: 0, reach: 0 },
  { pace: 1.6, reach: 0.5 },
  { pace: 2.6, reach: 1.2 },
  { pace: 1.1, reach: 1.6 },
];
const SUBJECTS = 8;
const TEST_SUBJECTS = 4;
/** Of each subject and activity. */
const WINDOWS = 10;
const STEPS = 100;
const STEPS_PER_SECOND = 10;
const CHANNELS = 6;
const SEED = 1;

/**
 * Windows of 100 × 1 × 6: acceleration and rotation along three axes, ten a second. Groups are the wearers; the test
 * data has four others.
 */
export const activity = dataFormat({
  name: "activity",
  scheme: "activity",
  sources: "activity, which is built in and made up",
  options: {},
  recognises: ({ path, kind }) => path === "activity" && kind === "missing",
  load: () => {
    const stream = seededStream("activity", SEED);
    const train = wearers(SUBJECTS, stream);
    return Promise.resolve({
      train,
      groups: Array.from(
        { length: train.exampleCount },
        (_, i) => `wearer ${1 + Math.floor(i / (WINDOWS * CLASSES.length))}`,
      ),
      test: wearers(TEST_SUBJECTS, stream),
      split: "the set's own, other wearers for testing",
    });
  },
});

function wearers(count: number, stream: SeededStream): Dataset {
  const exampleCount = count * CLASSES.length * WINDOWS;
  const features = new Float32Array(exampleCount * STEPS * CHANNELS);
  const labels = new Int32Array(exampleCount);
  let example = 0;
  for (let wearer = 0; wearer < count; wearer++) {
    const habit = { pace: 1 + 0.08 * stream.normal(), reach: Math.exp(0.12 * stream.normal()) };
    const rest = Array.from({ length: CHANNELS }, () => 0.1 * stream.normal());
    for (const [label, { pace, reach }] of MOTIONS.entries())
      for (let window = 0; window < WINDOWS; window++, example++) {
        labels[example] = label;
        const motion = { pace: pace * habit.pace * (1 + 0.05 * stream.normal()), reach: reach * habit.reach };
        move(features.subarray(example * STEPS * CHANNELS), motion, rest, stream);
      }
  }
  return {
    features,
    labels,
    exampleCount,
    featureShape: [STEPS, 1, CHANNELS],
    classCount: CLASSES.length,
    classNames: CLASSES,
  };
}

/** A step and its first overtone on each axis, and the sensors' noise. */
function move(
  out: Float32Array,
  { pace, reach }: (typeof MOTIONS)[number],
  rest: readonly number[],
  stream: SeededStream,
): void {
  const phases = Array.from({ length: CHANNELS }, () => 2 * Math.PI * stream.uniform());
  for (let t = 0; t < STEPS; t++)
    for (let channel = 0; channel < CHANNELS; channel++) {
      const angle = (2 * Math.PI * pace * t) / STEPS_PER_SECOND + phases[channel]!;
      const wave = reach * (Math.sin(angle) + 0.4 * Math.sin(2 * angle));
      out[t * CHANNELS + channel] = rest[channel]! + wave + 0.25 * stream.normal();
    }
}
