/** What each party of a task is waiting for, as the chain tells it, and as the parties' nodes say themselves. */
import { ZERO_ADDRESS } from "../chain/lists.ts";
import type { RoundRecords, RoundState } from "../chain/task-chain.ts";
import { hasSeat } from "../protocol/committee.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { utcText } from "../task/utc-text.ts";
import { clientsNeeded, intakeText, isBuffer } from "../task/buffers.ts";
import { hasAllRounds } from "../task/completion.ts";
import type { NodeStatus } from "../task/node-status.ts";
import type { StatementBoard } from "../task/statement-board.ts";

export interface PartyState {
  /** `aggregator`, `seat 2` or `client`. */
  readonly party: string;
  /** Of members and clients. */
  readonly account?: Hex;
  readonly state:
    "to-register" | "to-submit" | "to-attest" | "to-release" | "to-finalise" | "left-out" | "waiting" | "done";
  /** What it waits for or has yet to do, in words. */
  readonly reason: string;
  /** What its node says of itself, which nobody checked. */
  readonly says?: string;
}

/** The task at one block. */
export interface TaskMoment {
  readonly parameters: TaskParameters;
  readonly round: RoundState;
  /** Unix seconds, as the chain's next block has them. */
  readonly now: number;
  readonly records: RoundRecords;
  /** What members say of the round, as far as a node that was asked knows. */
  readonly said: Pick<StatementBoard, "attestations" | "releases">;
  readonly finalisedRounds: number;
  /** Of this round or a later one. */
  readonly clients: readonly Hex[];
  /** Clients of the next round. */
  readonly clientCount: number;
  /** Seat 1 first; fewer than the committee has seats until all are filled. The zero address where nobody is left. */
  readonly members: readonly Hex[];
}

/** Every party: the aggregator, the seats in order, then the clients. */
export function partyStates(moment: TaskMoment, nodes: readonly NodeStatus[] = []): readonly PartyState[] {
  const { round, parameters, finalisedRounds, members, clients } = moment;
  const states = hasAllRounds(parameters, finalisedRounds)
    ? everybody(moment, "done", `the task is complete: all ${parameters.maxRounds} rounds are final`)
    : IN_PHASE[round.phase](moment);
  const empty = parameters.committeeSize - members.length;
  const seats: readonly PartyState[] =
    empty === 0
      ? []
      : [
          {
            party: "operator",
            state: "to-register",
            reason: `${empty} of ${parameters.committeeSize} seats are empty`,
          },
        ];
  const accounts = [...members, ...clients].map((account) => account.toLowerCase());
  const known = nodes.filter(({ role, account }) => role === "aggregator" || accounts.includes(account));
  return [...seats, ...states].map((state) => withWords(state, known));
}

function withWords(state: PartyState, nodes: readonly NodeStatus[]): PartyState {
  const isOf = ({ role, account }: NodeStatus): boolean =>
    state.party === "aggregator"
      ? role === "aggregator"
      : state.party.startsWith("seat") && role === "member" && account === state.account?.toLowerCase();
  const node = nodes.find(isOf);
  if (node === undefined) return state;
  return { ...state, says: node.trouble ?? node.waitsFor?.text ?? (node.ready ? "at work" : "starting") };
}

type Say = Pick<PartyState, "state" | "reason">;

const EMPTY_SEAT: Say = { state: "left-out", reason: "nobody has this seat: replace-member fills it" };

function statesOf(
  { members, clients }: TaskMoment,
  aggregator: Say,
  member: (seat: number) => Say,
  client: (account: Hex) => Say,
): readonly PartyState[] {
  return [
    { party: "aggregator", ...aggregator },
    ...members.map((account, i) => ({
      ...{ party: `seat ${i + 1}`, account },
      ...(account === ZERO_ADDRESS ? EMPTY_SEAT : member(i + 1)),
    })),
    ...clients.map((account) => ({ party: "client", account, ...client(account) })),
  ];
}

function everybody(moment: TaskMoment, state: PartyState["state"], reason: string): readonly PartyState[] {
  const same: Say = { state, reason };
  return statesOf(
    moment,
    same,
    () => same,
    () => same,
  );
}

