/** The contract and a small model of its phases agree on random sequences of calls (docs/protocol.md, section 6). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { smallestInclusion } from "../../protocol/task.ts";
import { ZERO_WORD } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  makeSubmission,
  openChain,
  PARAMETERS,
  registerAll,
  roundOf,
  sendFinalisation,
  sendSubmission,
  setNextTime,
  settleStanding,
  snapshot,
  statementOf,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";
import type { SimulatedSubmission } from "../support/trapdoor-keys.ts";

const CLIENTS = 4;
/** Beyond them a round needs keys that nobody has. */
const ROUNDS_WITH_KEYS = 2;
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_240_229);
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 40);
const PHASES = ["Idle", "Collecting", "Attesting", "Aggregating", "Finalised", "Aborted"] as const;

/** What three or four seats state: a bitmap of each, good and refused. */
interface Statements {
  readonly good: readonly number[];
  readonly refused: readonly number[];
  readonly members: number;
}

type Step =
  | { readonly kind: "open" | "abort" | "execute" | "finalize" }
  | { readonly kind: "submit"; readonly client: number }
  | ({ readonly kind: "settle" } & Statements)
  | { readonly kind: "wait"; readonly seconds: number };

const EVERYBODY: Step = { kind: "settle", good: [15, 15, 15, 15], refused: [0, 0, 0, 0], members: 0b1011 };

const SUBMITTING = [2, 0, 3, 1].map((client): Step => ({ kind: "submit", client }));

/** Ways into a round: everybody twice, where results open the next round, and a proposal that is executed. */
const WAYS_IN: readonly (readonly Step[])[] = [
  [{ kind: "open" }, ...SUBMITTING, EVERYBODY, { kind: "finalize" }, ...SUBMITTING, EVERYBODY, { kind: "finalize" }],
  [
    { kind: "open" },
    ...SUBMITTING,
    { kind: "settle", good: [0b1011, 0b1011, 0b1011], refused: [0, 0, 0b100], members: 0b111 },
    { kind: "wait", seconds: 300 },
    { kind: "execute" },
  ],
];

interface Model {
  phase: (typeof PHASES)[number];
  round: number;
  deadline: number;
  order: number[];
  proposal: { members: number; included: number } | undefined;
  finalised: number;
  /** Results when the round opened: its base model. */
  base: number;
}

const NONE = [0, 0, 0, 0];
const bitmap = fc.constantFrom(0b1111, 0b1111, 0b1111, 0b111, 0b1101, 0b1011, 0b10, 0);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom<Step>({ kind: "open" }, { kind: "abort" }, { kind: "execute" }, { kind: "finalize" }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("submit" as const), client: fc.nat(CLIENTS - 1) }) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        bitmap,
        fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, bitmap), { minLength: 3, maxLength: 4 }),
        fc.constantFrom(NONE, NONE, NONE, [2, 2, 0, 0], [2, 0, 2, 2], [0, 2, 0, 0], [8, 0, 8, 0], [0, 0, 16, 0]),
        fc.constantFrom(0b1111, 0b0111, 0b0111, 0b1110, 0b1101, 0b0011),
      )
      .map(([common, own, refused, members]): Step => {
        const good = own.map((bits) => bits ?? common);
        // Mostly no contradiction: a client that a seat refuses is not good as well.
        return { kind: "settle", good: good.map((bits, i) => bits & ~(refused[i]! & 0b1010)), refused, members };
      }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 299, 300, 599, 600, 900) }),
  },
);

/** A way into a round, so that late phases are reached, and then anything. */
const sequence: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.constantFrom(...WAYS_IN),
    fc.constantFrom(0, 4, 5, 6, 7, 8, 11, 12, 13),
    fc.array(step, { minLength: 20, maxLength: 40, size: "max" }),
  )
  .map(([way, length, rest]) => [...way.slice(0, length), ...rest]);

