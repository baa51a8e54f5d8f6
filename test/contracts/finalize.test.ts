import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { id, SigningKey, Wallet } from "ethers";
import type { LogDescription } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { statementDigest } from "../../chain/statement-signatures.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY } from "../../protocol/points.ts";
import { resultPoint, ZERO_WORD } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  makeFinalisation,
  maskOf,
  openChain,
  openRound,
  registerAll,
  releaseOf,
  roundOf,
  SECRETS,
  sendFinalisation,
  setNextTime,
  settleOn,
  signAsSeat,
  snapshot,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { Finalisation, TaskOnChain } from "../support/task-on-chain.ts";
import { simulateOpening } from "../support/trapdoor-keys.ts";

type Release = Finalisation["releases"][number];

const WEIGHTS = [1, 2, 3];
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("finalize", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let sumScalar: bigint;
  let valid: Finalisation;
  let settlement: Hex;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { maxRounds: 1 });
    await registerAll(task, WEIGHTS);
    await openRound(task);
    sumScalar = weightedScalar(await submitAll(task, 3), WEIGHTS);
    await settleOn(task, 0b111n);
    ({ settlement } = await roundOf(task));
    valid = await makeFinalisation(task, sumScalar, [2, 4]);
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  const send = (change: Partial<Finalisation>): Promise<unknown> => sendFinalisation(task, { ...valid, ...change });
  const resultWith = (change: Partial<Finalisation["result"]>): Partial<Finalisation> => ({
    result: { ...valid.result, ...change },
  });

  it("records the model and ends the round", async () => {
    const receipt = (await (await sendFinalisation(task, valid)).wait())!;
    const [event] = receipt.logs.map((log) => VERISUM_INTERFACE.parseLog(log)!) as [LogDescription];
    assert.deepEqual([event.name, receipt.logs.length], ["Finalised", 1]);
    assert.deepEqual([event.args["evaluation"], event.args["signers"]], [valid.evaluation, 0b1010n]);
    assert.deepEqual(
      [...((await view(task, "latestModel")) as unknown[])],
      [1n, valid.result.modelCid, valid.result.modelDigest],
    );
    const { settlement: kept, phase, intake } = await roundOf(task);
    assert.deepEqual([phase, kept, intake], [4n, settlement, ZERO_WORD]);
    assert.equal(await view(task, "finalisedRounds"), 1n);
    await reverts(sendFinalisation(task, valid), "VerisumWrongPhase", 4, 0b1000);
    await reverts(task.verisum["openRound"]!(), "VerisumRoundsExhausted", 1);
  });

  it("accepts more signatures than the threshold", async () => {
    await sendFinalisation(task, await makeFinalisation(task, sumScalar, [1, 2, 3, 4]));
  });

  it("counts each seat once and needs t of them", async () => {
    await reverts(
      send({ signers: maskOf([2]), signatures: valid.signatures.slice(0, 1) }),
      "VerisumTooFewSignatures",
      1,
      2,
    );
    await reverts(send({ signers: maskOf([2]) }), "VerisumTooFewSignatures", 1, 2);
    await reverts(send({ signatures: [valid.signatures[0]!, valid.signatures[0]!] }), "VerisumSignatureInvalid", 4);
    await reverts(send({ signatures: valid.signatures.slice(0, 1) }), "VerisumWrongLength");
    await reverts(send({ signatures: valid.signatures.toReversed() }), "VerisumSignatureInvalid", 2);
    await reverts(send({ signers: maskOf([2, 5]) }), "VerisumSignatureInvalid", 5);
    await reverts(send({ signers: maskOf([2, 32]) }), "VerisumSignatureInvalid", 32);
  });

  it("refuses signatures over another domain, result or round", async () => {
    const signed = { round: 1n, settlement, ...valid.result };
    const domain = task.context;
    const by4 = async (context: typeof domain, result: typeof signed): Promise<Partial<Finalisation>> => {
      const { r, vs } = await signAsSeat(task, 4, "Result", result, context);
      return { signatures: [valid.signatures[0]!, [r, vs]] };
    };
    await reverts(send(await by4({ ...domain, chainId: 1n }, signed)), "VerisumSignatureInvalid", 4);
    await reverts(send(await by4({ ...domain, deployment: word("x") }, signed)), "VerisumSignatureInvalid", 4);
    await reverts(
      send(await by4({ ...domain, contract: task.operator.address as Hex }, signed)),
      "VerisumSignatureInvalid",
      4,
    );
    const others: Partial<typeof signed>[] = [
      { round: 2n },
      { settlement: word("another settlement") },
      { aggregateCid: word("x") },
      { aggregateDigest: word("x") },
      { modelCid: word("x") },
      { modelDigest: word("x") },
    ];
    for (const change of others)
      await reverts(send(await by4(domain, { ...signed, ...change })), "VerisumSignatureInvalid", 4);
    await send(await by4(domain, signed));
  });

  it("refuses malleated, zero and strangers' signatures", async () => {
    const [r, vs] = valid.signatures[1]!;
    const packed = BigInt(vs);
    const s = packed & (2n ** 255n - 1n);
    const highS = SECP256K1_ORDER - s;
    // The twin (r, n − s) with the other parity recovers to the same address.
    const flipped = ((packed >> 255n) ^ 1n) << 255n;
    const twin: Hex = `0x${(flipped | (highS & (2n ** 255n - 1n))).toString(16).padStart(64, "0")}`;
    await reverts(send({ signatures: [valid.signatures[0]!, [r, twin]] }), "VerisumSignatureInvalid", 4);
    const zero: Hex = `0x${"00".repeat(32)}`;
    await reverts(send({ signatures: [valid.signatures[0]!, [zero, zero]] }), "VerisumSignatureInvalid", 4);
    await reverts(
      send({ signers: maskOf([2, 6]), signatures: [valid.signatures[0]!, [zero, zero]] }),
      "VerisumSignatureInvalid",
      6,
    );
    const stranger = new Wallet(id("stranger"));
    const digest = statementDigest(task.context, "Result", { round: 1n, settlement, ...valid.result });
    const signature = new SigningKey(stranger.privateKey).sign(digest);
    await reverts(
      send({ signatures: [valid.signatures[0]!, [signature.r as Hex, signature.yParityAndS as Hex]] }),
      "VerisumSignatureInvalid",
      4,
    );
  });

  it("refuses any result whose fields were not signed", async () => {
    for (const field of ["aggregateCid", "aggregateDigest", "modelCid", "modelDigest"] as const)
      await reverts(send(resultWith({ [field]: word("other") })), "VerisumSignatureInvalid", 2);
  });

  it("refuses an evaluation or opening that does not belong to the sum", async () => {
    await reverts(send({ evaluation: (valid.evaluation + 1n) % FIELD_ORDER }), "VerisumOpeningInvalid");
    await reverts(send({ evaluation: valid.evaluation + FIELD_ORDER }), "VerisumNotCanonical");
    await reverts(send({ opening: addG1(valid.opening, G1_GENERATOR) }), "VerisumOpeningInvalid");
    await reverts(send({ opening: G1_INFINITY }), "VerisumOpeningInvalid");
    await reverts(send({ opening: { x: 1n, y: 3n } }), "VerisumPointInvalid");
    await sendFinalisation(task, await makeFinalisation(task, sumScalar, [1, 3]));
  });

  it("takes an evaluation of zero or one as any other", async () => {
    const z = resultPoint({ ...task.context, round: 1n, settlement, ...valid.result });
    for (const evaluation of [0n, 1n]) {
      const opening = simulateOpening(SECRETS, sumScalar, z, evaluation);
      await reverts(send({ evaluation: 1n - evaluation, opening }), "VerisumOpeningInvalid");
      await send({ evaluation, opening });
      await restore();
    }
  });

  it("refuses an opening of another sum, signed or not", async () => {
    await reverts(
      sendFinalisation(task, await makeFinalisation(task, sumScalar + 1n, [1, 2])),
      "VerisumOpeningInvalid",
    );
  });

  it("is possible until somebody aborts the round", async () => {
    const { deadline } = await roundOf(task);
    await setNextTime(connection, deadline + 1_000_000n);
    await sendFinalisation(task, valid);
    await restore();
    await setNextTime(connection, deadline);
    await task.verisum["abort"]!(1);
    await reverts(sendFinalisation(task, valid), "VerisumWrongPhase", 5, 0b1000);
  });

  describe("the releases", () => {
    const releases = (...items: Finalisation["releases"]): Promise<unknown> => send({ releases: items });

    it("are at least t, by ascending seat", async () => {
      const [two, four] = valid.releases as [Release, Release];
      await reverts(releases(), "VerisumTooFewReleases", 0, 2);
      await reverts(releases(two), "VerisumTooFewReleases", 1, 2);
      await reverts(releases(two, two), "VerisumSeatOrder", 2, 2);
      await reverts(releases(four, two), "VerisumSeatOrder", 4, 2);
      for (const seat of [5, 32, 33, 255]) await reverts(releases(two, { ...four, seat }), "VerisumNoRoundKey", seat);
      await releases(await releaseOf(task, 1), two, await releaseOf(task, 3), four);
    });

    it("need not be of the seats that sign the result", async () => {
      await releases(await releaseOf(task, 1), await releaseOf(task, 3));
    });

    it("are signed by their seats, for this CID, settlement, round and contract", async () => {
      const [two] = valid.releases as [Release];
      const changes = [{ settlement: word("x") }, { round: 2n }, { releaseCid: word("x") }];
      for (const change of changes)
        await reverts(releases(two, await releaseOf(task, 4, change)), "VerisumReleaseInvalid", 4);
      await reverts(releases(two, { ...two, seat: 3 }), "VerisumReleaseInvalid", 3);
      const release = { round: 1n, settlement, releaseCid: word("release") };
      const contexts = [{ deployment: word("x") }, { chainId: 1n }, { contract: task.operator.address as Hex }];
      for (const context of contexts) {
        const { r, vs } = await signAsSeat(task, 4, "Release", release, context);
        const foreign = { seat: 4, releaseCid: release.releaseCid, signature: [r, vs] as const };
        await reverts(releases(two, foreign), "VerisumReleaseInvalid", 4);
      }
    });

    it("are of seats with a key for the round only", async () => {
      const other = await deployTask(connection);
      await registerAll(other, WEIGHTS);
      for (const seat of [1, 2, 3])
        await as(other, other.members[seat - 1]!)["registerRoundKeys"]!(1, [word(`key ${seat}`)]);
      const { timestamp } = (await connection.ethers.provider.getBlock("latest"))!;
      await setNextTime(connection, BigInt(timestamp) + 60n);
      await other.verisum["openRound"]!();
      const scalar = weightedScalar(await submitAll(other, 3), WEIGHTS);
      await settleOn(other, 0b111n, [1, 2, 3]);
      const made = await makeFinalisation(other, scalar, [3, 4]);
      await reverts(sendFinalisation(other, made), "VerisumNoRoundKey", 4);
      // To sign a result takes no key: whoever has the releases can compute it.
      const keyed = await Promise.all([1, 2].map((seat) => releaseOf(other, seat)));
      await sendFinalisation(other, { ...made, releases: keyed });
    });
  });

  describe("the next round", () => {
    /** A settled round of a task with these parameters, whose seats have keys for as many rounds. */
    async function settled(change: Parameters<typeof deployTask>[1], rounds = 3, seats = [1, 2, 3, 4]): Promise<void> {
      other = await deployTask(connection, change);
      await registerAll(other, WEIGHTS);
      for (const seat of [1, 2, 3, 4]) {
        const keys = Array.from({ length: seats.includes(seat) ? rounds : 1 }, (_, i) => word(`key ${seat} ${i}`));
        await as(other, other.members[seat - 1]!)["registerRoundKeys"]!(1, keys);
      }
      await other.verisum["openRound"]!();
      const scalar = weightedScalar(await submitAll(other, 3), WEIGHTS);
      await settleOn(other, 0b111n);
      finalisation = await makeFinalisation(other, scalar, [1, 2]);
    }
    let other: TaskOnChain;
    let finalisation: Finalisation;
    const phase = async (): Promise<readonly bigint[]> => {
      const state = await roundOf(other);
      return [state.number, state.phase];
    };

    it("opens at once on the new model", async () => {
      await settled({});
      const receipt = (await (await sendFinalisation(other, finalisation)).wait())!;
      const [finalised, opened] = receipt.logs.map((log) => VERISUM_INTERFACE.parseLog(log)!);
      assert.deepEqual([finalised!.name, opened!.name], ["Finalised", "RoundOpened"]);
      const { modelCid, modelDigest } = finalisation.result;
      const { timestamp } = (await connection.ethers.provider.getBlock("latest"))!;
      assert.deepEqual([...opened!.args], [2n, 1n, modelCid, modelDigest, BigInt(timestamp) + 600n, 15n]);
      const state = await roundOf(other);
      assert.deepEqual(
        [state.number, state.phase, state.submitted, state.expected, state.proposedMembers, state.included],
        [2n, 1n, 0n, 3n, 0n, 0n],
      );
      assert.deepEqual([state.settlement, state.intake], [ZERO_WORD, ZERO_WORD]);
      assert.equal(await view(other, "finalisedRounds"), 1n);
      await reverts(sendFinalisation(other, finalisation), "VerisumWrongRound", 2, 1);
    });

    const obstacles: readonly (readonly [string, Parameters<typeof deployTask>[1], string])[] = [
      ["no round is left", { maxRounds: 1 }, "VerisumRoundsExhausted"],
      ["no budget is left", { privacyCostPerRound: 4n, privacyBudget: 7n }, "VerisumBudgetExhausted"],
    ];
    for (const [where, change, error] of obstacles) {
      it(`stays shut where ${where}, and the result counts`, async () => {
        await settled(change);
        await sendFinalisation(other, finalisation);
        assert.deepEqual(await phase(), [1n, 4n]);
        assert.equal(await view(other, "finalisedRounds"), 1n);
        await reverts(other.verisum["openRound"]!(), error);
      });
    }

    it("stays shut where too few clients are left, and the result counts", async () => {
      await settled({});
      await as(other, other.clients[0]!)["removeClient"]!(other.clients[0]!.address);
      await sendFinalisation(other, finalisation);
      assert.deepEqual(await phase(), [1n, 4n]);
      await reverts(other.verisum["openRound"]!(), "VerisumTooFewClients", 2, 3);
    });

    it("waits for every key until the window from the last opening has passed, then opens with a quorum", async () => {
      await settled({}, 3, [1, 2, 4]);
      const [log] = await other.verisum.queryFilter("RoundOpened");
      const opened = BigInt((await connection.ethers.provider.getBlock(log!.blockNumber))!.timestamp);
      const again = await snapshot(connection);
      await setNextTime(connection, opened + 59n);
      await sendFinalisation(other, finalisation);
      assert.deepEqual(await phase(), [1n, 4n]);
      await reverts(other.verisum["openRound"]!(), "VerisumTooFewKeys", 3, 4, opened + 60n);
      await again();
      await setNextTime(connection, opened + 60n);
      await sendFinalisation(other, finalisation);
      assert.deepEqual([...(await phase()), (await roundOf(other)).keyMask], [2n, 1n, 0b1011n]);
    });
  });

  it("refuses another round's number", async () => {
    await reverts(send({ round: 2n }), "VerisumWrongRound", 1, 2);
  });
});