const waiting = (reason: string): Say => ({ state: "waiting", reason });

function betweenRounds(moment: TaskMoment): readonly PartyState[] {
  const { parameters, clientCount, round } = moment;
  const next = `round ${round.number + 1n}`;
  const needed = clientsNeeded(parameters);
  const few = clientCount < needed;
  const aggregator = few
    ? `${clientCount} clients are registered for ${next}, ${needed} needed`
    : `the keys of ${parameters.quorum} seats for ${next}, which it then opens`;
  const other = waiting(`${next} to open`);
  return statesOf(
    moment,
    waiting(aggregator),
    () => other,
    () => other,
  );
}

function collecting(moment: TaskMoment): readonly PartyState[] {
  const { round, records, parameters } = moment;
  const inTime = untilText(moment);
  const left = Math.max(0, round.expected - round.submitted);
  const rest = isBuffer(parameters)
    ? `round ${round.number} to close: ${intakeText(parameters, round)}, ${inTime}`
    : `${left} of ${round.expected} clients to submit to round ${round.number}, ${inTime}`;
  const time = isBuffer(parameters) ? "its update goes into this round or a later one" : `it has time ${inTime}`;
  const submitted = new Set(records.submitted.map(({ client }) => client.toLowerCase()));
  return statesOf(
    moment,
    waiting(rest),
    () => waiting(rest),
    (account) =>
      submitted.has(account.toLowerCase())
        ? waiting(rest)
        : { state: "to-submit", reason: `nothing of it is in round ${round.number}; ${time}` },
  );
}

function attesting(moment: TaskMoment): readonly PartyState[] {
  const { round, said, parameters } = moment;
  const attested = new Set(said.attestations(round.number, round.intake).map(({ seat }) => seat));
  const rest = `the shares' attestations: ${attested.size} members have attested, ${parameters.quorum} are needed ${untilText(moment)}`;
  return statesOf(
    moment,
    attested.size >= parameters.quorum
      ? waiting(
          isLate(moment)
            ? `the settlement: the phase was over at ${utcText(round.deadline)}`
            : `more attestations or the phase's end, ${utcText(round.deadline)}, to settle`,
        )
      : waiting(rest),
    (seat) => {
      if (!hasSeat(round.keyMask, seat))
        return { state: "left-out", reason: `it had no key when round ${round.number} opened` };
      if (attested.has(seat)) return waiting("the settlement");
      return { state: "to-attest", reason: `no node knows an attestation of its for round ${round.number} yet` };
    },
    () => waiting("the committee's attestations"),
  );
}

function aggregating(moment: TaskMoment): readonly PartyState[] {
  const { round, said, parameters } = moment;
  const released = new Set(said.releases(round.number, round.settlement).map(({ seat }) => seat));
  const end = untilText(moment);
  const few = released.size < parameters.threshold;
  return statesOf(
    moment,
    few
      ? waiting(`${released.size} of ${parameters.threshold} releases are there; it has time ${end}`)
      : {
          state: "to-finalise",
          reason: `the releases are there: the result and ${parameters.threshold} signatures are next, ${end}`,
        },
    (seat) => {
      if (released.has(seat))
        return waiting(few ? "the other members' releases" : "a proposed result to sign or to become final");
      if (!hasSeat(round.keyMask, seat))
        return { state: "left-out", reason: `it had no key when round ${round.number} opened` };
      return { state: "to-release", reason: "no node knows a release of its yet; a settlement must be final first" };
    },
    () => waiting("the committee's result"),
  );
}

const IN_PHASE: Readonly<Record<RoundState["phase"], (moment: TaskMoment) => readonly PartyState[]>> = {
  Idle: betweenRounds,
  Finalised: betweenRounds,
  Aborted: betweenRounds,
  Collecting: collecting,
  Attesting: attesting,
  Aggregating: aggregating,
};

/** The phase's time is over, and no transaction has ended it yet. */
function isLate({ round, now }: TaskMoment): boolean {
  return now >= round.deadline;
}

function untilText(moment: TaskMoment): string {
  const end = utcText(moment.round.deadline);
  return isLate(moment) ? `until ${end}, which is past` : `until ${end}`;
}