describe("the contract's phases", function () {
  this.timeout(300_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let restore: () => Promise<void>;
  /** By round, its base model and client: all of it is the same in every run. */
  const submissions = new Map<string, SimulatedSubmission>();
  before(async () => {
    connection = await openChain();
    task = await deployTask(connection);
    await registerAll(task, Array<number>(CLIENTS).fill(1));
    for (const member of task.members)
      await as(task, member)["registerRoundKeys"]!(
        1,
        Array.from({ length: ROUNDS_WITH_KEYS }, (_, i) => word(`${member.address} ${i}`)),
      );
    restore = await snapshot(connection);
  });
  after(() => connection.close());

  it("follow the model on every sequence of calls", async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(sequence, async (steps) => {
        await restore();
        const model: Model = {
          phase: "Idle",
          round: 0,
          deadline: 0,
          order: [],
          proposal: undefined,
          finalised: 0,
          base: 0,
        };
        let now = (await connection.ethers.provider.getBlock("latest"))!.timestamp;
        for (const event of steps) {
          // Each call has a second of its own; a wait only moves the clock.
          now += event.kind === "wait" ? event.seconds : 1;
          if (event.kind === "wait") continue;
          passTime(model, now);
          // Calls are made of what the chain says before them.
          const call = await prepare(event, model, now);
          const before = model.round;
          const expected = applyToModel(model, event, now);
          await setNextTime(connection, BigInt(now));
          const actual = await call().then(() => undefined, errorName);
          assert.equal(actual, expected, `${JSON.stringify(event)} in ${JSON.stringify(model)}`);
          // A refused call is not mined, and what the contract says is of the latest block's time.
          if (actual !== undefined) await connection.provider.request({ method: "evm_mine", params: [] });
          await compare(model);
          const way = model.round > before && event.kind === "finalize" ? "the next round" : model.phase;
          if (expected === undefined) reached.add(`${event.kind} -> ${way}`);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    // Guards against generators that stop short: every way into every phase was taken.
    const ways = [
      "open -> Collecting",
      "submit -> Attesting",
      "settle -> Attesting",
      "settle -> Aggregating",
      "execute -> Aggregating",
      "finalize -> the next round",
      "finalize -> Finalised",
      "abort -> Aborted",
    ];
    assert.deepEqual(
      ways.filter((way) => !reached.has(way)),
      [],
    );
  });

  /** The call that the event is, from what the chain and the model know before it. */
  async function prepare(
    event: Exclude<Step, { kind: "wait" }>,
    model: Model,
    now: number,
  ): Promise<() => Promise<unknown>> {
    const { verisum } = task;
    const { round } = model;
    switch (event.kind) {
      case "open":
        return () => verisum["openRound"]!();
      case "abort":
        return () => verisum["abort"]!(round);
      case "submit": {
        const client = task.clients[event.client]!;
        const key = `${round} ${model.base} ${event.client}`;
        const made = submissions.get(key) ?? (await makeSubmission(task, client, "model"));
        submissions.set(key, made);
        return () => sendSubmission(task, client, made.submission, BigInt(round));
      }
      case "settle": {
        const statements = await Promise.all(
          event.good.map((good, i) => statementOf(task, i + 1, BigInt(good), BigInt(event.refused[i]!))),
        );
        const excluded = await excludedOf(task, effectiveExclusions(model, event, now));
        return () => verisum["settle"]!(round, statements, event.members, excluded);
      }
      case "execute": {
        const excluded = model.proposal === undefined ? [] : missingFrom(model, model.proposal.included);
        const records = model.phase === "Attesting" ? await excludedOf(task, excluded) : [];
        return () => settleStanding(task, records);
      }
      case "finalize": {
        const scalars = model.order.map(
          (client) => submissions.get(`${round} ${model.base} ${client}`)!.commitmentScalar,
        );
        const included = model.proposal?.included ?? 0;
        const weights = scalars.map((_, index) => (included >> index) & 1);
        const made = await makeFinalisation(task, weightedScalar(scalars, weights), [2, 3]);
        return () => sendFinalisation(task, made);
      }
    }
  }

  async function compare(model: Model): Promise<void> {
    const state = await roundOf(task);
    assert.equal(PHASES[Number(state.phase)], model.phase);
    assert.equal(Number(state.number), model.round);
    assert.equal(Number(state.submitted), model.order.length);
    assert.equal(Number(state.included), model.proposal?.included ?? 0);
    assert.equal(Number(state.proposedMembers), model.proposal?.members ?? 0);
    assert.equal(await view(task, "finalisedRounds"), BigInt(model.finalised));
    const isSettled = model.phase === "Aggregating" || model.phase === "Finalised";
    assert.equal(state.settlement !== ZERO_WORD, isSettled);
    const isOpen = model.phase === "Collecting" || model.phase === "Attesting";
    assert.equal(state.intake !== ZERO_WORD, isOpen && model.order.length > 0);
    const counted = isSettled ? bits(model.proposal!.included) : model.order.length;
    if (isSettled || isOpen) assert.equal(Number(state.totalWeight), counted);
    if (["Collecting", "Attesting", "Aggregating"].includes(model.phase))
      assert.equal(Number(state.deadline), model.deadline);
  }
});

/** What time alone does: enough clients at the deadline make Collecting Attesting. */
function passTime(model: Model, now: number): void {
  if (model.phase !== "Collecting" || now < model.deadline || model.order.length < PARAMETERS.minClients) return;
  model.phase = "Attesting";
  model.deadline += PARAMETERS.attestSeconds;
}

/** The next state, or the name of the error that leaves the state as it is. */
function applyToModel(model: Model, event: Exclude<Step, { kind: "wait" }>, now: number): string | undefined {
  const enter = (phase: Model["phase"], seconds: number): undefined => {
    model.phase = phase;
    model.deadline = now + seconds;
  };
  const isActive = ["Collecting", "Attesting", "Aggregating"].includes(model.phase);
  const stands = model.phase === "Attesting" && model.proposal !== undefined;
  const open = (): undefined => {
    Object.assign(model, { round: model.round + 1, order: [], proposal: undefined, base: model.finalised });
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
      model.order.push(event.client);
      return model.order.length === CLIENTS ? enter("Attesting", PARAMETERS.attestSeconds) : undefined;
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
      model.finalised += 1;
      if (model.round < ROUNDS_WITH_KEYS) return open();
      model.phase = "Finalised";
      return undefined;
  }
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

function missingFrom(model: Model, included: number): number[] {
  return model.order.map((_, index) => index).filter((index) => ((included >> index) & 1) === 0);
}

/** Whom a settlement by these statements leaves out if the model takes it as final; nobody otherwise. */
function effectiveExclusions(model: Model, statements: Statements, now: number): number[] {
  const tried: Model = { ...model };
  const refused = applyToModel(tried, { kind: "settle", ...statements }, now);
  return refused === undefined && tried.phase === "Aggregating" ? missingFrom(model, tried.proposal!.included) : [];
}

function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

function errorName(error: unknown): string {
  const data = (error as { data?: unknown }).data;
  return typeof data === "string" ? (VERISUM_INTERFACE.parseError(data)?.name ?? data) : String(error);
}
