/**
 * Whether a contract's events are all there: what one of them, or the contract's state at the same block, says of
 * others. An endpoint may leave out an event once; what is absent must never be taken for a fact.
 */
import { extendIntake, recordHashOf, settlementOf, ZERO_WORD } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { intakeRecordOf } from "./codec.ts";
import { LIST_EVENTS } from "./lists.ts";
import type { EventName, LogOf, TaskLog } from "./logs.ts";
import { decodeSettled, isOfRound } from "./round-records.ts";
import type { Counters, RoundState } from "./task-chain.ts";

/** What one round's events say. */
interface RoundFacts {
  readonly opened: number;
  readonly submitted: readonly LogOf<"Submitted">[];
  readonly settled: LogOf<"Settled"> | undefined;
  readonly finalised: LogOf<"Finalised"> | undefined;
  readonly ended: "Finalised" | "Aborted" | undefined;
}

/** The first event that must be there and is not, in words; undefined if none is missing. */
export function missingEvent(logs: readonly TaskLog[], counters: Counters, costPerRound: bigint): string | undefined {
  const { round } = counters;
  const changes = logs.filter(({ name }) => LIST_EVENTS.includes(name)).length;
  if (changes !== counters.listChanges) return `${changes} of ${counters.listChanges} changes of members and clients`;
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
  const { submitted, ended } = facts;
  if (submitted.some(({ args }, place) => args.index !== BigInt(place))) return "a submission before the last one";
  if (state === undefined) return ended === undefined ? "its end" : missingOfSettlement(facts);
  if (submitted.length !== state.submitted)
    return `${state.submitted - submitted.length} of ${state.submitted} submissions`;
  const isOver = state.phase === "Finalised" || state.phase === "Aborted";
  if (ended !== (isOver ? state.phase : undefined)) return "its end";
  if (state.intake !== ZERO_WORD && intakeFrom(submitted) !== state.intake) return "a submission of its present intake";
  if (state.settlement !== ZERO_WORD && facts.settled?.args.settlement !== state.settlement)
    return "its present settlement";
  return missingOfSettlement(facts);
}

/** A settlement of a branch that the chain has left is of another intake, other clients or another sum. */
function missingOfSettlement({ submitted, settled, finalised }: RoundFacts): string | undefined {
  if (settled === undefined) return finalised === undefined ? undefined : "its settlement";
  if (finalised !== undefined && finalised.args.settlement !== settled.args.settlement)
    return "the settlement of its result";
  const intake = intakeOfSettlement(settled);
  if (intake === undefined) return "a settlement that fits its hash";
  return intakeFrom(submitted) === intake ? undefined : "a submission that was settled on";
}

/** The intake before and after each submission: all rounds are compared at every look, and hashed at the first one. */
const STEPS = new WeakMap<LogOf<"Submitted">, { readonly from: Hex; readonly to: Hex }>();

/** The running hash of a round's submissions, as the contract has it. */
function intakeFrom(submitted: readonly LogOf<"Submitted">[]): Hex {
  return submitted.reduce((from, log) => {
    const known = STEPS.get(log);
    if (known?.from === from) return known.to;
    const { round, client, weight, submission } = log.args;
    const record = intakeRecordOf({ client, weight: Number(weight), submission });
    const to = extendIntake(from, recordHashOf(round, record));
    STEPS.set(log, { from, to });
    return to;
  }, ZERO_WORD);
}

/** The intake of each settlement that fits its own hash: hashed once, as above. */
const SETTLED_INTAKES = new WeakMap<LogOf<"Settled">, Hex | undefined>();

function intakeOfSettlement(log: LogOf<"Settled">): Hex | undefined {
  if (SETTLED_INTAKES.has(log)) return SETTLED_INTAKES.get(log);
  const settled = decodeSettled(log.args);
  const intake = settlementOf(settled) === settled.settlement ? settled.intake : undefined;
  SETTLED_INTAKES.set(log, intake);
  return intake;
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
    submitted: of(logs, "Submitted"),
    settled: of(logs, "Settled")[0],
    finalised: of(logs, "Finalised")[0],
    ended: of(logs, "Finalised").length > 0 ? "Finalised" : of(logs, "Aborted").length > 0 ? "Aborted" : undefined,
  };
}

function of<N extends EventName>(logs: readonly TaskLog[], name: N): readonly LogOf<N>[] {
  return logs.filter((log): log is TaskLog & LogOf<N> => log.name === name);
}
