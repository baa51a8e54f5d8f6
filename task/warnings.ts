/** What a task's numbers allow that its operator may not have meant, in the open before and while it runs. */
import type { TaskParameters } from "../protocol/task.ts";
import type { TaskDocument } from "./document.ts";
import { mechanismOf } from "./mechanisms/registry.ts";
import { privacyStatement } from "./privacy.ts";
import { MAX_SEARCHED_THRESHOLD } from "../protocol/release-agreement.ts";

/** Epsilon above which a record or a client is hardly protected: e^10 is a factor of 22,000. */
const LARGE_EPSILON = 10;

type Numbers = Pick<
  TaskParameters,
  | "dimension"
  | "minHonest"
  | "minClients"
  | "maxCorrupt"
  | "normBoundSquared"
  | "privacyBudget"
  | "maxRoundsPerClient"
  | "maxRounds"
  | "bufferGoal"
  | "minSeparation"
  | "threshold"
>;
type Document = Pick<TaskDocument, "preset" | "quantisation" | "training">;

export interface TaskWarning {
  /** As reporters name it. */
  readonly event:
    "influence-outvoted" | "delta-large" | "epsilon-large" | "participation-short" | "threshold-large" | "window-short";
  readonly text: string;
}

/** How far corrupt and honest clients can move a sum, in units of the model's weights. */
export interface Influence {
  /** Of all corrupt clients together: each by the norm that the proofs bound. */
  readonly corrupt: number;
  /** Of the fewest honest clients that a round includes: each by the clip norm. */
  readonly honest: number;
  /** The corrupt ones can turn a sum against the honest ones. */
  readonly outvoted: boolean;
}

/** At the document's step; an adaptive one moves both alike. Every client has weight 1. */
export function influenceOf({ quantisation }: Document, parameters: Numbers): Influence {
  const step = 2 ** -quantisation.stepBits;
  const corrupt = parameters.maxCorrupt * Math.sqrt(Number(parameters.normBoundSquared)) * step;
  const honest = parameters.minHonest * quantisation.clipSteps * step;
  return { corrupt, honest, outvoted: corrupt > honest };
}

/** The same in one sentence. */
export function influenceLine(document: Document, parameters: Numbers): string {
  const { corrupt, honest } = influenceOf(document, parameters);
  const { maxCorrupt, minHonest } = parameters;
  return `${maxCorrupt} corrupt client${maxCorrupt === 1 ? "" : "s"} can move a round's sum by ${corrupt.toPrecision(3)} in units of the weights, against ${honest.toPrecision(3)} of ${minHonest} honest ones who all pull one way`;
}

/** How many clients a round takes, and of how many, in one sentence. */
export function cohortLine({
  bufferGoal,
  minSeparation,
}: Pick<TaskParameters, "bufferGoal" | "minSeparation">): string {
  if (bufferGoal === 0) return "a round waits for every registered client, until its deadline";
  const turn =
    minSeparation === 1 ? "" : `, and takes each client in at most one of any ${minSeparation} successive rounds`;
  return `a round closes at ${bufferGoal} submissions${turn}: rounds open from ${bufferGoal * minSeparation} registered clients on`;
}

/** All that is worth a warning. */
export function taskWarnings(document: Document, parameters: Numbers): readonly TaskWarning[] {
  const warnings: TaskWarning[] = [];
  const { corrupt, honest, outvoted } = influenceOf(document, parameters);
  if (outvoted)
    warnings.push({
      event: "influence-outvoted",
      text: `the corrupt clients that the task plans for outvote the honest ones, ${(corrupt / honest).toPrecision(3)} to 1: the norm bound leaves room for noise that a corrupt client need not add. A larger clients.minHonest, a smaller maxCorrupt or less noise changes that`,
    });
  const { threshold, maxRounds, maxRoundsPerClient, minSeparation } = parameters;
  const covered = maxRoundsPerClient * minSeparation;
  const isBarrier = parameters.bufferGoal === 0;
  if (maxRoundsPerClient > 0 && covered < maxRounds)
    warnings.push({
      event: "participation-short",
      text: `at most ${maxRoundsPerClient} of ${maxRounds} rounds count any one client: clients who come whenever they may are used up after ${covered} rounds. ${isBarrier ? "Only rounds that close at a goal (rounds.bufferGoal) can have them take turns: with" : "With"} rounds.minSeparation of ${Math.ceil(maxRounds / maxRoundsPerClient)}, and as many times rounds.bufferGoal clients, they last`,
    });
  if (threshold > MAX_SEARCHED_THRESHOLD)
    warnings.push({
      event: "threshold-large",
      text: `with a threshold of ${threshold} a round in which ${threshold - 1} members lie about their releases, and other honest ones are silent, may end without a result: not every ${threshold} of the releases can be tried. With ${MAX_SEARCHED_THRESHOLD} at most, all are; a round in which every honest member releases always has its result (docs/protocol.md, section 6, Aggregating)`,
    });
  return [...warnings, ...privacyWarnings(document, parameters)];
}

function privacyWarnings(document: Document, parameters: Numbers): TaskWarning[] {
  const statement = privacyStatement({ document, parameters }, 0);
  const { guarantee } = mechanismOf(document.training.privacy);
  if (statement === null || guarantee === null) return [];
  const { delta, budget } = statement;
  const subjects = guarantee.subjectsIn({ clients: parameters.minClients, batchSize: document.training.batchSize });
  const warnings: TaskWarning[] = [];
  if (delta * subjects >= 1)
    warnings.push({
      event: "delta-large",
      text: `delta ${delta} is no less than one in ${subjects} ${guarantee.subject}s: a mechanism that publishes one of them outright could state it`,
    });
  if (budget.epsilon > LARGE_EPSILON)
    warnings.push({
      event: "epsilon-large",
      text: `epsilon ${budget.epsilon} over ${budget.roundsPerClient === undefined ? `all ${budget.rounds} rounds` : `the ${budget.roundsPerClient} rounds that can count one client`} is so large that each ${guarantee.subject} is hardly protected`,
    });
  return warnings;
}
