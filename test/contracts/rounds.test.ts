import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { AbiCoder, keccak256 } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { G1_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import { extendIntake, recordHashOf, settlementOf, ZERO_WORD } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  makeSubmission,
  maskOf,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendFinalisation,
  sendSubmission,
  setNextTime,
  settleOn,
  settleStanding,
  signAsSeat,
  snapshot,
  statementOf,
  statementsOf,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 2, 3, 4];
const PHASE = { Idle: 0n, Collecting: 1n, Attesting: 2n, Aggregating: 3n, Finalised: 4n, Aborted: 5n } as const;

describe("rounds", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let scalars: bigint[];
  // Snapshots are a stack: each phase's state is rebuilt from the one before, in the order of the phases.
  const states: Record<string, () => Promise<void>> = {};
  const call = (name: string, ...args: unknown[]): Promise<unknown> => task.verisum[name]!(...args);
  const member = (seat: number): TaskOnChain["verisum"] => as(task, task.members[seat - 1]!);
  const phase = async (): Promise<bigint> => (await roundOf(task)).phase;
  const deadline = async (): Promise<bigint> => (await roundOf(task)).deadline;

  async function mine(timestamp: bigint): Promise<void> {
    await setNextTime(connection, timestamp);
    await connection.provider.request({ method: "evm_mine", params: [] });
  }

  /** Sends at this time; the chain keeps the attempt's time only if it is mined. */
  async function atTime<T>(timestamp: bigint, action: () => Promise<T>): Promise<T> {
    await setNextTime(connection, timestamp);
    return action();
  }

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { privacyCostPerRound: 3n, privacyBudget: 7n });
    states["deployed"] = await snapshot(connection);
  });
  after(() => connection.close());

  describe("opening", () => {
    beforeEach(async () => {
      await states["deployed"]!();
    });

    it("needs every seat filled and minClients registered", async () => {
      await reverts(call("openRound"), "VerisumCommitteeIncomplete", 0, 4);
      for (const { address } of task.members) await call("registerMember", address);
      await call("registerClient", task.clients[0]!.address, 1);
      await call("registerClient", task.clients[1]!.address, 1);
      await reverts(call("openRound"), "VerisumTooFewClients", 2, 3);
    });

    it("waits for every key until the window ends, then for a quorum", async () => {
      await registerAll(task, WEIGHTS);
      const filled = BigInt((await connection.ethers.provider.getBlock("latest"))!.timestamp);
      const windowStart = filled - BigInt(WEIGHTS.length);
      for (const seat of [1, 2, 4]) await member(seat)["registerRoundKeys"]!(1, [word(`${seat}`)]);
      const latest = (await connection.ethers.provider.getBlock("latest"))!;
      assert.ok(BigInt(latest.timestamp) < windowStart + 60n);
      await reverts(
        atTime(windowStart + 50n, () => call("openRound")),
        "VerisumTooFewKeys",
      );
      await atTime(windowStart + 70n, () => call("openRound"));
      assert.equal((await roundOf(task)).keyMask, 0b1011n);
    });

    it("needs a quorum of keys however long it waits", async () => {
      await registerAll(task, WEIGHTS);
      for (const seat of [1, 2]) await member(seat)["registerRoundKeys"]!(1, [word(`${seat}`)]);
      const now = BigInt((await connection.ethers.provider.getBlock("latest"))!.timestamp);
      await reverts(
        atTime(now + 10_000n, () => call("openRound")),
        "VerisumTooFewKeys",
      );
    });

    it("starts from the latest model, once", async () => {
      await registerAll(task, WEIGHTS);
      await openRound(task);
      const [log] = await task.verisum.queryFilter("RoundOpened");
      const { args } = VERISUM_INTERFACE.parseLog(log!)!;
      assert.deepEqual(
        [args["round"], args["baseModelCid"], args["baseModelDigest"], args["keyMask"]],
        [1n, task.parameters.genesisCid, task.parameters.genesisDigest, 15n],
      );
      await reverts(call("openRound"), "VerisumWrongPhase", PHASE.Collecting, 0b110001);
    });
  });

  describe("while collecting", () => {
    before(async () => {
      await states["deployed"]!();
      await registerAll(task, WEIGHTS);
      await openRound(task);
      states["collecting"] = await snapshot(connection);
    });
    beforeEach(() => states["collecting"]!());

    it("accepts a submission a second before the deadline and none at it or after", async () => {
      const end = await deadline();
      const early = await makeSubmission(task, task.clients[0]!, "early");
      const late = await makeSubmission(task, task.clients[1]!, "late");
      await atTime(end - 1n, () => sendSubmission(task, task.clients[0]!, early.submission));
      await reverts(
        atTime(end, () => sendSubmission(task, task.clients[1]!, late.submission)),
        "VerisumDeadlinePassed",
        end,
        end,
      );
      await reverts(
        atTime(end + 1n, () => sendSubmission(task, task.clients[1]!, late.submission)),
        "VerisumDeadlinePassed",
        end,
        end + 1n,
      );
    });

    it("becomes Attesting by time alone, if enough clients are in", async () => {
      const end = await deadline();
      await submitAll(task, 3);
      const statements = await statementsOf(task, 0b111n);
      await reverts(
        atTime(end - 1n, () => call("settle", 1, statements, 0b1111n, [])),
        ...["VerisumWrongPhase", 1, 0b100],
      );
      assert.deepEqual([await phase(), await deadline()], [PHASE.Collecting, end]);
      await mine(end);
      assert.deepEqual([await phase(), await deadline()], [PHASE.Attesting, end + 300n]);
      await reverts(submitAll({ ...task, clients: task.clients.slice(3) }, 1), "VerisumWrongPhase", 2, 0b10);
      await reverts(call("abort", 1), "VerisumDeadlineNotReached");
      // Attesting's time counts from the deadline, however late the first call comes.
      await mine(end + 299n);
      await settleOn(task, 0b111n);
      assert.equal(await phase(), PHASE.Aggregating);
    });

    it("is aborted at the deadline below minClients, not a second earlier", async () => {
      await submitAll(task, 2);
      const end = await deadline();
      await reverts(
        atTime(end - 1n, () => call("abort", 1)),
        "VerisumDeadlineNotReached",
        end,
        end - 1n,
      );
      await atTime(end, () => call("abort", 1));
      assert.equal(await phase(), PHASE.Aborted);
      await reverts(call("abort", 1), "VerisumWrongPhase", PHASE.Aborted, 0b1110);
      await openRound(task);
      const { number, submitted, totalWeight, intake } = await roundOf(task);
      assert.deepEqual([number, submitted, totalWeight, intake], [2n, 0n, 0n, ZERO_WORD]);
    });

    it("keeps the running hash of what was submitted, in order", async () => {
      assert.equal((await roundOf(task)).intake, ZERO_WORD);
      let intake: Hex = ZERO_WORD;
      for (const index of [2, 0, 1]) {
        await submitAll({ ...task, clients: task.clients.slice(index) }, 1);
        const place = Number((await roundOf(task)).submitted) - 1;
        const [excluded] = await excludedOf(task, [place]);
        intake = extendIntake(intake, recordHashOf(1n, excluded!.record));
        assert.equal((await roundOf(task)).intake, intake);
      }
      assert.equal((await roundOf(task)).settlement, ZERO_WORD);
    });

    it("is not the time for anything else", async () => {
      const statements = await statementsOf(task, 0n);
      await reverts(call("settle", 1, statements, 0b1111n, []), "VerisumWrongPhase", PHASE.Collecting, 0b100);
      await reverts(
        sendFinalisation(task, await makeFinalisation(task, 1n, [1, 2])),
        "VerisumWrongPhase",
        PHASE.Collecting,
        0b1000,
      );
      for (const round of [0, 2]) {
        await reverts(call("abort", round), "VerisumWrongRound", 1, round);
        await reverts(call("settle", round, statements, 0b1111n, []), "VerisumWrongRound", 1, round);
      }
    });
  });

  describe("while attesting", () => {
    const ALL = 0b1111n;
    before(async () => {
      await states["collecting"]!();
      scalars = await submitAll(task, 4);
      states["attesting"] = await snapshot(connection);
    });
    beforeEach(() => states["attesting"]!());

    /** Seats 1 to 3 found the bitmap good. */
    const proposes = async (good: bigint): Promise<void> => settleOn(task, good, [1, 2, 3]);
    const settles = async (
      statements: readonly Promise<unknown>[],
      members: bigint,
      excluded: readonly unknown[] = [],
    ): Promise<unknown> => call("settle", 1, await Promise.all(statements), members, excluded);

    it("refuses clients that did not submit, and those both good and refused", async () => {
      const others = [statementOf(task, 2, ALL), statementOf(task, 3, ALL)];
      const first = (good: bigint, refused: bigint): Promise<unknown> =>
        settles([statementOf(task, 1, good, refused), ...others], 0b0111n);
      await reverts(first(0b10000n, 0n), "VerisumUnknownClients", 1, 0b10000, 4);
      await reverts(first(0b0111n, 1n << 255n), "VerisumUnknownClients", 1, 0b0111n | (1n << 255n), 4);
      await reverts(first(ALL, 0b0100n), "VerisumContradiction", 1, 0b0100);
      await first(0b1011n, 0b0100n);
    });

    it("counts each seat once, by ascending seat", async () => {
      const [one, two, three] = await statementsOf(task, ALL, [1, 2, 3]);
      const send = (...statements: unknown[]): Promise<unknown> => call("settle", 1, statements, 0b0111n, []);
      await reverts(send(one, two, two, three), "VerisumSeatOrder", 2, 2);
      await reverts(send(one, three, two), "VerisumSeatOrder", 3, 2);
      await reverts(send({ ...one, seat: 0 }, two, three), "VerisumSeatOrder", 0, 0);
      for (const seat of [5, 32, 33, 255])
        await reverts(send(one, two, three, { ...one, seat }), "VerisumNoRoundKey", seat);
      await send(one, two, three);
    });

    it("refuses a statement of another seat, intake, round, contract, chain or deployment", async () => {
      const { intake } = await roundOf(task);
      const others = [statementOf(task, 1, ALL), statementOf(task, 2, ALL)];
      const of = { round: 1n, intake, good: ALL, refused: 0n };
      const third = async (seat: number, change: object, context: object): Promise<unknown> => {
        const { r, vs } = await signAsSeat(task, seat, "Attestation", { ...of, ...change }, context);
        return settles([...others, Promise.resolve({ seat: 3, good: ALL, refused: 0n, signature: [r, vs] })], 0b0111n);
      };
      const wrong: readonly (readonly [number, object, object])[] = [
        [4, {}, {}],
        [3, { intake: word("another intake") }, {}],
        [3, { round: 2n }, {}],
        [3, { good: 0b0111n }, {}],
        [3, { refused: 0b1000n }, {}],
        [3, {}, { deployment: word("another deployment") }],
        [3, {}, { chainId: 1n }],
        [3, {}, { contract: task.operator.address as Hex }],
      ];
      for (const change of wrong) await reverts(third(...change), "VerisumAttestationInvalid", 3);
      await third(3, {}, {});
    });

    it("refuses a member without a key for the round, and what was signed in the one before", async () => {
      const before = await statementsOf(task, ALL, [1, 2, 3]);
      const end = await deadline();
      await atTime(end, () => call("abort", 1));
      for (const seat of [1, 2, 3]) await member(seat)["registerRoundKeys"]!(2, [word(`k${seat}`)]);
      await atTime(end + 61n, () => call("openRound"));
      await submitAll(task, 4);
      const withoutKey = await statementOf(task, 4, ALL);
      const [one, two, three] = await statementsOf(task, ALL, [1, 2, 3]);
      const send = (...statements: unknown[]): Promise<unknown> => call("settle", 2, statements, 0b0111n, []);
      await reverts(send(one, two, three, withoutKey), "VerisumNoRoundKey", 4);
      await reverts(send(one, two, before[2]), "VerisumAttestationInvalid", 3);
      await send(one, two, three);
    });

    it("needs a quorum of those who stated something, and enough clients", async () => {
      const good = [statementOf(task, 1, ALL), statementOf(task, 2, ALL)];
      await reverts(settles(good, 0b0011n), "VerisumNoQuorum", 2, 3);
      await reverts(settles(good, 0b0111n), "VerisumNotAttested", 7, 3);
      await reverts(settles(good, 1n << 31n), "VerisumNotAttested", 1n << 31n, 3);
      await reverts(settles([], 0n), "VerisumNoQuorum", 0, 3);
      await reverts(settles([...good, statementOf(task, 3, 0b0011n)], 0b0111n), "VerisumTooFewIncluded", 2, 3);
      await settles([...good, statementOf(task, 3, 0b0111n)], 0b0111n);
      assert.deepEqual([await phase(), (await roundOf(task)).included], [PHASE.Attesting, 0b0111n]);
    });

    it("counts in the clients that all of the chosen members found good, whatever others state", async () => {
      const statements = [
        [1, 0b0111n],
        [2, ALL],
        [3, ALL],
        [4, ALL],
      ] as const;
      await settles(
        statements.map(([seat, good]) => statementOf(task, seat, good)),
        maskOf([2, 3, 4]),
      );
      const { included, proposedMembers } = await roundOf(task);
      assert.deepEqual([included, proposedMembers], [ALL, maskOf([2, 3, 4])]);
    });

    it("prefers more clients, then more members, then the earlier proposal", async () => {
      const by = (bitmaps: readonly bigint[], members: readonly number[]): Promise<unknown> =>
        settles(
          bitmaps.map((good, i) => statementOf(task, i + 1, good)),
          maskOf(members),
        );
      const some = [0b0111n, 0b0111n, ALL, ALL];
      await by(some, [1, 2, 3]);
      await reverts(by(some, [1, 2, 4]), "VerisumProposalNotBetter", 3, 3);
      await by(some, [1, 2, 3, 4]);
      await reverts(by(some, [2, 3, 4]), "VerisumProposalNotBetter", 3, 4);
      await by([0b0111n, ALL, ALL, ALL], [2, 3, 4]);
      const state = await roundOf(task);
      assert.deepEqual([state.phase, state.included, state.proposedMembers], [3n, ALL, maskOf([2, 3, 4])]);
    });

    it("is aborted at the deadline without a proposal", async () => {
      const end = await deadline();
      const statements = await statementsOf(task, ALL);
      await reverts(
        atTime(end - 1n, () => call("abort", 1)),
        "VerisumDeadlineNotReached",
        end,
        end - 1n,
      );
      await mine(end);
      await reverts(call("settle", 1, statements, 0b1111n, []), "VerisumDeadlinePassed");
      await reverts(call("settle", 1, statements, 0n, []), "VerisumDeadlinePassed");
      await reverts(call("settle", 1, [], 0b1111n, []), "VerisumDeadlinePassed");
      await reverts(settleStanding(task), "VerisumNoProposal");
      await call("abort", 1);
      assert.deepEqual([await phase(), (await roundOf(task)).intake], [PHASE.Aborted, ZERO_WORD]);
      await reverts(call("abort", 1), "VerisumWrongPhase", PHASE.Aborted, 0b1110);
      await reverts(settleStanding(task), "VerisumWrongPhase", PHASE.Aborted, 0b100);
    });

    it("takes statements a second before the deadline", async () => {
      const statements = await statementsOf(task, ALL);
      await atTime((await deadline()) - 1n, () => call("settle", 1, statements, 0b1111n, []));
      assert.equal(await phase(), PHASE.Aggregating);
    });

    it("settles at once if everybody is included", async () => {
      const { intake } = await roundOf(task);
      await settleOn(task, ALL);
      const state = await roundOf(task);
      assert.deepEqual([state.phase, state.totalWeight, state.included], [PHASE.Aggregating, 10n, ALL]);
      const sum = multiplyG1(G1_GENERATOR, weightedScalar(scalars, WEIGHTS));
      assert.deepEqual({ x: state.sum.x, y: state.sum.y }, sum);
      assert.equal(await view(task, "privacySpent"), 3n);
      const settlement = settlementOf({ round: 1n, intake, included: ALL, totalWeight: 10, sum });
      assert.deepEqual([state.settlement, state.intake], [settlement, ZERO_WORD]);
    });

    describe("where members refuse clients", () => {
      // n − quorum + 1 = 2 seats make every quorum miss a client.
      const refusing = (refusals: readonly bigint[], excluded: readonly unknown[] = []): Promise<unknown> =>
        settles(
          refusals.map((refused, i) => statementOf(task, i + 1, ALL & ~0b0010n, refused)),
          0b0111n,
          excluded,
        );

      it("settles at once without those that so many refused that no quorum could include them", async () => {
        const excluded = await excludedOf(task, [1]);
        await reverts(refusing([0b0010n, 0n, 0b0010n]), "VerisumExcludedMissing", 0b0010);
        await refusing([0b0010n, 0n, 0b0010n], excluded);
        const state = await roundOf(task);
        assert.deepEqual([state.phase, state.included, state.totalWeight], [PHASE.Aggregating, 0b1101n, 8n]);
        assert.equal(await view(task, "privacySpent"), 3n);
      });

      it("only proposes if fewer refused, or if they refused another client", async () => {
        const excluded = await excludedOf(task, [1]);
        await reverts(refusing([0b0010n, 0n, 0n], excluded), "VerisumNotExcluded", 1);
        await refusing([0b0010n, 0n, 0n]);
        assert.equal(await phase(), PHASE.Attesting);
        assert.equal(await view(task, "privacySpent"), 0n);
      });

      it("counts the refusals of all statements, not only of the chosen members", async () => {
        const statements = [
          ...[1, 2, 3].map((seat) => statementOf(task, seat, 0b1101n, seat === 1 ? 0b0010n : 0n)),
          statementOf(task, 4, 0n, 0b0010n),
        ];
        await settles(statements, 0b0111n, await excludedOf(task, [1]));
        assert.equal(await phase(), PHASE.Aggregating);
      });

      it("replaces a proposal of as many clients", async () => {
        await proposes(0b1101n);
        const statements = [1, 2, 3].map((seat) => statementOf(task, seat, 0b1101n, 0b0010n));
        await settles(statements, 0b0111n, await excludedOf(task, [1]));
        assert.equal(await phase(), PHASE.Aggregating);
      });

      it("replaces no proposal of more clients, which a quorum found good before", async () => {
        const wide = await deployTask(connection, { minClients: 4, maxCorrupt: 2 });
        await registerAll(wide, [1, 1, 1, 1, 1, 1]);
        await openRound(wide);
        await submitAll(wide, 6);
        await settleOn(wide, 0b111110n, [1, 2, 3]);
        const narrow = await Promise.all([1, 2, 3].map((seat) => statementOf(wide, seat, 0b001111n, 0b110000n)));
        const excluded = await excludedOf(wide, [4, 5]);
        await reverts(wide.verisum["settle"]!(1, narrow, 0b0111n, excluded), "VerisumProposalNotBetter", 5, 3);
      });
    });

    it("settles a partial set from the deadline on, and nothing else ends the phase then", async () => {
      await proposes(0b1101n);
      assert.equal(await view(task, "privacySpent"), 0n);
      const end = await deadline();
      const excluded = await excludedOf(task, [1]);
      await reverts(
        atTime(end - 1n, () => settleStanding(task, excluded)),
        "VerisumNoQuorum",
      );
      await reverts(
        atTime(end, () => call("abort", 1)),
        "VerisumProposalStands",
      );
      await reverts(call("openRound"), "VerisumProposalStands");
      const { intake } = await roundOf(task);
      await atTime(end + 1_000n, () => settleStanding(task, excluded));
      const state = await roundOf(task);
      assert.deepEqual([state.totalWeight, state.included, state.deadline], [8n, 0b1101n, end + 1_900n]);
      const sum = multiplyG1(G1_GENERATOR, weightedScalar(scalars.with(1, 0n), WEIGHTS));
      assert.deepEqual({ x: state.sum.x, y: state.sum.y }, sum);
      assert.equal(state.settlement, settlementOf({ round: 1n, intake, included: 0b1101n, totalWeight: 8, sum }));
    });

    it("refuses any list but the excluded clients' own records", async () => {
      await proposes(0b1101n);
      await mine(await deadline());
      const [other, right] = await excludedOf(task, [0, 1]);
      const send = (...excluded: unknown[]): Promise<unknown> => settleStanding(task, excluded as never);
      await reverts(send(), "VerisumExcludedMissing", 0b10);
      await reverts(send(right, right), "VerisumNotExcluded", 1);
      await reverts(send(right, other), "VerisumNotExcluded", 0);
      await reverts(send({ ...other, index: 1 }), "VerisumRecordMismatch", 1);
      for (const change of [
        { client: task.operator.address },
        { weight: 1 },
        { commitment: G1_GENERATOR },
        { sharesDigest: word("x") },
        { sharesCid: word("x") },
      ])
        await reverts(send({ ...right, record: { ...right!.record, ...change } }), "VerisumRecordMismatch", 1);
      await reverts(send({ ...right, index: 5 }), "VerisumNotExcluded", 5);
      await send(right);
    });

    it("keeps each accepted client's record by its index", async () => {
      const { record } = (await excludedOf(task, [2]))[0]!;
      const { client, weight, commitment, sharesDigest, sharesCid } = record;
      const encoded = AbiCoder.defaultAbiCoder().encode(
        ["uint64", "address", "uint16", "uint256", "uint256", "bytes32", "bytes32"],
        [1, client, weight, commitment.x, commitment.y, sharesDigest, sharesCid],
      );
      assert.equal(await view(task, "recordOf", 2), keccak256(encoded));
      assert.equal(recordHashOf(1n, record), keccak256(encoded));
      assert.equal(await view(task, "recordOf", 4), `0x${"00".repeat(32)}`);
    });
  });

  describe("while aggregating", () => {
    before(async () => {
      await states["attesting"]!();
      await settleOn(task, 0b1111n, [1, 2, 3]);
      states["aggregating"] = await snapshot(connection);
    });
    beforeEach(() => states["aggregating"]!());

    it("takes no statement more", async () => {
      const statements = await statementsOf(task, 0b1111n);
      await reverts(call("settle", 1, statements, 0b1111n, []), "VerisumWrongPhase", PHASE.Aggregating, 0b100);
      await reverts(settleStanding(task), "VerisumWrongPhase", PHASE.Aggregating, 0b100);
    });

    it("is aborted from the deadline on; the spent privacy stays spent and the budget closes the task", async () => {
      const end = await deadline();
      await reverts(
        atTime(end - 1n, () => call("abort", 1)),
        "VerisumDeadlineNotReached",
      );
      await atTime(end, () => call("abort", 1));
      const { phase: ended, settlement, intake } = await roundOf(task);
      assert.deepEqual([ended, settlement, intake], [PHASE.Aborted, ZERO_WORD, ZERO_WORD]);
      assert.equal(await view(task, "privacySpent"), 3n);
      await openRound(task);
      await submitAll(task, 4);
      await settleOn(task, 0b1111n);
      assert.equal(await view(task, "privacySpent"), 6n);
      await atTime(await deadline(), () => call("abort", 2));
      await reverts(call("openRound"), "VerisumBudgetExhausted", 6, 3, 7);
    });
  });

  describe("opening after a deadline", () => {
    /** All seats have keys of the next round as well. */
    async function withKeys(): Promise<void> {
      for (const seat of [1, 2, 3, 4]) await member(seat)["registerRoundKeys"]!(2, [word(`next ${seat}`)]);
    }
    async function opensAfterAbort(from: string, during: bigint): Promise<void> {
      await states[from]!();
      await withKeys();
      const end = await deadline();
      await reverts(
        atTime(end - 1n, () => call("openRound")),
        "VerisumWrongPhase",
        during,
        0b110001,
      );
      await atTime(end, () => call("openRound"));
      const { number, phase: present } = await roundOf(task);
      assert.deepEqual([number, present], [2n, PHASE.Collecting]);
      const [log] = await task.verisum.queryFilter("Aborted");
      const { args } = VERISUM_INTERFACE.parseLog(log!)!;
      assert.deepEqual([args["round"], args["during"]], [1n, during]);
    }

    // Snapshots are a stack: the later phase first.
    it("aborts what aggregates", () => opensAfterAbort("aggregating", PHASE.Aggregating));
    it("aborts what attests without a proposal", () => opensAfterAbort("attesting", PHASE.Attesting));
    it("aborts what collected too little", () => opensAfterAbort("collecting", PHASE.Collecting));
  });
});
