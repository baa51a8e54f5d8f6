/** The contract and a small model of its phases agree on random sequences of calls (docs/protocol.md, section 6). */
import assert from "node:assert/strict";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { BARRIER } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { ZERO_WORD } from "../../protocol/transcript.ts";
import {
  applyToModel,
  baseOf,
  bits,
  CLIENTS,
  effectiveExclusions,
  missingFrom,
  nameOf,
  passTime,
  PHASES,
  ROUNDS_WITH_KEYS,
} from "../support/phase-model.ts";
import type { Model, Step } from "../support/phase-model.ts";
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

const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_240_229);
const RUNS = Number(process.env["PROPERTY_RUNS"] ?? 40);

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

/** Everybody is waited for; or four are the goal, and the model before the latest does as well. */
const TASKS = {
  barrier: BARRIER,
  buffer: { bufferGoal: 4, maxStaleness: 1, minSeparation: 1, minCollectSeconds: 5, maxWeight: 127 },
} as const;

const NONE = [0, 0, 0, 0];
const bitmap = fc.constantFrom(0b1111, 0b1111, 0b1111, 0b111, 0b1101, 0b1011, 0b10, 0);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom<Step>({ kind: "open" }, { kind: "abort" }, { kind: "execute" }, { kind: "finalize" }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      client: fc.nat(CLIENTS - 1),
      age: fc.constantFrom(0, 0, 0, 0, 1, 1, 2, -1),
    }),
  },
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

for (const [name, change] of Object.entries(TASKS))
  describe(`the contract's phases with a ${name}`, function () {
    this.timeout(600_000);
    const rules: TaskParameters = { ...PARAMETERS, ...change };
    let connection: NetworkConnection;
    let task: TaskOnChain;
    let restore: () => Promise<void>;
    /** By round, its base model and client: all of it is the same in every run. */
    const submissions = new Map<string, SimulatedSubmission>();
    before(async () => {
      connection = await openChain();
      task = await deployTask(connection, change);
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
            digests: [rules.genesisDigest],
            submitted: [],
            opened: 0,
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
            const expected = applyToModel(rules, model, event, now);
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
          const key = nameOf(model, event);
          const made = submissions.get(key) ?? (await makeSubmission(task, client, "model", baseOf(model, event)));
          submissions.set(key, made);
          return () => sendSubmission(task, client, made.submission, BigInt(round));
        }
        case "settle": {
          const statements = await Promise.all(
            event.good.map((good, i) => statementOf(task, i + 1, BigInt(good), BigInt(event.refused[i]!))),
          );
          const excluded = await excludedOf(task, effectiveExclusions(rules, model, event, now));
          return () => verisum["settle"]!(round, statements, event.members, excluded);
        }
        case "execute": {
          const excluded = model.proposal === undefined ? [] : missingFrom(model, model.proposal.included);
          const records = model.phase === "Attesting" ? await excludedOf(task, excluded) : [];
          return () => settleStanding(task, records);
        }
        case "finalize": {
          const scalars = model.submitted.map((key) => submissions.get(key)!.commitmentScalar);
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
      assert.equal(await view(task, "finalisedRounds"), BigInt(model.digests.length - 1));
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

function errorName(error: unknown): string {
  const data = (error as { data?: unknown }).data;
  return typeof data === "string" ? (VERISUM_INTERFACE.parseError(data)?.name ?? data) : String(error);
}
