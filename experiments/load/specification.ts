/** The task that a load run is a round of: a network on the handwritten digits, of about the wanted size. */
import type { PresetName } from "../../protocol/parameters.ts";
import { committeeOf } from "../bench/bench-task.ts";

export interface LoadPlan {
  readonly clients: number;
  readonly members: number;
  readonly dimension: number;
  readonly rounds: number;
  readonly preset: PresetName;
}

const PIXELS = 64;
const CLASSES = 10;
/** A weight from each pixel, a bias, and a weight to each class. */
const WEIGHTS_PER_HIDDEN = PIXELS + 1 + CLASSES;
/** Long enough that phases end because everybody has acted. */
const WINDOW_SECONDS = 7_200;
/** Of the clients, this part may fail without failing the round. */
const FAILING_PART = 10;
const WINDOWS = { key: 10, collect: WINDOW_SECONDS, attest: WINDOW_SECONDS, aggregate: WINDOW_SECONDS };
const QUANTISATION = { tiny: { stepBits: 6, clipSteps: 150 }, standard: { stepBits: 7, clipSteps: 1536 } } as const;

/** Parameters of the network with this many hidden units. */
export function dimensionOf(hidden: number): number {
  return WEIGHTS_PER_HIDDEN * hidden + CLASSES;
}

/** Hidden units of the network whose size is nearest to the wanted one, at least one. */
export function hiddenUnitsFor(dimension: number): number {
  return Math.max(1, Math.round((dimension - CLASSES) / WEIGHTS_PER_HIDDEN));
}

/**
 * A task of one's own with the windows and the committee of a load run; the rest is as it is. @param json a parsed
 * tasks/*.json on the digits
 */
export function ownSpecification(json: unknown, members: number): unknown {
  return { ...(json as Readonly<Record<string, unknown>>), committee: committeeOf(members), windowSeconds: WINDOWS };
}

/** As `tasks/*.json` have it. */
export function loadSpecification({ clients, members, dimension, rounds, preset }: LoadPlan): unknown {
  const maxCorrupt = Math.floor(clients / FAILING_PART);
  const min = Math.max(2, clients - maxCorrupt);
  return {
    document: {
      name: "load",
      description: `Handwritten digits, ${clients} light clients`,
      preset,
      model: { kind: "mlp", inputShape: [PIXELS], hidden: [hiddenUnitsFor(dimension)], classCount: CLASSES },
      training: { learningRate: 0.05, momentum: 0.9, batchSize: 8, localEpochs: 2 },
      quantisation: QUANTISATION[preset],
      server: {
        fractionalBits: 20,
        learningRate: { numerator: 1, denominatorBits: 0 },
        momentum: { numerator: 77, denominatorBits: 8 },
      },
    },
    initialSeed: 1,
    committee: committeeOf(members),
    clients: { min, minHonest: Math.max(2, min - maxCorrupt), maxCorrupt, openRegistration: false },
    windowSeconds: WINDOWS,
    maxRounds: rounds,
  };
}
