/**
 * Whether a contract's events are all there: what one of them, or the contract's state at the same block, says of
 * others. An endpoint may leave out an event once; what is absent must never be taken for a fact.
 */
import { equalG1 } from "../protocol/points.ts";
import { decodePoint } from "./codec.ts";
import type { EventName, LogOf, TaskLog } from "./logs.ts";
import { isOfRound } from "./round-records.ts";
import type { Counters, RoundState } from "./task-chain.ts";

/** What one round's events say. */
interface RoundFacts {
  readonly opened: number;
  readonly weights: ReadonlyMap<bigint, bigint>;
  readonly attested: ReadonlyMap<bigint, bigint>;
  readonly releaseMask: bigint;
  readonly settled: LogOf<"Settled"> | undefined;
  readonly ended: "Finalised" | "Aborted" | undefined;
}

/** The first event that must be there and is not, in words; undefined if none is missing. */
export function missingEvent(logs: readonly TaskLog[], counters: Counters, costPerRound: bigint): string | undefined {
  const { round } = counters;
  const seats = of(logs, "MemberRegistered").length;
  if (seats !== counters.memberCount) return `${seats} of ${counters.memberCount} registrations of members`;
  const finalised = of(logs, "Finalised");
  if (finalised.length !== counters.finalisedRounds)
    return `${finalised.length} of ${counters.finalisedRounds} results`;
  if ((finalised.at(-1)?.args.round ?? 0n) !== counters.latestModel.round) return "the latest model's result";
  const settledRounds = BigInt(of(logs, "Settled").length);
  if (settledRounds * costPerRound !== counters.privacySpent) return "a settlement that the ledger was charged for";
  const facts = factsByRound(logs);
  for (let number = 1n; number <= round.number; number += 1n) {
    const missing = missingInRound(facts.get(number), number === round.number ? round : undefined);
    if (missing !== undefined) return `round ${number}: ${missing}`;
  }
  return undefined;
}

/** @param state the contract's, if the round is the current one */
function missingInRound(facts: RoundFacts | undefined, state: RoundState | undefined): string | undefined {
  if (facts?.opened !== 1) return "its opening";
  const { weights, settled, ended } = facts;
  if ([...weights.keys()].some((index) => index >= weights.size)) return "a submission before the last one";
  if (state === undefined) return ended === undefined ? "its end" : missingOfSettlement(facts);
  if (weights.size !== state.submitted) return `${state.submitted - weights.size} of ${state.submitted} submissions`;
  const isOver = state.phase === "Finalised" || state.phase === "Aborted";
  if (ended !== (isOver ? state.phase : undefined)) return "its end";
  if ((state.phase === "Aggregating" || state.phase === "Finalised") && settled === undefined) return "its settlement";
  if (settled !== undefined && !isSettledAs(settled, state)) return "its present settlement";
  if (facts.releaseMask !== state.releaseMask) return "a release";
  if (!isAttested(facts, state.proposedMembers, state.included)) return "an attestation";
  return missingOfSettlement(facts);
}

/** A settlement of a branch that the chain has left names other clients, or another sum. */
function isSettledAs({ args }: LogOf<"Settled">, { included, sum }: RoundState): boolean {
  return args.included === included && equalG1(decodePoint(args.sum), sum);
}

function missingOfSettlement(facts: RoundFacts): string | undefined {
  if (facts.settled === undefined) return facts.ended === "Finalised" ? "its settlement" : undefined;
  const { included, members, totalWeight } = facts.settled.args;
  if (!isAttested(facts, members, included)) return "an attestation";
  const weight = [...facts.weights].reduce(
    (sum, [index, w]) => (((included >> index) & 1n) === 1n ? sum + w : sum),
    0n,
  );
  return weight === totalWeight ? undefined : "a submission that was included";
}

/** True if each of these members has attested all of these clients, as the contract made sure of. */
function isAttested({ attested }: RoundFacts, members: bigint, clients: bigint): boolean {
  for (let seat = 1n; members >> (seat - 1n) !== 0n; seat += 1n) {
    if (((members >> (seat - 1n)) & 1n) === 1n && (clients & ~(attested.get(seat) ?? 0n)) !== 0n) return false;
  }
  return true;
}

function factsByRound(logs: readonly TaskLog[]): ReadonlyMap<bigint, RoundFacts> {
  const rounds = new Map<bigint, TaskLog[]>();
  for (const log of logs) {
    if (!isOfRound(log)) continue;
    const { round } = log.args;
    rounds.set(round, [...(rounds.get(round) ?? []), log]);
  }
  return new Map([...rounds].map(([round, ofRound]) => [round, factsOf(ofRound)]));
}

function factsOf(logs: readonly TaskLog[]): RoundFacts {
  return {
    opened: of(logs, "RoundOpened").length,
    weights: new Map(of(logs, "Submitted").map(({ args }) => [args.index, args.weight])),
    attested: new Map(of(logs, "Attested").map(({ args }) => [args.seat, args.bitmap])),
    releaseMask: of(logs, "Released").reduce((mask, { args }) => mask | (1n << (args.seat - 1n)), 0n),
    settled: of(logs, "Settled")[0],
    ended: of(logs, "Finalised").length > 0 ? "Finalised" : of(logs, "Aborted").length > 0 ? "Aborted" : undefined,
  };
}

function of<N extends EventName>(logs: readonly TaskLog[], name: N): readonly LogOf<N>[] {
  return logs.filter((log): log is TaskLog & LogOf<N> => log.name === name);
}
