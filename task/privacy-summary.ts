/**
 * What is spent of a task's privacy, for people: by the accountant that tasks state, and by a tighter one where there
 * is one.
 */
import { coordinateOffset, PRESETS } from "../protocol/parameters.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { TaskDocument } from "./document.ts";
import { mechanismOf } from "./mechanisms/registry.ts";
import { cohortOf, privacyStatement, roundedUp } from "./privacy.ts";
import type { PrivateTask } from "./privacy.ts";

/** Epsilon after the rounds so far, and after all rounds. */
export interface EpsilonSpent {
  readonly spent: number;
  readonly budget: number;
}

export interface PrivacySummary {
  /** What each epsilon is of: `record` or `client`. */
  readonly subject: string;
  readonly delta: number;
  readonly remainingRounds: number;
  readonly rounds: number;
  /** Where fewer than all rounds can count one client: so many, and each epsilon is of these. */
  readonly roundsPerClient?: number;
  /**
   * Both are bounds on the same true value. `rdp` is what checkpoints state, equal on every machine; `pld` is less, and
   * left out where it is not.
   */
  readonly epsilon: { readonly rdp: EpsilonSpent; readonly pld?: EpsilonSpent };
  /** What is protected, against whom, as long as what holds. */
  readonly statement: string;
}

/**
 * What is spent after `rounds` settled rounds; null if the task trains without noise. Where single records are
 * protected, the tighter accountant takes about half a second.
 */
export function privacySummary(task: PrivateTask, rounds: number): PrivacySummary | null {
  const stated = privacyStatement(task, rounds);
  const { guarantee } = mechanismOf(task.document.training.privacy);
  if (stated === null || guarantee === null) return null;
  const { statement, budget } = stated;
  const { roundsPerClient } = budget;
  const rdp = { spent: stated.epsilon, budget: budget.epsilon };
  const pldAfter = (count: number, epsilon: number): number => {
    const own = Math.min(count, roundsPerClient ?? count);
    return roundedUp(guarantee.pldEpsilonAfter?.(cohortOf(task), own, epsilon) ?? Infinity);
  };
  const pld = { spent: pldAfter(rounds, rdp.spent), budget: pldAfter(budget.rounds, rdp.budget) };
  const isTighter = pld.budget < rdp.budget && pld.spent <= rdp.spent;
  return {
    subject: guarantee.subject,
    delta: guarantee.delta,
    statement,
    rounds: budget.rounds,
    remainingRounds: budget.remainingRounds,
    ...(roundsPerClient === undefined ? {} : { roundsPerClient }),
    epsilon: { rdp, ...(isTighter ? { pld } : {}) },
  };
}

/** In one line: `epsilon 1.2 of 3 at delta 0.00001 (rdp; 1.1 of 2.8 by the tighter pld); 16 of 20 rounds remain`. */
export function privacyLine(summary: PrivacySummary): string {
  const {
    delta,
    epsilon: { rdp, pld },
    remainingRounds,
    rounds,
    roundsPerClient,
  } = summary;
  const tighter = pld === undefined ? "" : ` (rdp; ${pld.spent} of ${pld.budget} by the tighter pld)`;
  const own = roundsPerClient === undefined ? "" : `, of which ${roundsPerClient} at most count one client`;
  return `epsilon ${rdp.spent} of ${rdp.budget} at delta ${delta}${tighter}; ${remainingRounds} of ${rounds} rounds remain${own}`;
}

/** In one line, before the first round. */
export function plannedPrivacyLine(summary: PrivacySummary): string {
  const {
    subject,
    delta,
    epsilon: { rdp, pld },
    rounds,
    roundsPerClient,
  } = summary;
  const tighter = pld === undefined ? "" : ` (rdp; ${pld.budget} by the tighter pld)`;
  const all = rounds === 1 ? "its one round" : `all ${rounds} rounds`;
  const own = roundsPerClient === undefined ? "" : `, of which ${roundsPerClient} at most count its client`;
  return `each ${subject} has epsilon ${rdp.budget} at delta ${delta}${tighter} after ${all}${own}`;
}

/**
 * What corrupt clients can do to an adaptive clip norm, in one line; null if the task has none. Nothing bounds a vote
 * but the proof of the whole vector and the coordinate's range.
 */
export function adaptiveClipLine(
  document: Pick<TaskDocument, "preset" | "quantisation">,
  { normBoundSquared, minHonest, maxCorrupt }: Pick<TaskParameters, "normBoundSquared" | "minHonest" | "maxCorrupt">,
): string | null {
  const { adaptive } = document.quantisation;
  if (adaptive === undefined) return null;
  const { voteSteps, maxOctaves } = adaptive;
  const largestVote = Math.min(
    Math.floor(Math.sqrt(Number(normBoundSquared))),
    coordinateOffset(PRESETS[document.preset]),
  );
  const weightOfOne = largestVote / voteSteps;
  const outvoted = maxCorrupt * weightOfOne > minHonest;
  return `a corrupt client's vote on the clip norm counts as ${weightOfOne.toFixed(1)} clients'${outvoted ? `: ${maxCorrupt} outvote ${minHonest} honest ones and can turn it by ${maxOctaves} octaves either way` : ""}`;
}
