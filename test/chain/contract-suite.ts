/**
 * What roles may expect of a task's contract, whoever implements it: rules of registration, phases, deadlines, quorums
 * and signatures, and how events and state tell of them. Proofs are valid ones, since the compiled contract verifies
 * them; that invalid ones are refused is what test/contracts is about.
 */
import assert from "node:assert/strict";
import { after, before, beforeEach, it } from "mocha";
import type { VerisumErrors } from "../../chain/generated/verisum.ts";
import { intakeRecordOf } from "../../chain/codec.ts";
import { CHUNKS_PER_TRANSACTION, headOf } from "../../chain/large-submission.ts";
import type { SeatSignature, SubmittedRecord, TaskWriter } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { FIELD_ORDER, PRESETS } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G1_INFINITY, multiplyG1 } from "../../protocol/points.ts";
import type { Submission } from "../../protocol/submission.ts";
import { parametersHash } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { extendIntake, recordHashOf, settlementOf, ZERO_WORD } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { observe, Scene, STRANGER_ACCOUNT } from "../support/contract-scene.ts";
import type { SuiteChain } from "../support/contract-scene.ts";
import { word } from "../support/random.ts";
import { maskOf, PARAMETERS, weightedScalar } from "../support/task-on-chain.ts";

/** What an implementation said in each test, for a comparison of two. */
export type Trace = Map<string, unknown[]>;

/** Later than any chain's own clock. */
const START_TIME = 4_000_000_000;

