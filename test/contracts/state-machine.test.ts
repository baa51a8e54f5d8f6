/** The contract and a small model of its phases agree on random sequences of calls (docs/protocol.md, section 6). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import type { Submission } from "../../protocol/submission.ts";
import { smallestInclusion } from "../../protocol/task.ts";
import { word } from "../support/random.ts";
import { VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  maskOf,
  openChain,
  PARAMETERS,
  registerAll,
  roundOf,
  sendSubmission,
  setNextTime,
  snapshot,
  makeSubmission,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const CLIENTS = 4;
const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_240_229);
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 40);
const PHASES = ["Idle", "Collecting", "Attesting", "Aggregating", "Finalised", "Aborted"] as const;

type Step =
  | { readonly kind: "open" | "advance" | "settle" }
  | { readonly kind: "submit"; readonly client: number }
  | { readonly kind: "attest"; readonly seat: number; readonly bitmap: number }
  | { readonly kind: "propose"; readonly members: number }
  | { readonly kind: "release"; readonly seat: number }
  | { readonly kind: "wait"; readonly seconds: number };

/** Opens, submits all four, attests with three seats, proposes everybody and settles. */
const OPENING: readonly Step[] = [
  { kind: "open" },
  ...[2, 0, 3, 1].map((client): Step => ({ kind: "submit", client })),
  ...[1, 2, 4].map((seat): Step => ({ kind: "attest", seat, bitmap: seat === 2 ? 0b1101 : 0b1111 })),
  { kind: "attest", seat: 2, bitmap: 0b0010 },
  { kind: "propose", members: 0b1011 },
  { kind: "settle" },
];

interface Model {
  phase: (typeof PHASES)[number];
  round: number;
  deadline: number;
  order: number[];
  bitmaps: Map<number, number>;
  proposal: { members: number; included: number } | undefined;
  releases: number;
}

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<Step>({ kind: "open" }, { kind: "advance" }, { kind: "settle" }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("submit" as const), client: fc.nat(CLIENTS - 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("attest" as const),
      seat: fc.integer({ min: 1, max: 4 }),
      bitmap: fc.constantFrom(0b1111, 0b1111, 0b1111, 0b111, 0b1101, 0b10),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("propose" as const),
      members: fc.constantFrom(0b1111, 0b0111, 0b1110, 0b1101, 0b0011),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("release" as const), seat: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 299, 300, 599, 600, 900) }),
  },
);

/** A way into a round, so that late phases are reached, and then anything. */
const sequence: fc.Arbitrary<Step[]> = fc
  .tuple(fc.constantFrom(0, 4, 5, 8, 11), fc.array(step, { minLength: 20, maxLength: 40, size: "max" }))
  .map(([length, rest]) => [...OPENING.slice(0, length), ...rest]);

describe("the contract's phases", function () {
  this.timeout(300_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let restore: () => Promise<void>;
  /** By round and client: all of it is the same in every run. */
  const submissions = new Map<string, Submission>();
  before(async () => {
    connection = await openChain();
    task = await deployTask(connection);
    await registerAll(task, Array<number>(CLIENTS).fill(1));
    for (const member of task.members)
      await as(task, member)["registerRoundKeys"]!(
        1,
        Array.from({ length: 12 }, (_, i) => word(`${member.address} ${i}`)),
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
          bitmaps: new Map(),
          proposal: undefined,
          releases: 0,
        };
        let now = (await connection.ethers.provider.getBlock("latest"))!.timestamp;
        for (const event of steps) {
          // Each call has a second of its own; a wait only moves the clock.
          now += event.kind === "wait" ? event.seconds : 1;
          if (event.kind === "wait") continue;
          const expected = applyToModel(model, event, now);
          await setNextTime(connection, BigInt(now));
          const actual = await perform(event, model.round, model).then(() => undefined, errorName);
          assert.equal(actual, expected, JSON.stringify(event));
          await compare(model);
          if (expected === undefined) reached.add(`${event.kind} -> ${model.phase}`);
        }
      }),
      { seed: SEED, numRuns: RUNS },
    );
    // Guards against generators that stop short: every way into every phase was taken.
    const ways = [
      "open -> Collecting",
      "submit -> Attesting",
      "advance -> Attesting",
      "propose -> Attesting",
      "settle -> Aggregating",
      "release -> Aggregating",
      "advance -> Aborted",
    ];
    assert.deepEqual(
      ways.filter((way) => !reached.has(way)),
      [],
    );
  });

  async function perform(event: Exclude<Step, { kind: "wait" }>, round: number, model: Model): Promise<unknown> {
    const { verisum } = task;
    switch (event.kind) {
      case "open":
        return verisum["openRound"]!();
      case "advance":
        return verisum["advance"]!(round);
      case "submit": {
        const client = task.clients[event.client]!;
        const key = `${round} ${event.client}`;
        const submission = submissions.get(key) ?? (await makeSubmission(task, client, "model")).submission;
        submissions.set(key, submission);
        return sendSubmission(task, client, submission, BigInt(round));
      }
      case "attest":
        return as(task, task.members[event.seat - 1]!)["attest"]!(round, event.bitmap);
      case "propose":
        return verisum["propose"]!(round, event.members);
      case "settle":
        return verisum["settle"]!(round, await excludedOf(model));
      case "release":
        return as(task, task.members[event.seat - 1]!)["release"]!(round, word("release"));
    }
  }

  /** The right list, from the chain's own events. */
  async function excludedOf({ order, proposal }: Model): Promise<unknown[]> {
    if (proposal === undefined) return [];
    const missing = order.map((_, index) => index).filter((index) => (proposal.included & (1 << index)) === 0);
    if (missing.length === 0) return [];
    const { number } = await roundOf(task);
    const logs = await task.verisum.queryFilter("Submitted");
    const records = logs.map((log) => VERISUM_INTERFACE.parseLog(log)!.args).filter((args) => args["round"] === number);
    return missing.map((index) => {
      const args = records.find((found) => found["index"] === BigInt(index))!;
      const { x, y } = (args["submission"] as { commitment: { x: bigint; y: bigint } }).commitment;
      return {
        index,
        record: { client: args["client"] as string, weight: args["weight"] as bigint, commitment: { x, y } },
      };
    });
  }

  async function compare(model: Model): Promise<void> {
    const state = await roundOf(task);
    assert.equal(PHASES[Number(state.phase)], model.phase);
    assert.equal(Number(state.number), model.round);
    assert.equal(Number(state.submitted), model.order.length);
    assert.equal(Number(state.included), model.proposal?.included ?? 0);
    assert.equal(Number(state.proposedMembers), model.proposal?.members ?? 0);
    assert.equal(Number(state.releaseMask), model.releases);
    const included = model.phase === "Aggregating" ? bits(model.proposal!.included) : model.order.length;
    if (model.phase !== "Aborted" && model.phase !== "Idle") assert.equal(Number(state.totalWeight), included);
    if (["Collecting", "Attesting", "Aggregating"].includes(model.phase))
      assert.equal(Number(state.deadline), model.deadline);
  }
});

