/** A small model of a round's phases, which the contract is compared with (docs/protocol.md, section 6). */
import { smallestInclusion } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "./random.ts";
import { PARAMETERS } from "./task-on-chain.ts";
import type { Base } from "./task-on-chain.ts";

export const CLIENTS = 4;
/** Beyond them a round needs keys that nobody has. */
export const ROUNDS_WITH_KEYS = 2;
export const PHASES = ["Idle", "Collecting", "Attesting", "Aggregating", "Finalised", "Aborted"] as const;

/** What three or four seats state: a bitmap of each, good and refused. */
interface Statements {
  readonly good: readonly number[];
  readonly refused: readonly number[];
  readonly members: number;
}

export type Step =
  | { readonly kind: "open" | "abort" | "execute" | "finalize" }
  /** On a model so many rounds older than the latest one; −1 for one that is not there. */
  | { readonly kind: "submit"; readonly client: number; readonly age?: number }
  | ({ readonly kind: "settle" } & Statements)
  | { readonly kind: "wait"; readonly seconds: number };

export type Submitting = Extract<Step, { kind: "submit" }>;

export interface Model {
  phase: (typeof PHASES)[number];
  round: number;
  deadline: number;
  order: number[];
  proposal: { members: number; included: number } | undefined;
  /** Of every model, by its number. */
  digests: Hex[];
  /** Names of the submissions, by index. */
  submitted: string[];
  /** When the round opened. */
  opened: number;
}

/** What time alone does: enough clients at the deadline make Collecting Attesting. */
export function passTime(model: Model, now: number): void {
  if (model.phase !== "Collecting" || now < model.deadline || model.order.length < PARAMETERS.minClients) return;
  model.phase = "Attesting";
  model.deadline += PARAMETERS.attestSeconds;
}

/** The next state, or the name of the error that leaves the state as it is. */
export function applyToModel(
  rules: TaskParameters,
  model: Model,
  event: Exclude<Step, { kind: "wait" }>,
  now: number,
): string | undefined {
  const enter = (phase: Model["phase"], seconds: number): undefined => {
    model.phase = phase;
    model.deadline = now + seconds;
  };
  const isActive = ["Collecting", "Attesting", "Aggregating"].includes(model.phase);
  const stands = model.phase === "Attesting" && model.proposal !== undefined;
  const open = (): undefined => {
    Object.assign(model, { round: model.round + 1, order: [], submitted: [], proposal: undefined, opened: now });
    return enter("Collecting", PARAMETERS.collectSeconds);
  };
  switch (event.kind) {
    case "open":
      if (isActive && now < model.deadline) return "VerisumWrongPhase";
      if (stands) return "VerisumProposalStands";
      return model.round >= ROUNDS_WITH_KEYS ? "VerisumTooFewKeys" : open();
    case "submit":
      if (model.phase !== "Collecting") return "VerisumWrongPhase";
      if (now >= model.deadline) return "VerisumDeadlinePassed";
      if (model.order.includes(event.client)) return "VerisumAlreadySubmitted";
      return submitToModel(rules, model, event, now);
    case "abort":
      if (!isActive) return "VerisumWrongPhase";
      if (now < model.deadline) return "VerisumDeadlineNotReached";
      if (stands) return "VerisumProposalStands";
      model.phase = "Aborted";
      return undefined;
    case "settle":
      if (model.phase !== "Attesting") return "VerisumWrongPhase";
      if (now >= model.deadline) return "VerisumDeadlinePassed";
      return settleModel(model, event, () => enter("Aggregating", PARAMETERS.aggregateSeconds));
    case "execute":
      if (model.phase !== "Attesting") return "VerisumWrongPhase";
      // Before the deadline these are no statements of nobody.
      if (now < model.deadline) return "VerisumNoQuorum";
      return model.proposal === undefined ? "VerisumNoProposal" : enter("Aggregating", PARAMETERS.aggregateSeconds);
    case "finalize":
      if (model.phase !== "Aggregating") return "VerisumWrongPhase";
      model.digests.push(word(`model digest ${model.round}`));
      if (model.round < ROUNDS_WITH_KEYS) return open();
      model.phase = "Finalised";
      return undefined;
  }
}