/** The suite's tests, inside a `describe`. */
export function contractSuite(open: () => Promise<SuiteChain>, trace: Trace): void {
  let chain: SuiteChain;
  let now = START_TIME;
  let seen: unknown[];
  before(async () => {
    chain = await open();
  });
  after(() => chain.close());
  beforeEach(function () {
    trace.set(this.currentTest!.title, (seen = []));
  });

  /** A task that nobody is registered with. */
  async function deploy(overrides: Partial<TaskParameters> = {}): Promise<Scene> {
    const parameters = { ...PARAMETERS, ...overrides };
    await chain.setNextTime((now += 100_000));
    const contract = await chain.deploy(parameters);
    const accounts = Array.from({ length: STRANGER_ACCOUNT + 1 }, (_, i) => chain.writer(contract, i));
    const scene = new Scene(chain, parameters, await Promise.all(accounts), now);
    seen.push(scene.seen);
    return scene;
  }

  /** A task with three clients of weights 1, 2 and 3, and its first round open. */
  async function collecting(overrides: Partial<TaskParameters> = {}): Promise<{ scene: Scene; round: bigint }> {
    const scene = await deploy(overrides);
    await scene.registers([1, 2, 3]);
    return { scene, round: await scene.opens() };
  }

  it("tells the parameters, the operator and the first model", async () => {
    const { operator, parameters } = await deploy();
    assert.deepEqual(await operator.parameters(), parameters);
    assert.equal(await operator.parametersHash(), parametersHash(parameters));
    assert.equal(await operator.operator(), operator.account);
    assert.deepEqual(await operator.latestModel(), {
      round: 0n,
      cid: parameters.genesisCid,
      digest: parameters.genesisDigest,
    });
    assert.equal((await operator.round()).phase, "Idle");
    const elsewhere: Hex = `0x${"12".repeat(20)}`;
    await assert.rejects(operator.at(elsewhere), (error) => isVerisumError(error, "CHAIN_NO_CONTRACT"));
    assert.deepEqual(await observe(await operator.at(operator.context.contract)), await observe(operator));
  });

  it("registers members and clients as the operator says, and nobody twice", async () => {
    const scene = await deploy({ uniformWeights: true, maxWeight: 1 });
    const { operator, stranger, members, clients } = scene;
    await scene.refuses("VerisumNotOperator", () => stranger.registerMember(stranger.account));
    await scene.refuses("VerisumZeroAddress", () => operator.registerMember(`0x${"00".repeat(20)}`));
    await scene.refuses("VerisumRegistrationMode", () => stranger.join());
    await scene.refuses("VerisumWeightInvalid", () => operator.registerClient(stranger.account, 2));
    await scene.refuses("VerisumWeightInvalid", () => operator.registerClient(stranger.account, 0));
    await scene.does(() => operator.registerMember(members[0]!.account));
    await scene.refuses("VerisumAlreadyRegistered", () => operator.registerMember(members[0]!.account));
    await scene.refuses("VerisumCommitteeIncomplete", () => stranger.openRound());
    for (const { account } of members.slice(1)) await scene.does(() => operator.registerMember(account));
    await scene.refuses("VerisumCommitteeFull", () => operator.registerMember(stranger.account));
    await scene.does(() => operator.registerClient(clients[0]!.account, 1));
    await scene.refuses("VerisumAlreadyRegistered", () => operator.registerClient(clients[0]!.account, 1));
    await scene.refuses("VerisumTooFewClients", () => stranger.openRound());
    assert.deepEqual(
      await operator.members(),
      members.map(({ account }) => account),
    );
    assert.deepEqual(await operator.client(clients[0]!.account), {
      weight: 1,
      activeFromRound: 1n,
      untilRound: 0n,
      lastSubmittedRound: 0n,
      bondWei: 0n,
      refusals: 0,
      includedRounds: 0,
      moved: false,
    });
    assert.deepEqual([await operator.clientCount(), (await operator.client(stranger.account)).weight], [1, 0]);
  });

  it("lets anybody join for the bond where registration is open", async () => {
    const scene = await deploy({ openRegistration: true, bondWei: 7n });
    await scene.refuses("VerisumRegistrationMode", () => scene.operator.registerClient(scene.stranger.account, 1));
    await scene.does(() => scene.clients[0]!.join());
    await scene.refuses("VerisumAlreadyRegistered", () => scene.clients[0]!.join());
    assert.equal((await scene.operator.client(scene.clients[0]!.account)).bondWei, 7n);
  });

  it("announces endpoints, the last of each account", async () => {
    const scene = await deploy();
    await scene.does(() => scene.stranger.announce("http://first.example"));
    await scene.does(() => scene.members[0]!.announce("http://member.example"));
    await scene.does(() => scene.stranger.announce("http://ünïcode.example"));
    await scene.refuses("VerisumEndpointTooLong", () => scene.stranger.announce("é".repeat(129)));
    assert.deepEqual(
      await scene.operator.endpoints(),
      new Map([
        [scene.stranger.account, "http://ünïcode.example"],
        [scene.members[0]!.account, "http://member.example"],
      ]),
    );
  });

  it("opens with every seat's key, or with a quorum of them after the window", async () => {
    const scene = await deploy();
    const { members, stranger } = scene;
    await scene.registers([1, 1, 1]);
    const window = scene.now + scene.parameters.keyWindowSeconds;
    await scene.refuses("VerisumNotMember", () => stranger.registerRoundKeys(1n, [word("key")]));
    await scene.refuses("VerisumNoKeys", () => members[0]!.registerRoundKeys(1n, []));
    await scene.refuses("VerisumRoundAlreadyOpened", () => members[0]!.registerRoundKeys(0n, [word("key")]));
    await scene.refuses("VerisumZeroKey", () =>
      members[0]!.registerRoundKeys(1n, [word("key"), `0x${"00".repeat(32)}`]),
    );
    await scene.does(() => members[0]!.registerRoundKeys(1n, [word("key 1"), word("key 2")]));
    await scene.refuses("VerisumKeyExists", () => members[0]!.registerRoundKeys(2n, [word("another")]));
    for (const member of members.slice(1, 3)) await scene.does(() => member.registerRoundKeys(1n, [word("key")]));
    assert.equal(await stranger.roundKey(2n, 1), word("key 2"));
    assert.equal(await stranger.roundKey(1n, 4), `0x${"00".repeat(32)}`);
    // Registering a client does not restart the wait; the last seat did.
    scene.now = window - 5;
    await scene.refuses("VerisumTooFewKeys", () => stranger.openRound());
    scene.now = window + 1;
    await scene.does(() => stranger.openRound());
    assert.equal((await stranger.round()).keyMask, 0b0111n);
    assert.equal((await stranger.records(1n)).opened!.keyMask, 0b0111n);
    await scene.refuses("VerisumWrongPhase", () => stranger.openRound());
    await scene.refuses("VerisumWrongPhase", () => scene.operator.registerMember(stranger.account));
  });

  it("accepts each client's submission once, in its round and before the deadline", async () => {
    const { scene, round } = await collecting();
    const [first, second] = scene.clients as [TaskWriter, TaskWriter];
    const submission = await scene.submissionOf(first);
    const other = await scene.submissionOf(second);
    await scene.refuses("VerisumWrongRound", () => first.submit(round + 1n, submission));
    await scene.refuses("VerisumNotActiveClient", () => scene.stranger.submit(round, submission));
    await scene.does(() => scene.operator.registerClient(scene.clients[3]!.account, 1));
    await scene.refuses("VerisumNotActiveClient", () => scene.clients[3]!.submit(round, submission));
    await scene.does(() => first.submit(round, submission));
    await scene.refuses("VerisumAlreadySubmitted", () => first.submit(round, submission));
    const wrong: [keyof VerisumErrors, Partial<Submission>][] = [
      ["VerisumWrongLength", { shareHashes: other.shareHashes.slice(1) }],
      ["VerisumWrongLength", { chunks: [] }],
      ["VerisumWrongLength", { shareEvaluations: [] }],
      ["VerisumNotCanonical", { shareEvaluations: [FIELD_ORDER] }],
      ["VerisumPointInfinity", { commitment: G1_INFINITY }],
      ["VerisumPointInvalid", { commitment: { x: 1n, y: 3n } }],
      ["VerisumNotCanonical", { chunks: [{ ...other.chunks[0]!, y: FIELD_ORDER }] }],
      ["VerisumPointInfinity", { chunks: [{ ...other.chunks[0]!, d: G1_INFINITY }] }],
    ];
    for (const [error, change] of wrong)
      await scene.refuses(error, () => second.submit(round, { ...other, ...change }));
    const { submitted } = await scene.operator.records(round);
    assert.deepEqual(
      submitted.map(({ client, index, weight, submission: accepted }) => [client, index, weight, accepted]),
      [[first.account, 0, 1, submission]],
    );
    assert.deepEqual((await scene.operator.round()).sum, submission.commitment);
    await scene.waits();
    await scene.refuses("VerisumDeadlinePassed", () => second.submit(round, other));
  });

  it("adds the commitments by weight; the last one that is expected ends the phase", async () => {
    const { scene, round } = await collecting();
    await scene.submits(round, 2, 0);
    await scene.refuses("VerisumWrongPhase", () => scene.stranger.settle(round, [], 0n, []));
    await scene.refuses("VerisumDeadlineNotReached", () => scene.stranger.abort(round));
    await scene.submits(round, 1);
    const state = await scene.operator.round();
    assert.deepEqual([state.phase, state.submitted, state.totalWeight], ["Attesting", 3, 6]);
    assert.equal(state.deadline, scene.now + scene.parameters.attestSeconds);
    const scalar = weightedScalar([...scene.scalars.values()], [3, 1, 2]);
    assert.deepEqual(state.sum, multiplyG1(G1_GENERATOR, scalar));
    const late = await scene.submissionOf(scene.clients[0]!, "late");
    await scene.refuses("VerisumWrongPhase", () => scene.clients[0]!.submit(round, late));
  });

  it("takes signed submissions from anybody, and passes over those that are in", async () => {
    const { scene, round } = await collecting();
    const { stranger, clients } = scene;
    const sign = async (index: number): ReturnType<TaskWriter["signSubmission"]> =>
      clients[index]!.signSubmission(round, await scene.submissionOf(clients[index]!));
    const signed = [await sign(0), await sign(1), await sign(2)] as const;
    const forged = { ...signed[1], client: clients[2]!.account };
    await scene.refuses("VerisumBatchItemInvalid", () => stranger.submitBatch(round, [signed[0], forged]));
    await scene.refuses("VerisumBatchEmpty", () => stranger.submitBatch(round, []));
    assert.equal((await stranger.round()).submitted, 0, "a batch goes in whole or not at all");
    await stranger.checkBatch(round, signed);
    await scene.does(() => stranger.submitBatch(round, [signed[1], signed[1]]));
    await scene.refuses("VerisumBatchEmpty", () => stranger.checkBatch(round, [signed[1]]));
    await scene.does(() => stranger.submitBatch(round, signed));
    const { submitted } = await stranger.records(round);
    assert.deepEqual(
      submitted.map(({ client, index }) => [client, index]),
      [1, 0, 2].map((client, index) => [clients[client]!.account, index]),
    );
    assert.equal((await stranger.round()).phase, "Attesting");
  });

  it("takes a submission of many chunks in steps, and goes on where it was left", async () => {
    const chunks = CHUNKS_PER_TRANSACTION + 1;
    const { coordinates } = PRESETS.tiny.kinds[0]!;
    const { scene, round } = await collecting({
      chunkKinds: Array<number>(chunks).fill(0),
      dimension: chunks * coordinates,
    });
    const [client, other] = scene.clients as [TaskWriter, TaskWriter];
    const submission = await scene.submissionOf(client);
    assert.equal(await client.lastChunkStep(round, client.account), undefined);
    await client.submit(round, submission);
    const { head, progress } = (await client.lastChunkStep(round, client.account))!;
    assert.deepEqual([head, progress.count], [headOf(submission), BigInt(CHUNKS_PER_TRANSACTION + 1)]);
    assert.equal(await other.lastChunkStep(round, client.account).then((step) => step?.progress.h), progress.h);
    assert.equal(await client.lastChunkStep(round, other.account), undefined);
    scene.seen.push({ head, progress });
    const { submitted } = await other.records(round);
    assert.deepEqual(
      submitted.map((record) => record.submission),
      [submission],
    );
    // The steps took blocks, and time, that the scene's clock does not count.
    scene.now += 300;
    await scene.refuses("VerisumAlreadySubmitted", () => client.submit(round, submission));
  });

  it("keeps the running hash of what was submitted, which readers compute from the events", async () => {
    const { scene, round } = await collecting();
    assert.equal((await scene.operator.round()).intake, ZERO_WORD);
    await scene.submits(round, 1, 0, 2);
    const { submitted } = await scene.operator.records(round);
    const intake = submitted.reduce<Hex>(
      (hash, record) => extendIntake(hash, recordHashOf(round, intakeRecordOf(record))),
      ZERO_WORD,
    );
    const state = await scene.operator.round();
    assert.deepEqual([state.intake, state.settlement], [intake, ZERO_WORD]);
  });

  it("aborts a round by time that has too few clients, and goes on by time with one that has enough", async () => {
    const { scene, round } = await collecting({ minClients: 3, maxCorrupt: 1 });
    await scene.submits(round, 0, 1);
    await scene.waits();
    await scene.does(() => scene.stranger.abort(round));
    assert.equal((await scene.operator.round()).phase, "Aborted");
    assert.equal((await scene.operator.records(round)).aborted, true);
    await scene.refuses("VerisumWrongPhase", () => scene.stranger.abort(round));
    await scene.does(() => scene.operator.registerClient(scene.clients[3]!.account, 1));
    const next = await scene.opens();
    assert.equal((await scene.operator.round()).expected, 4);
    await scene.submits(next, 0, 1, 3);
    await scene.waits();
    const { deadline } = await scene.operator.round();
    // Something else happens then: no call is of the change of phases.
    await scene.does(() => scene.stranger.announce("http://stranger.example"));
    const attesting = await scene.operator.round();
    const { attestSeconds } = scene.parameters;
    assert.deepEqual([attesting.phase, attesting.deadline], ["Attesting", deadline + attestSeconds]);
    await scene.waits();
    const late = await scene.statesOf(next, 0b111n);
    await scene.refuses("VerisumDeadlinePassed", () => scene.stranger.settle(next, late, 0b1111n, []));
    await scene.refuses("VerisumNoProposal", () => scene.stranger.settle(next, [], 0n, []));
    await scene.does(() => scene.stranger.abort(next));
    assert.equal((await scene.operator.round()).phase, "Aborted");
  });

  it("opens the next round after the abort that is due, and before it is due none", async () => {
    const { scene, round } = await collecting();
    for (const member of scene.members) await scene.does(() => member.registerRoundKeys(round + 1n, [word("next")]));
    await scene.refuses("VerisumWrongPhase", () => scene.stranger.openRound());
    await scene.waits();
    await scene.does(() => scene.stranger.openRound());
    assert.equal((await scene.operator.records(round)).aborted, true);
    assert.deepEqual((await scene.operator.round()).number, round + 1n);
  });

  it("takes statements that are right in every respect, and proposals that are better", async () => {
    const scene = await deploy();
    await scene.registers([1, 1, 1, 1]);
    scene.now += scene.parameters.keyWindowSeconds;
    const round = await scene.opens([1, 2, 3]);
    await scene.submits(round, 0, 1, 2, 3);
    const { stranger } = scene;
    const posts = async (bitmaps: readonly bigint[], seats: readonly number[], refused = 0n): Promise<unknown> => {
      const each = bitmaps.map((good, i) => scene.statesOf(round, good, [i + 1], refused));
      return stranger.settle(round, (await Promise.all(each)).flat(), maskOf(seats), []);
    };
    const all = 0b1111n;
    await scene.refuses("VerisumNoRoundKey", () => posts([all, all, all, all], [1, 2, 3]));
    await scene.refuses("VerisumUnknownClients", () => posts([all, all, 0b10000n], [1, 2, 3]));
    await scene.refuses("VerisumUnknownClients", () => posts([all, all, all], [1, 2, 3], 0b10000n));
    await scene.refuses("VerisumContradiction", () => posts([all, all, all], [1, 2, 3], 0b1000n));
    await scene.refuses("VerisumNotAttested", () => posts([all, all], [1, 2, 3]));
    await scene.refuses("VerisumNoQuorum", () => posts([all, all, all], [1, 2]));
    await scene.refuses("VerisumTooFewIncluded", () => posts([0b0111n, 0b1110n, all], [1, 2, 3]));
    const [one, two, three] = await scene.statesOf(round, all, [1, 2, 3]);
    for (const wrong of [
      { ...three!, signature: two!.signature },
      { ...three!, good: 0b0111n },
      { ...three!, refused: 0b10n, good: 0b1101n },
    ])
      await scene.refuses("VerisumAttestationInvalid", () => stranger.settle(round, [one!, two!, wrong], 0b111n, []));
    await scene.refuses("VerisumSeatOrder", () => stranger.settle(round, [one!, two!, two!], 0b011n, []));
    await scene.does(() => posts([0b0111n, 0b0111n, all], [1, 2, 3]));
    await scene.refuses("VerisumProposalNotBetter", () => posts([0b1110n, 0b1110n, all], [1, 2, 3]));
    assert.deepEqual((await stranger.round()).phase, "Attesting");
    await scene.does(() => posts([all, all, all], [1, 2, 3]));
    const { included, proposedMembers, phase } = await stranger.round();
    assert.deepEqual([included, proposedMembers, phase], [all, 0b0111n, "Aggregating"]);
  });

  it("settles at once without a client that so many refused that no quorum can include it", async () => {
    const scene = await deploy();
    await scene.registers([1, 2, 3, 4]);
    const round = await scene.opens();
    await scene.submits(round, 0, 1, 2, 3);
    const { stranger } = scene;
    const { submitted } = await stranger.records(round);
    const missing = await scene.statesOf(round, 0b1110n, [1, 2]);
    const refusing = [
      ...(await scene.statesOf(round, 0b1110n, [3], 0b0001n)),
      ...(await scene.statesOf(round, 0n, [4], 0b0001n)),
    ];
    const settle = (count: number, ...excluded: SubmittedRecord[]): Promise<unknown> =>
      stranger.settle(round, [...missing, ...refusing.slice(0, count)], 0b0111n, excluded);
    await scene.refuses("VerisumNotExcluded", () => settle(1, submitted[0]!));
    await scene.does(() => settle(1));
    await scene.refuses("VerisumExcludedMissing", () => settle(2));
    await scene.does(() => settle(2, submitted[0]!));
    const state = await stranger.round();
    assert.deepEqual([state.phase, state.included, state.totalWeight], ["Aggregating", 0b1110n, 9]);
  });

  it("settles without clients that no quorum attested, after the deadline and with their records", async () => {
    const scene = await deploy();
    await scene.registers([1, 2, 3, 4]);
    const round = await scene.opens();
    await scene.submits(round, 3, 2, 1, 0);
    const { stranger } = scene;
    const { intake } = await stranger.round();
    await scene.attests(round, 0b1101n);
    const { submitted } = await stranger.records(round);
    const [first, second] = submitted as [SubmittedRecord, SubmittedRecord];
    const execute = (...excluded: SubmittedRecord[]): Promise<unknown> => stranger.settle(round, [], 0n, excluded);
    await scene.refuses("VerisumNoQuorum", () => execute(second));
    await scene.waits();
    await scene.refuses("VerisumProposalStands", () => stranger.abort(round));
    await scene.refuses("VerisumProposalStands", () => stranger.openRound());
    await scene.refuses("VerisumExcludedMissing", () => execute());
    await scene.refuses("VerisumNotExcluded", () => execute(first, second));
    await scene.refuses("VerisumNotExcluded", () => execute(second, second));
    await scene.refuses("VerisumRecordMismatch", () => execute({ ...second, weight: 4 }));
    const otherShares = { ...second.submission, sharesCid: first.submission.sharesCid };
    await scene.refuses("VerisumRecordMismatch", () => execute({ ...second, submission: otherShares }));
    await scene.does(() => execute(second));
    const [state, { settled, settledRounds }] = [await stranger.round(), await stranger.records(round)];
    assert.deepEqual([state.phase, state.included, state.totalWeight], ["Aggregating", 0b1101n, 7]);
    const kept = [3, 1, 0].map((index) => scene.scalars.get(scene.clients[index]!.account)!);
    assert.deepEqual(state.sum, multiplyG1(G1_GENERATOR, weightedScalar(kept, [4, 2, 1])));
    const fixed = { round, intake, included: 0b1101n, totalWeight: 7, sum: state.sum };
    const { blockNumber: _, ...rest } = settled!;
    assert.deepEqual(rest, { ...fixed, members: 0b1111n, settlement: settlementOf(fixed) });
    assert.deepEqual([state.settlement, state.intake, settledRounds], [settlementOf(fixed), ZERO_WORD, 1]);
    await scene.refuses("VerisumWrongPhase", () => execute());
  });

  it("finalises what enough members released and signed", async () => {
    const { scene, round } = await collecting({ maxRounds: 1 });
    const { stranger } = scene;
    await scene.submits(round, 0, 1, 2);
    await scene.refuses("VerisumWrongPhase", async () => stranger.finalize(...(await scene.resultOf(round, [1, 2]))));
    await scene.attests(round, 0b111n, [1, 2, 3]);

    const [, result, evaluation, opening, releases, signatures] = await scene.resultOf(round, [3, 1]);
    const finalize = (signed: readonly SeatSignature[], released = releases): Promise<unknown> =>
      stranger.finalize(round, result, evaluation, opening, released, signed);
    const swap = <T extends SeatSignature>(statements: readonly T[]): T[] =>
      statements.map((statement, i) => ({ ...statement, signature: statements[1 - i]!.signature }));
    await scene.refuses("VerisumTooFewReleases", () => finalize(signatures, releases.slice(1)));
    await scene.refuses("VerisumReleaseInvalid", () => finalize(signatures, swap(releases)));
    await scene.refuses("VerisumSeatOrder", () => finalize(signatures, [releases[0]!, releases[0]!]));
    await scene.refuses("VerisumNoRoundKey", () => finalize(signatures, [releases[0]!, { ...releases[1]!, seat: 5 }]));
    await scene.refuses("VerisumTooFewSignatures", () => finalize(signatures.slice(1)));
    await scene.refuses("VerisumSignatureInvalid", () => finalize(swap(signatures)));
    await scene.refuses("VerisumSignatureInvalid", () =>
      finalize(signatures.map(({ signature }, i) => ({ seat: i + 31, signature }))),
    );
    const another = { ...result, modelDigest: word("another") };
    await scene.refuses("VerisumSignatureInvalid", () =>
      stranger.finalize(round, another, evaluation, opening, releases, signatures),
    );
    await scene.refuses("VerisumNotCanonical", () =>
      stranger.finalize(round, result, FIELD_ORDER, opening, releases, signatures),
    );
    await scene.does(() => finalize(signatures));
    const { finalised, released } = await stranger.records(round);
    assert.deepEqual(
      finalised!.signers,
      [1, 3].map((seat) => signatures.find((signed) => signed.seat === seat)),
    );
    assert.deepEqual(
      released,
      [1, 3].map((seat) => releases.find((release) => release.seat === seat)),
    );
    assert.deepEqual([finalised!.result, finalised!.evaluation, finalised!.opening], [result, evaluation, opening]);
    const { settlement, phase } = await stranger.round();
    assert.deepEqual([finalised!.settlement, phase], [settlement, "Finalised"]);
    assert.deepEqual(await stranger.latestModel(), { round, cid: result.modelCid, digest: result.modelDigest });
    assert.deepEqual([await stranger.finalisedRounds(), await stranger.finalisedRoundNumbers()], [1, [round]]);
    assert.deepEqual((await stranger.look()).results(), [result]);
    await scene.refuses("VerisumRoundsExhausted", () => stranger.openRound());
  });

  it("opens the next round with a result, if every seat has a key for it", async () => {
    const { scene, round } = await collecting();
    for (const member of scene.members) await scene.does(() => member.registerRoundKeys(round + 1n, [word("next")]));
    await scene.submits(round, 0, 1, 2);
    await scene.attests(round, 0b111n);
    const finalisation = await scene.resultOf(round, [1, 2]);
    await scene.does(() => scene.stranger.finalize(...finalisation));
    const { number, phase, submitted, proposedMembers } = await scene.stranger.round();
    assert.deepEqual([number, phase, submitted, proposedMembers], [round + 1n, "Collecting", 0, 0n]);
    const { opened } = await scene.stranger.records(round + 1n);
    const { modelCid, modelDigest } = finalisation[1];
    assert.deepEqual([opened!.baseModelCid, opened!.baseModelDigest], [modelCid, modelDigest]);
    await scene.refuses("VerisumWrongRound", () => scene.stranger.finalize(...finalisation));
  });

  it("finalises until somebody aborts, and charges the ledger for what settled", async () => {
    const { scene, round } = await collecting({ privacyCostPerRound: 2n, privacyBudget: 5n });
    const plays = async (number: bigint): Promise<Parameters<TaskWriter["finalize"]>> => {
      await scene.submits(number, 0, 1, 2);
      const before = await scene.operator.privacySpent();
      await scene.attests(number, 0b111n);
      assert.equal(await scene.operator.privacySpent(), before + 2n);
      const finalisation = await scene.resultOf(number, [1, 2]);
      await scene.waits();
      return finalisation;
    };
    const late = await plays(round);
    await scene.does(() => scene.stranger.finalize(...late));
    const next = await scene.opens();
    const aborted = await plays(next);
    await scene.does(() => scene.stranger.abort(next));
    assert.equal((await scene.operator.round()).phase, "Aborted");
    await scene.refuses("VerisumWrongPhase", () => scene.stranger.finalize(...aborted));
    await scene.refuses("VerisumBudgetExhausted", () => scene.stranger.openRound());
  });
}