/** The next state, or the name of the error that leaves the state as it is. */
function applyToModel(model: Model, event: Exclude<Step, { kind: "wait" }>, now: number): string | undefined {
  const { collectSeconds, attestSeconds, aggregateSeconds, quorum, minClients } = PARAMETERS;
  const active = (phase: Model["phase"]): string | undefined =>
    model.phase !== phase ? "VerisumWrongPhase" : now >= model.deadline ? "VerisumDeadlinePassed" : undefined;
  const enter = (phase: Model["phase"], seconds: number): undefined => {
    model.phase = phase;
    model.deadline = now + seconds;
  };
  switch (event.kind) {
    case "open": {
      if (!["Idle", "Finalised", "Aborted"].includes(model.phase)) return "VerisumWrongPhase";
      Object.assign(model, { round: model.round + 1, order: [], bitmaps: new Map(), proposal: undefined, releases: 0 });
      return enter("Collecting", collectSeconds);
    }
    case "submit": {
      const refused = active("Collecting");
      if (refused !== undefined) return refused;
      if (model.order.includes(event.client)) return "VerisumAlreadySubmitted";
      model.order.push(event.client);
      return model.order.length === CLIENTS ? enter("Attesting", attestSeconds) : undefined;
    }
    case "advance": {
      if (!["Collecting", "Attesting", "Aggregating"].includes(model.phase)) return "VerisumWrongPhase";
      if (now < model.deadline) return "VerisumDeadlineNotReached";
      if (model.phase === "Collecting" && model.order.length >= minClients) return enter("Attesting", attestSeconds);
      if (model.phase === "Attesting" && model.proposal !== undefined) return "VerisumProposalStands";
      model.phase = "Aborted";
      return undefined;
    }
    case "attest": {
      const refused = active("Attesting");
      if (refused !== undefined) return refused;
      if (event.bitmap >= 1 << model.order.length) return "VerisumUnknownClients";
      const before = model.bitmaps.get(event.seat) ?? 0;
      if ((before | event.bitmap) === before) return "VerisumNothingNew";
      model.bitmaps.set(event.seat, before | event.bitmap);
      return undefined;
    }
    case "propose":
      return active("Attesting") ?? proposeToModel(model, event.members, quorum);
    case "settle": {
      if (model.phase !== "Attesting") return "VerisumWrongPhase";
      if (model.proposal === undefined) return "VerisumNoProposal";
      if (bits(model.proposal.included) < model.order.length && now < model.deadline)
        return "VerisumDeadlineNotReached";
      return enter("Aggregating", aggregateSeconds);
    }
    case "release": {
      const refused = active("Aggregating");
      if (refused !== undefined) return refused;
      const bit = Number(maskOf([event.seat]));
      if ((model.releases & bit) !== 0) return "VerisumAlreadyReleased";
      if ((model.proposal!.included & ~(model.bitmaps.get(event.seat) ?? 0)) !== 0) return "VerisumReleaseNotAttested";
      model.releases |= bit;
      return undefined;
    }
  }
}

function proposeToModel(model: Model, members: number, quorum: number): string | undefined {
  const seats = [1, 2, 3, 4].filter((seat) => (members & (1 << (seat - 1))) !== 0);
  if (seats.some((seat) => !model.bitmaps.has(seat))) return "VerisumNotAttested";
  if (seats.length < quorum) return "VerisumNoQuorum";
  const included = seats.reduce((common, seat) => common & model.bitmaps.get(seat)!, 0b1111);
  if (bits(included) < smallestInclusion(PARAMETERS, model.order.length)) return "VerisumTooFewIncluded";
  const { proposal } = model;
  if (proposal !== undefined) {
    const isBetter =
      bits(included) > bits(proposal.included) ||
      (bits(included) === bits(proposal.included) && seats.length > bits(proposal.members));
    if (!isBetter) return "VerisumProposalNotBetter";
  }
  model.proposal = { members, included };
  return undefined;
}

function bits(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

function errorName(error: unknown): string {
  const data = (error as { data?: unknown }).data;
  return typeof data === "string" ? (VERISUM_INTERFACE.parseError(data)?.name ?? data) : String(error);
}