function submitToModel(rules: TaskParameters, model: Model, event: Submitting, now: number): string | undefined {
  const [base, latest] = [Number(baseOf(model, event).base), model.digests.length - 1];
  if (base > latest) return "VerisumBaseUnknown";
  if (latest - base > rules.maxStaleness) return "VerisumBaseTooOld";
  model.order.push(event.client);
  model.submitted.push(nameOf(model, event));
  if (model.order.length < CLIENTS) return undefined;
  const earliest = model.opened + rules.minCollectSeconds;
  if (now < earliest) model.deadline = earliest;
  else Object.assign(model, { phase: "Attesting", deadline: now + rules.attestSeconds });
  return undefined;
}

/** The model that a submission starts from, by its number; there are none before the genesis. */
export function baseOf({ digests }: Model, { age = 0 }: Submitting): Base {
  const base = Math.max(0, digests.length - 1 - age);
  return { base: BigInt(base), baseModelDigest: digests[base] ?? word("none") };
}

export function nameOf(model: Model, event: Submitting): string {
  const { base, baseModelDigest } = baseOf(model, event);
  return `${model.round} ${base} ${baseModelDigest} ${event.client}`;
}

function settleModel(
  model: Model,
  { good, refused, members }: Statements,
  settled: () => undefined,
): string | undefined {
  const all = (1 << model.order.length) - 1;
  for (const [i, bitmap] of good.entries()) {
    if (((bitmap | refused[i]!) & ~all) !== 0) return "VerisumUnknownClients";
    if ((bitmap & refused[i]!) !== 0) return "VerisumContradiction";
  }
  if (members >> good.length !== 0) return "VerisumNotAttested";
  if (bits(members) < PARAMETERS.quorum) return "VerisumNoQuorum";
  const included = commonOf(good, members, all);
  if (bits(included) < smallestInclusion(PARAMETERS, model.order.length)) return "VerisumTooFewIncluded";
  const isFinal = (all & ~included & ~hopelessOf(good.length, refused)) === 0;
  const { proposal } = model;
  if (proposal !== undefined) {
    const more = bits(included) - bits(proposal.included);
    if (more < 0 || (more === 0 && !isFinal && bits(members) <= bits(proposal.members)))
      return "VerisumProposalNotBetter";
  }
  model.proposal = { members, included };
  return isFinal ? settled() : undefined;
}

/** Clients that all of the members found good. */
function commonOf(good: readonly number[], members: number, all: number): number {
  return good.reduce((common, bitmap, i) => ((members >> i) & 1 ? common & bitmap : common), all);
}

/** Clients that at least n − quorum + 1 seats refused. */
function hopelessOf(seats: number, refused: readonly number[]): number {
  const { committeeSize, quorum } = PARAMETERS;
  const isHopeless = (client: number): boolean =>
    refused.slice(0, seats).filter((bitmap) => (bitmap >> client) & 1).length >= committeeSize - quorum + 1;
  return [0, 1, 2, 3, 4].filter(isHopeless).reduce((mask, client) => mask | (1 << client), 0);
}

export function missingFrom(model: Model, included: number): number[] {
  return model.order.map((_, index) => index).filter((index) => ((included >> index) & 1) === 0);
}

/** Whom a settlement by these statements leaves out if the model takes it as final; nobody otherwise. */
export function effectiveExclusions(
  rules: TaskParameters,
  model: Model,
  statements: Statements,
  now: number,
): number[] {
  const tried: Model = { ...model };
  const refused = applyToModel(rules, tried, { kind: "settle", ...statements }, now);
  return refused === undefined && tried.phase === "Aggregating" ? missingFrom(model, tried.proposal!.included) : [];
}

export function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}
