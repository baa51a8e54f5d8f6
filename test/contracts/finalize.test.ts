import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import { id, SigningKey, Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { resultDigest, signResult } from "../../chain/result-signature.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { addG1, G1_GENERATOR, G1_INFINITY } from "../../protocol/points.ts";
import { resultPoint } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  attestAndPropose,
  deployTask,
  makeFinalisation,
  maskOf,
  openChain,
  openRound,
  registerAll,
  roundOf,
  SECRETS,
  sendFinalisation,
  setNextTime,
  snapshot,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { Finalisation, TaskOnChain } from "../support/task-on-chain.ts";
import { simulateOpening } from "../support/trapdoor-keys.ts";

const WEIGHTS = [1, 2, 3];
const SECP256K1_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

describe("finalize", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let sumScalar: bigint;
  let valid: Finalisation;
  let restore: () => Promise<void>;

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection, { maxRounds: 1 });
    await registerAll(task, WEIGHTS);
    await openRound(task);
    sumScalar = weightedScalar(await submitAll(task, 3), WEIGHTS);
    await attestAndPropose(task, 0b111n);
    await task.verisum["settle"]!(1, []);
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
    const event = VERISUM_INTERFACE.parseLog(receipt.logs[0]!)!;
    assert.equal(event.name, "Finalised");
    assert.deepEqual([event.args["evaluation"], event.args["signers"]], [valid.evaluation, 0b1010n]);
    assert.deepEqual(
      [...((await view(task, "latestModel")) as unknown[])],
      [1n, valid.result.modelCid, valid.result.modelDigest],
    );
    assert.equal((await roundOf(task)).phase, 4n);
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
    const state = await roundOf(task);
    const signed = {
      round: 1n,
      included: state.included,
      totalWeight: 6,
      sum: { x: state.sum.x, y: state.sum.y },
      ...valid.result,
    };
    const domain = task.context;
    const by4 = async (context: typeof domain, result: typeof signed): Promise<Partial<Finalisation>> => {
      const { r, vs } = await signResult(task.members[3]! as unknown as Wallet, context, result);
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
      { included: 0b011n },
      { totalWeight: 5 },
      { sum: G1_GENERATOR },
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
    const state = await roundOf(task);
    const digest = resultDigest(task.context, {
      round: 1n,
      included: state.included,
      totalWeight: 6,
      sum: { x: state.sum.x, y: state.sum.y },
      ...valid.result,
    });
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
    const { sum, included, totalWeight } = await roundOf(task);
    const settled = { included, totalWeight: Number(totalWeight), sum: { x: sum.x, y: sum.y } };
    const z = resultPoint({ ...task.context, round: 1n, ...settled, ...valid.result });
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

  it("is possible until a second before the deadline", async () => {
    const { deadline } = await roundOf(task);
    await setNextTime(connection, deadline);
    await reverts(sendFinalisation(task, valid), "VerisumDeadlinePassed", deadline, deadline);
    await restore();
    await setNextTime(connection, deadline - 1n);
    await sendFinalisation(task, valid);
  });

  it("refuses another round's number", async () => {
    await reverts(send({ round: 2n }), "VerisumWrongRound", 1, 2);
  });
});
