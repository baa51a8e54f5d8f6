import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { AbiCoder, keccak256 } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { G1_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import type { G1 } from "../../protocol/points.ts";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  attestAndPropose,
  deployTask,
  makeSubmission,
  maskOf,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendSubmission,
  setNextTime,
  snapshot,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const WEIGHTS = [1, 2, 3, 4];
const PHASE = { Idle: 0n, Collecting: 1n, Attesting: 2n, Aggregating: 3n, Finalised: 4n, Aborted: 5n } as const;

interface Excluded {
  readonly index: number;
  readonly record: { readonly client: string; readonly weight: number; readonly commitment: G1 };
}

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

  /** Sends at this time; the chain keeps the attempt's time only if it is mined. */
  async function atTime<T>(timestamp: bigint, action: () => Promise<T>): Promise<T> {
    await setNextTime(connection, timestamp);
    return action();
  }

  function excludedClient(index: number): Excluded {
    return {
      index,
      record: {
        client: task.clients[index]!.address,
        weight: WEIGHTS[index]!,
        commitment: multiplyG1(G1_GENERATOR, scalars[index]!),
      },
    };
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

    it("ends by time from the deadline on, not a second earlier", async () => {
      const end = await deadline();
      await submitAll(task, 3);
      await reverts(
        atTime(end - 1n, () => call("advance", 1)),
        "VerisumDeadlineNotReached",
        end,
        end - 1n,
      );
      await atTime(end, () => call("advance", 1));
      const state = await roundOf(task);
      assert.equal(state.phase, PHASE.Attesting);
      assert.equal(state.deadline, end + 300n);
    });

    it("is aborted below minClients", async () => {
      await submitAll(task, 2);
      await atTime(await deadline(), () => call("advance", 1));
      assert.equal(await phase(), PHASE.Aborted);
      await openRound(task);
      assert.equal((await roundOf(task)).number, 2n);
      assert.deepEqual([(await roundOf(task)).submitted, (await roundOf(task)).totalWeight], [0n, 0n]);
    });

    it("is not the time for anything else", async () => {
      await reverts(member(1)["attest"]!(1, 1), "VerisumWrongPhase", PHASE.Collecting, 0b100);
      await reverts(call("propose", 1, 7), "VerisumWrongPhase", PHASE.Collecting, 0b100);
      await reverts(call("settle", 1, []), "VerisumWrongPhase", PHASE.Collecting, 0b100);
      await reverts(member(1)["release"]!(1, word("r")), "VerisumWrongPhase", PHASE.Collecting, 0b1000);
      for (const round of [0, 2]) await reverts(call("advance", round), "VerisumWrongRound", 1, round);
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

    it("adds bits and never removes them", async () => {
      await member(2)["attest"]!(1, 0b0001);
      await member(2)["attest"]!(1, 0b0110);
      assert.equal(await view(task, "attestation", 2), 0b0111n);
      assert.equal(await view(task, "attestation", 1), 0n);
      await reverts(member(2)["attest"]!(1, 0b0011), "VerisumNothingNew", 2);
      await reverts(member(1)["attest"]!(1, 0), "VerisumNothingNew", 1);
    });

    it("refuses clients that did not submit, strangers and late members", async () => {
      await reverts(member(1)["attest"]!(1, 0b10000), "VerisumUnknownClients", 0b10000, 4);
      await reverts(as(task, task.stranger)["attest"]!(1, 1), "VerisumNotMember", task.stranger.address);
      const end = await deadline();
      await atTime(end - 1n, () => member(1)["attest"]!(1, 1));
      await reverts(
        atTime(end, () => member(2)["attest"]!(1, 1)),
        "VerisumDeadlinePassed",
      );
      await reverts(call("propose", 1, 7), "VerisumDeadlinePassed");
    });

    it("refuses a member without a key for the round", async () => {
      const end = await deadline();
      await atTime(end, () => call("advance", 1));
      const waiting = (await connection.ethers.provider.getBlock("latest"))!.timestamp;
      for (const seat of [1, 2, 3]) await member(seat)["registerRoundKeys"]!(2, [word(`k${seat}`)]);
      await atTime(BigInt(waiting) + 61n, () => call("openRound"));
      await submitAll(task, 4);
      await reverts(member(4)["attest"]!(2, 1), "VerisumNoRoundKey", 4);
    });

    it("forgets the attestations of the round before", async () => {
      await member(1)["attest"]!(1, ALL);
      await atTime(await deadline(), () => call("advance", 1));
      await openRound(task);
      await submitAll(task, 4);
      assert.equal(await view(task, "attestation", 1), 0n);
      await member(1)["attest"]!(2, 0b0010);
      assert.equal(await view(task, "attestation", 1), 0b0010n);
    });

    it("proposes only attesting members, a quorum of them, and enough clients", async () => {
      await member(1)["attest"]!(1, ALL);
      await member(2)["attest"]!(1, ALL);
      await reverts(call("propose", 1, maskOf([1, 2])), "VerisumNoQuorum", 2, 3);
      await reverts(call("propose", 1, maskOf([1, 2, 3])), "VerisumNotAttested", 7, 3);
      await reverts(call("propose", 1, 1n << 31n), "VerisumNotAttested");
      await member(3)["attest"]!(1, 0b0011);
      await reverts(call("propose", 1, maskOf([1, 2, 3])), "VerisumTooFewIncluded", 2, 3);
      await member(3)["attest"]!(1, 0b0100);
      await call("propose", 1, maskOf([1, 2, 3]));
      assert.equal((await roundOf(task)).included, 0b0111n);
    });

    it("prefers more clients, then more members, then the earlier proposal", async () => {
      await member(1)["attest"]!(1, 0b0111);
      await member(2)["attest"]!(1, 0b0111);
      await member(3)["attest"]!(1, ALL);
      await member(4)["attest"]!(1, ALL);
      await call("propose", 1, maskOf([1, 2, 3]));
      await reverts(call("propose", 1, maskOf([1, 2, 4])), "VerisumProposalNotBetter", 3, 3);
      await call("propose", 1, maskOf([1, 2, 3, 4]));
      await reverts(call("propose", 1, maskOf([2, 3, 4])), "VerisumProposalNotBetter", 3, 4);
      await member(2)["attest"]!(1, 0b1000);
      await call("propose", 1, maskOf([2, 3, 4]));
      const state = await roundOf(task);
      assert.deepEqual([state.included, state.proposedMembers], [ALL, maskOf([2, 3, 4])]);
      await reverts(call("propose", 1, maskOf([1, 2, 3, 4])), "VerisumProposalNotBetter", 4, 3);
    });

    it("is aborted at the deadline without a proposal", async () => {
      const end = await deadline();
      await reverts(call("settle", 1, []), "VerisumNoProposal");
      await reverts(
        atTime(end - 1n, () => call("advance", 1)),
        "VerisumDeadlineNotReached",
      );
      await atTime(end, () => call("advance", 1));
      assert.equal(await phase(), PHASE.Aborted);
      await reverts(call("advance", 1), "VerisumWrongPhase", PHASE.Aborted, 0b1110);
      await reverts(call("settle", 1, []), "VerisumWrongPhase", PHASE.Aborted, 0b100);
    });

    it("settles at once if everybody is included", async () => {
      await attestAndPropose(task, ALL);
      await call("settle", 1, []);
      const state = await roundOf(task);
      assert.deepEqual([state.phase, state.totalWeight, state.included], [PHASE.Aggregating, 10n, ALL]);
      assert.deepEqual({ x: state.sum.x, y: state.sum.y }, multiplyG1(G1_GENERATOR, weightedScalar(scalars, WEIGHTS)));
      assert.equal(await view(task, "privacySpent"), 3n);
    });

    it("settles a partial set from the deadline on, and nothing else ends the phase then", async () => {
      await attestAndPropose(task, 0b1101n);
      const end = await deadline();
      const excluded = [excludedClient(1)];
      await reverts(
        atTime(end - 1n, () => call("settle", 1, excluded)),
        "VerisumDeadlineNotReached",
        end,
        end - 1n,
      );
      await reverts(
        atTime(end, () => call("advance", 1)),
        "VerisumProposalStands",
      );
      await atTime(end + 1_000n, () => call("settle", 1, excluded));
      const state = await roundOf(task);
      assert.deepEqual([state.totalWeight, state.included, state.deadline], [8n, 0b1101n, end + 1_900n]);
      assert.deepEqual(
        { x: state.sum.x, y: state.sum.y },
        multiplyG1(G1_GENERATOR, weightedScalar(scalars.with(1, 0n), WEIGHTS)),
      );
    });

    it("refuses any list but the excluded clients' own records", async () => {
      await attestAndPropose(task, 0b1101n);
      await setNextTime(connection, await deadline());
      await connection.provider.request({ method: "evm_mine", params: [] });
      const right = excludedClient(1);
      await reverts(call("settle", 1, []), "VerisumExcludedMissing", 0b10);
      await reverts(call("settle", 1, [right, right]), "VerisumNotExcluded", 1);
      await reverts(call("settle", 1, [right, excludedClient(0)]), "VerisumNotExcluded", 0);
      await reverts(call("settle", 1, [{ ...excludedClient(0), index: 1 }]), "VerisumRecordMismatch", 1);
      await reverts(
        call("settle", 1, [{ ...right, record: { ...right.record, weight: 1 } }]),
        "VerisumRecordMismatch",
        1,
      );
      await reverts(
        call("settle", 1, [{ ...right, record: { ...right.record, commitment: G1_GENERATOR } }]),
        "VerisumRecordMismatch",
        1,
      );
      await reverts(call("settle", 1, [{ index: 5, record: right.record }]), "VerisumNotExcluded", 5);
      await call("settle", 1, [right]);
    });

    it("keeps each accepted client's record by its index", async () => {
      const { record } = excludedClient(2);
      const encoded = AbiCoder.defaultAbiCoder().encode(
        ["uint64", "address", "uint16", "uint256", "uint256"],
        [1, record.client, record.weight, record.commitment.x, record.commitment.y],
      );
      assert.equal(await view(task, "recordOf", 2), keccak256(encoded));
      assert.equal(await view(task, "recordOf", 4), `0x${"00".repeat(32)}`);
    });
  });

  describe("while aggregating", () => {
    before(async () => {
      await states["attesting"]!();
      await attestAndPropose(task, 0b1111n, [1, 2, 3]);
      await member(4)["attest"]!(1, 0b0111);
      await call("settle", 1, []);
      states["aggregating"] = await snapshot(connection);
    });
    beforeEach(() => states["aggregating"]!());

    it("records one release of each member that attested everybody included", async () => {
      await member(1)["release"]!(1, word("release"));
      await reverts(member(1)["release"]!(1, word("another")), "VerisumAlreadyReleased", 1);
      await reverts(member(4)["release"]!(1, word("release")), "VerisumReleaseNotAttested", 4, 0b1000);
      await reverts(as(task, task.stranger)["release"]!(1, word("release")), "VerisumNotMember", task.stranger.address);
      assert.equal((await roundOf(task)).releaseMask, 1n);
    });

    it("attests nothing more", async () => {
      await reverts(member(4)["attest"]!(1, 0b1000), "VerisumWrongPhase", PHASE.Aggregating, 0b100);
    });

    it("is aborted from the deadline on; the spent privacy stays spent and the budget closes the task", async () => {
      const end = await deadline();
      await atTime(end - 1n, () => member(1)["release"]!(1, word("release")));
      await reverts(
        atTime(end, () => member(2)["release"]!(1, word("release"))),
        "VerisumDeadlinePassed",
      );
      await call("advance", 1);
      assert.equal(await phase(), PHASE.Aborted);
      assert.equal(await view(task, "privacySpent"), 3n);
      await openRound(task);
      await submitAll(task, 4);
      await attestAndPropose(task, 0b1111n);
      await call("settle", 2, []);
      assert.equal(await view(task, "privacySpent"), 6n);
      await atTime(await deadline(), () => call("advance", 2));
      await reverts(call("openRound"), "VerisumBudgetExhausted", 6, 3, 7);
    });
  });
});
