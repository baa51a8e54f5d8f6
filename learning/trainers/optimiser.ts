/** How a step follows from a gradient: SGD with heavy-ball momentum, or Adam; and weight decay. */
import { z } from "zod";

export const optimiserSchema = z.strictObject({
  /** Steps by both moments of the gradients (Kingma and Ba 2015); β₁ is `momentum`. */
  kind: z.literal("adam"),
  beta2: z.number().min(0).max(0.99999).default(0.999),
  epsilon: z.number().min(1e-12).max(1).default(1e-8),
});
export type OptimiserOptions = z.output<typeof optimiserSchema>;

export interface StepOptions {
  readonly learningRate: number;
  readonly momentum: number;
  /** Plain SGD if absent. */
  readonly optimiser?: OptimiserOptions | undefined;
  /**
   * Share of each weight that a step takes away, in units of the learning rate, beside the gradient (Loshchilov and
   * Hutter 2019, "Decoupled Weight Decay Regularization"); none if absent.
   */
  readonly weightDecay?: number | undefined;
}

/** Moves weights in place by one gradient after the other. */
export type Step = (weights: Float32Array, gradient: ArrayLike<number>) => void;

/** A run of steps, which begins with empty moments. */
export function createStep(weightCount: number, options: StepOptions): Step {
  const { learningRate, weightDecay = 0, optimiser } = options;
  const step = optimiser === undefined ? sgdStep(weightCount, options) : adamStep(weightCount, options, optimiser);
  if (weightDecay === 0) return step;
  return (weights, gradient) => {
    for (let i = 0; i < weights.length; i++) weights[i] = weights[i]! * (1 - learningRate * weightDecay);
    step(weights, gradient);
  };
}

/** v = momentum·v + gradient; w = w − learningRate·v. */
function sgdStep(weightCount: number, { learningRate, momentum }: StepOptions): Step {
  const velocity = new Float32Array(weightCount);
  return (weights, gradient) => {
    for (let i = 0; i < weights.length; i++) {
      const speed = momentum * velocity[i]! + gradient[i]!;
      velocity[i] = speed;
      weights[i] = weights[i]! - learningRate * speed;
    }
  };
}

/** Both moments are divided by what they lack of their weights' sum, since they begin at 0. */
function adamStep(
  weightCount: number,
  { learningRate, momentum: beta1 }: StepOptions,
  { beta2, epsilon }: OptimiserOptions,
): Step {
  const first = new Float32Array(weightCount);
  const second = new Float32Array(weightCount);
  let steps = 0;
  return (weights, gradient) => {
    steps++;
    const [lack1, lack2] = [1 - beta1 ** steps, 1 - beta2 ** steps];
    for (let i = 0; i < weights.length; i++) {
      const slope = gradient[i]!;
      first[i] = beta1 * first[i]! + (1 - beta1) * slope;
      second[i] = beta2 * second[i]! + (1 - beta2) * slope * slope;
      weights[i] = weights[i]! - (learningRate * (first[i]! / lack1)) / (Math.sqrt(second[i]! / lack2) + epsilon);
    }
  };
}
