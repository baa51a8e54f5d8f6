/**
 * One valid round, and everything in it changed one thing at a time: each change is refused by the name in the table.
 */
import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { Contract, JsonRpcProvider } from "ethers";
import { encodeAttestation, encodeRelease, encodeSubmission } from "../../chain/codec.ts";
import { recoverStatementSigner } from "../../chain/statement-signatures.ts";
import { revertOf, VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type {
  CompactSignature,
  ReleaseStatement,
  RoundRecords,
  SignedResult,
  SubmittedRecord,
} from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { challengePointsOf } from "../../task/challenge.ts";
import { loadModelState } from "../../task/checkpoint.ts";
import { fetchReleases } from "../../task/releases.ts";
import { withReleases } from "../../task/statement-board.ts";
import { directoryDigest, publicationOf, resultOf, type RoundPublication } from "../../task/outcome.ts";
import { signProposal } from "../../member/member.ts";
import { checkShares } from "../../member/shares.ts";
import { auditTask } from "../../auditor/audit-task.ts";
import { checkAggregate, recoverAggregate } from "../../protocol/aggregate.ts";
import type { Release } from "../../protocol/release-agreement.ts";
import { openShare, shareFileName } from "../../protocol/bundle.ts";
import type { RoundKeyPair, ShareAddress } from "../../protocol/bundle.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { toField } from "../../protocol/field.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { negateG1, negateG2 } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { checkShare, expandShareSeed, SHARE_SEED_BYTES } from "../../protocol/sharing.ts";
import type { SharingShape } from "../../protocol/sharing.ts";
import { openVector, submissionEvaluation } from "../../protocol/submission.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";
import { diesBeforeSending } from "../support/round-faults.ts";
import { startHarness } from "../support/round-harness.ts";
import type { MemberRole, RoundHarness } from "../support/round-harness.ts";
import {
  attestationsOf,
  changed,
  flipBit,
  flipHex,
  infinity,
  offCurve,
  OTHER,
  other,
  plusOne,
  refusalOf,
  tamperTests,
  text,
} from "../support/round-tamper.ts";
import type { Statements, StatedOtherwise, TamperCase } from "../support/round-tamper.ts";

const ROUND = 1n;
const GAS = 16_777_216n;

describe("one valid round, changed one thing at a time", function () {
  this.timeout(120_000);
  let harness: RoundHarness;
  let provider: JsonRpcProvider;
  /** Made by client 3 and accepted only at the end of its group. */
  let valid: Submission;
  let records: RoundRecords;

  /** Runs a call without mining it. */
  const call = async (from: Hex, name: string, ...args: readonly unknown[]): Promise<void> => {
    try {
      await new Contract(harness.contract, VERISUM_INTERFACE, provider)
        .getFunction(name)
        .staticCall(...args, { from, gasLimit: GAS });
    } catch (error) {
      throw revertOf(error) ?? error;
    }
  };
  const stranger = (): Hex => harness.chain.wallet(15).address as Hex;
  const client = (i: number): Hex => harness.clients[i]!.account;
  const member = (seat: number): MemberRole => harness.members[seat - 1]!;

  before(async () => {
    harness = await startHarness({ clients: 4, weights: [1, 2, 2, 1], learning: "scripted" });
    provider = new JsonRpcProvider(harness.chain.rpc, undefined, { staticNetwork: true, cacheTimeout: -1 });
    await harness.play(["Collecting"]);
    await harness.clients[0]!.step();
    await harness.clients[1]!.step();
    harness.clients[2]!.restart(diesBeforeSending);
    await harness.clients[2]!.step().catch(() => undefined);
    const { opened } = await harness.operator.records(ROUND);
    valid = (await harness.clients[2]!.deps.journal.find(ROUND, opened!.baseModelDigest))!.submission;
  });
  after(async () => {
    provider.destroy();
    await harness.close();
  });

  describe("the contract refuses a submission with", () => {
    const submit = (submission: Submission, from = client(2), round = ROUND): Promise<void> =>
      call(from, "submit", round, encodeSubmission(submission));
    const at = (
      what: string,
      path: string,
      change: (old: never) => unknown,
      refusal = "VerisumProofInvalid",
    ): TamperCase => [what, refusal, () => submit(changed(valid, path, change))];
    const point = (name: string, path: string): TamperCase[] => [
      at(`another ${name}`, path, other),
      at(`a negated ${name}`, path, negateG1),
      at(`${name} off the curve`, path, offCurve, "VerisumPointInvalid"),
      at(
        `${name} with x above the base field`,
        `${path}.x`,
        (x: bigint) => x + BASE_FIELD_ORDER,
        "VerisumPointInvalid",
      ),
    ];
    const chunk = (j: number): TamperCase[] => [
      ...point(`D of chunk ${j}`, `chunks.${j}.d`),
      at(`D of chunk ${j} at infinity`, `chunks.${j}.d`, infinity, "VerisumPointInfinity"),
      ...point(`A of chunk ${j}`, `chunks.${j}.a`),
      at(`A of chunk ${j} at infinity`, `chunks.${j}.a`, infinity, "VerisumPointInfinity"),
      at(`a negated B of chunk ${j}`, `chunks.${j}.b`, negateG2),
      ...["x.c0", "x.c1", "y.c0", "y.c1"].map((part) =>
        at(`${part} of B of chunk ${j} plus one`, `chunks.${j}.b.${part}`, plusOne, "VerisumPointInvalid"),
      ),
      at(
        `B of chunk ${j} at infinity`,
        `chunks.${j}.b`,
        (): G2 => ({ x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } }),
        "VerisumPointInfinity",
      ),
      ...point(`C of chunk ${j}`, `chunks.${j}.c`),
      at(`y of chunk ${j} plus one`, `chunks.${j}.y`, plusOne),
      at(`y of chunk ${j} plus r`, `chunks.${j}.y`, (y: bigint) => y + FIELD_ORDER, "VerisumNotCanonical"),
      at(`h of chunk ${j} plus one`, `chunks.${j}.h`, plusOne),
      at(`h of chunk ${j} plus r`, `chunks.${j}.h`, (h: bigint) => h + FIELD_ORDER, "VerisumNotCanonical"),
    ];
    tamperTests([
      ...point("commitment", "commitment"),
      at("the commitment at infinity", "commitment", infinity, "VerisumPointInfinity"),
      at("another bundle CID", "sharesCid", flipHex),
      ...[0, 1, 2, 3].map((i) => at(`another hash of share ${i + 1}`, `shareHashes.${i}`, flipHex)),
      at("share hashes in another order", "shareHashes", (hashes: readonly Hex[]) => [...hashes].reverse()),
      at("a share hash too few", "shareHashes", (hashes: readonly Hex[]) => hashes.slice(1), "VerisumWrongLength"),
      at(
        "a share hash too many",
        "shareHashes",
        (hashes: readonly Hex[]) => [...hashes, hashes[0]],
        "VerisumWrongLength",
      ),
      ...chunk(0),
      at("a chunk too few", "chunks", (chunks: readonly unknown[]) => chunks.slice(1), "VerisumWrongLength"),
      at("a chunk too many", "chunks", (chunks: readonly unknown[]) => [...chunks, chunks[0]], "VerisumWrongLength"),
      at("E plus r", "shareEvaluations.0", (e: bigint) => e + FIELD_ORDER, "VerisumNotCanonical"),
      at("an E too many", "shareEvaluations", (all: readonly bigint[]) => [...all, 1n], "VerisumWrongLength"),
      at("no E", "shareEvaluations", () => [], "VerisumWrongLength"),
      ...point("opening", "opening"),
      at("the opening at infinity", "opening", infinity),
      ["another client's sender", "VerisumProofInvalid", () => submit(valid, client(3))],
      ["a stranger as sender", "VerisumNotActiveClient", () => submit(valid, stranger())],
      ["a sender who submitted already", "VerisumAlreadySubmitted", () => submit(valid, client(0))],
      ["another round", "VerisumWrongRound", () => submit(valid, client(2), ROUND + 1n)],
    ]);

    it("nothing changed: accepted", async () => {
      assert.equal(await refusalOf(() => submit(valid)), "accepted");
    });
  });

  describe("in Attesting,", () => {
    let record: SubmittedRecord;
    let file: Uint8Array;
    let others: Record<"client" | "seat", Uint8Array>;
    let keys: RoundKeyPair;
    let share: bigint[];
    let address: ShareAddress;
    let seedFile: Uint8Array;
    let seedKeys: RoundKeyPair;
    let seedAddress: ShareAddress;
    const store = (): RoundHarness["task"]["store"] => harness.task.store;
    const bundle = (of: SubmittedRecord, seat: number): Promise<Uint8Array> =>
      store().getFile(cidFromDigest(of.submission.sharesCid), shareFileName(seat), { maxBytes: 1 << 20 });
    const shape = (): SharingShape => ({
      elementCount: harness.task.layout.elementCount,
      threshold: harness.task.parameters.threshold,
    });

    before(async () => {
      harness.clients[2]!.restart();
      for (const role of harness.clients.slice(2)) await role.step();
      records = await harness.operator.records(ROUND);
      assert.equal((await harness.operator.round()).phase, "Attesting");
      record = records.submitted[0]!;
      file = await bundle(record, 2);
      others = { client: await bundle(records.submitted[1]!, 2), seat: await bundle(record, 3) };
      keys = (await member(2).deps.keys.find(ROUND))!;
      address = { ...harness.task.chain.context, round: ROUND, client: record.client, seat: 2 };
      seedFile = await bundle(record, 1);
      seedKeys = (await member(1).deps.keys.find(ROUND))!;
      seedAddress = { ...address, seat: 1 };
      share = await openShare(file, keys, address, shape());
    });

    describe("a member refuses", () => {
      const open = (sealed: Uint8Array, to = keys, from = address): Promise<bigint[]> =>
        openShare(sealed, to, from, shape());
      const recorded = (): Parameters<typeof checkShare>[2] => {
        const { submission } = record;
        const { z } = challengePointsOf(harness.task, records, record);
        const y = submissionEvaluation(
          harness.task.layout,
          submission.chunks.map((chunk) => chunk.y),
          z,
        );
        return { hash: submission.shareHashes[1]!, z, y, evaluations: submission.shareEvaluations };
      };
      const check = (path: string, change: (old: never) => unknown) => (): void =>
        checkShare(2, share, changed(recorded(), path, change));
      /** The code that a member reports for client 0 if the chain said something else of it. */
      const attest = (path: string, change: (old: never) => unknown) => async (): Promise<void> => {
        const { wrong, unavailable } = await checkShares(
          member(2).deps,
          { ...records, submitted: [changed(record, path, change)] },
          0n,
        );
        if (unavailable.length > 0) throw new VerisumError("IPFS_UNAVAILABLE", "unavailable");
        for (const code of wrong.values()) throw new VerisumError(code as "SHARE_DECRYPTION", "wrong");
      };
      tamperTests([
        [
          "a share sealed for another contract, or for one on a chain started anew",
          "SHARE_DECRYPTION",
          () => open(file, keys, { ...address, deployment: flipHex(address.deployment) }),
        ],
        ["a share sealed for another round", "SHARE_DECRYPTION", () => open(file, keys, { ...address, round: 2n })],
        [
          "a share sealed by another client",
          "SHARE_DECRYPTION",
          () => open(file, keys, { ...address, client: client(1) }),
        ],
        ["a share sealed for another seat", "SHARE_DECRYPTION", () => open(file, keys, { ...address, seat: 3 })],
        [
          "a share under another member's key",
          "SHARE_DECRYPTION",
          async () => open(file, await member(3).deps.keys.find(ROUND)),
        ],
        ["a flipped bit of the encapsulated key", "SHARE_DECRYPTION", () => open(flipBit(file, 0))],
        ["a flipped bit of the ciphertext", "SHARE_DECRYPTION", () => open(flipBit(file, 100))],
        ["a flipped bit of the tag", "SHARE_DECRYPTION", () => open(flipBit(file, -1))],
        ["a truncated file", "ENCODING_LENGTH", () => open(file.slice(0, -1))],
        ["a file with a byte too many", "ENCODING_LENGTH", () => open(Uint8Array.of(...file, 0))],
        ["another client's file", "SHARE_DECRYPTION", () => open(others.client)],
        ["another seat's file", "SHARE_DECRYPTION", () => open(others.seat)],
        [
          "a flipped bit of a sealed seed",
          "SHARE_DECRYPTION",
          () => open(flipBit(seedFile, 40), seedKeys, seedAddress),
        ],
        [
          "a seed that is not the hashed share's",
          "SHARE_DIGEST_MISMATCH",
          () =>
            checkShare(1, expandShareSeed(new Uint8Array(SHARE_SEED_BYTES), shape().elementCount), {
              ...recorded(),
              hash: record.submission.shareHashes[0]!,
            }),
        ],
        ["a share where a seed is due", "ENCODING_LENGTH", () => open(file, seedKeys, seedAddress)],
        [
          "a share with one element changed",
          "SHARE_DIGEST_MISMATCH",
          () =>
            checkShare(
              2,
              share.map((value, i) => (i === 3 ? toField(value + 1n) : value)),
              recorded(),
            ),
        ],
        ["a share against another hash", "SHARE_DIGEST_MISMATCH", check("hash", flipHex)],
        ["a share at another z", "SHARE_EVALUATION_MISMATCH", check("z", plusOne)],
        ["a share against another y", "SHARE_EVALUATION_MISMATCH", check("y", plusOne)],
        ["a share against another E", "SHARE_EVALUATION_MISMATCH", check("evaluations.0", plusOne)],
        ["a share as another seat's", "SHARE_EVALUATION_MISMATCH", () => checkShare(3, share, recorded())],
        ["a share as seat 0's", "SHARE_INDEX", () => checkShare(0, share, recorded())],
        ["a record with another bundle CID", "IPFS_UNAVAILABLE", attest("submission.sharesCid", flipHex)],
        [
          "a record with another client's bundle",
          "SHARE_DECRYPTION",
          attest("submission.sharesCid", () => records.submitted[1]!.submission.sharesCid),
        ],
        ["a record under another client", "SHARE_DECRYPTION", attest("client", () => client(1))],
        ["a record with another share hash", "SHARE_DIGEST_MISMATCH", attest("submission.shareHashes.1", flipHex)],
        ["a record with another commitment", "SHARE_EVALUATION_MISMATCH", attest("submission.commitment", other)],
        ["a record with another weight", "SHARE_EVALUATION_MISMATCH", attest("weight", (weight: number) => weight + 1)],
        ["a record with another D", "SHARE_EVALUATION_MISMATCH", attest("submission.chunks.0.d", other)],
        ["a record with another y", "SHARE_EVALUATION_MISMATCH", attest("submission.chunks.0.y", plusOne)],
        ["a record with another E", "SHARE_EVALUATION_MISMATCH", attest("submission.shareEvaluations.0", plusOne)],
      ]);
    });

    describe("the contract refuses", () => {
      const settle =
        (otherwise: StatedOtherwise, members = 0b0111n, alter: (all: Statements) => Statements = (all) => all) =>
        async (): Promise<void> => {
          const statements = alter(await attestationsOf(harness, ROUND, otherwise));
          return call(stranger(), "settle", ROUND, statements.map(encodeAttestation), members, []);
        };
      tamperTests([
        ["a statement of unknown clients", "VerisumUnknownClients", settle({ 1: { good: 0b10001n } })],
        ["a statement that contradicts itself", "VerisumContradiction", settle({ 1: { refused: 1n } })],
        [
          "a statement of another intake",
          "VerisumAttestationInvalid",
          settle({ 1: { intake: flipHex(word("intake")) } }),
        ],
        ["a statement of another round", "VerisumAttestationInvalid", settle({ 1: { round: 2n } })],
        [
          "a statement with another set than the signed one",
          "VerisumAttestationInvalid",
          settle({}, 0b0111n, (all) => changed(all, "1.good", (good: bigint) => good ^ 1n)),
        ],
        ["a late submission", "VerisumWrongPhase", () => call(client(2), "submit", ROUND, encodeSubmission(valid))],
        ["an early end of the phase", "VerisumDeadlineNotReached", () => call(stranger(), "abort", ROUND)],
      ]);
    });
  });

  describe("in Aggregating,", () => {
    let releases: Release[];
    let publication: RoundPublication;
    let final: { readonly evaluation: bigint; readonly opening: G1; readonly signatures: readonly CompactSignature[] };

    before(async () => {
      await harness.play(["Aggregating"]);
      const { board } = member(1).deps;
      const settled = await harness.operator.records(ROUND);
      while (withReleases(settled, board).released.length < 4) for (const role of harness.members) await role.step();
      records = withReleases(settled, board);
      const { task } = harness;
      releases = await fetchReleases(task, records, () => undefined);
      const { elements } = await recoverAggregate(2, releases, records.settled!.sum, task.committer);
      const { genesisCid, genesisDigest } = task.parameters;
      publication = await publicationOf(
        task,
        records,
        await loadModelState(task, genesisCid, genesisDigest),
        elements,
        async () => null,
      );
      await task.store.putDirectory(publication.aggregateFiles);
      await task.store.putDirectory(publication.checkpointFiles);
      const { value, opening } = await openVector(elements, publication.point, task.committer);
      final = { evaluation: value, opening, signatures: [await sign(1), await sign(3)] };
    });

    const sign = (
      seat: number,
      alter: (signed: SignedResult) => SignedResult = (signed) => signed,
    ): Promise<CompactSignature> => member(seat).node.chain.signResult(alter(publication.signed));

    describe("nobody recovers an aggregate from", () => {
      const recover = (given: readonly Release[], sum = records.settled!.sum): Promise<unknown> =>
        recoverAggregate(2, given, sum, harness.task.committer);
      const spoilt = (i: number): Release =>
        changed(releases[i]!, "shareSum.5", (value: bigint) => toField(value + 1n));
      tamperTests([
        ["a release with one element changed", "AGGREGATE_NOT_RECOVERABLE", () => recover([spoilt(0), releases[1]!])],
        [
          "releases under exchanged seats",
          "AGGREGATE_NOT_RECOVERABLE",
          () =>
            recover([
              { ...releases[0]!, seat: releases[1]!.seat },
              { ...releases[1]!, seat: releases[0]!.seat },
            ]),
        ],
        ["one release twice", "SHARE_INDEX", () => recover([releases[0]!, releases[0]!])],
        ["one release", "SHARE_COUNT", () => recover([releases[0]!])],
        [
          "a release of another length",
          "ENCODING_LENGTH",
          () => recover([changed(releases[0]!, "shareSum", (sum: bigint[]) => sum.slice(1)), releases[1]!]),
        ],
        ["good releases against another sum", "AGGREGATE_NOT_RECOVERABLE", () => recover(releases.slice(0, 2), OTHER)],
      ]);
    });

    describe("a member does not sign", () => {
      const propose =
        (path: string, change: (old: never) => unknown, metrics: Parameters<typeof signProposal>[3] = null) =>
        (): Promise<unknown> =>
          signProposal(member(2).deps, records, changed(resultOf(publication.signed), path, change), metrics);
      const withFile = (name: string, change: (file: Uint8Array) => Uint8Array) => async (): Promise<unknown> => {
        const modelCid = await directoryDigest({
          ...publication.checkpointFiles,
          [name]: change(publication.checkpointFiles[name]!),
        });
        return propose("modelCid", () => modelCid)();
      };
      const replaced = (file: Uint8Array, from: string, to: string): Uint8Array => {
        assert.ok(text(file).includes(from));
        return new TextEncoder().encode(text(file).replace(from, to));
      };
      tamperTests([
        ["another aggregate CID", "PROPOSAL_MISMATCH", propose("aggregateCid", flipHex)],
        ["another aggregate digest", "PROPOSAL_MISMATCH", propose("aggregateDigest", flipHex)],
        ["another model CID", "PROPOSAL_MISMATCH", propose("modelCid", flipHex)],
        ["another model digest", "PROPOSAL_MISMATCH", propose("modelDigest", flipHex)],
        [
          "metrics that the checkpoint does not state",
          "PROPOSAL_MISMATCH",
          propose("modelCid", (cid: Hex) => cid, { accuracy: 1, loss: 0, samples: 1 }),
        ],
        ["a checkpoint with another state.bin", "PROPOSAL_MISMATCH", withFile("state.bin", (file) => flipBit(file, 9))],
        [
          "a checkpoint with another model.safetensors",
          "PROPOSAL_MISMATCH",
          withFile("model.safetensors", (file) => flipBit(file, -1)),
        ],
        [
          "a checkpoint with another topology.json",
          "PROPOSAL_MISMATCH",
          withFile("topology.json", (file) => replaced(file, "64", "65")),
        ],
        [
          "a checkpoint with another round in config.json",
          "PROPOSAL_MISMATCH",
          withFile("config.json", (file) => replaced(file, '"round": 1', '"round": 2')),
        ],
        [
          "a checkpoint with another contract in config.json",
          "PROPOSAL_MISMATCH",
          withFile("config.json", (file) => replaced(file, harness.contract, flipHex(harness.contract))),
        ],
      ]);
    });

    describe("the contract refuses a result with", () => {
      interface Call {
        readonly round: bigint;
        readonly result: SignedResult;
        readonly evaluation: bigint;
        readonly opening: G1;
        readonly releases: readonly ReleaseStatement[];
        readonly seats: number;
        readonly signatures: readonly CompactSignature[];
      }
      const honest = (): Call => ({
        ...{ round: ROUND, result: publication.signed, releases: records.released.slice(0, 2) },
        ...{ ...final, seats: 0b0101 },
      });
      const finalise = ({ round, result, evaluation, opening, releases, seats, signatures }: Call): Promise<void> =>
        call(
          stranger(),
          "finalize",
          round,
          resultOf(result),
          evaluation,
          opening,
          releases.map(encodeRelease),
          seats,
          signatures.map(({ r, vs }) => [r, vs]),
        );
      const at = (what: string, path: string, change: (old: never) => unknown, refusal: string): TamperCase => [
        what,
        refusal,
        () => finalise(changed(honest(), path, change)),
      ];
      const signedOver = (what: string, path: string, change: (old: never) => unknown): TamperCase => [
        `a signature over another ${what}`,
        "VerisumSignatureInvalid",
        async () =>
          finalise({
            ...honest(),
            signatures: [await sign(1, (signed) => changed(signed, path, change)), final.signatures[1]!],
          }),
      ];
      tamperTests([
        ...["aggregateCid", "aggregateDigest", "modelCid", "modelDigest"].map((field) =>
          at(`another ${field}`, `result.${field}`, flipHex, "VerisumSignatureInvalid"),
        ),
        at("another evaluation", "evaluation", (value: bigint) => toField(value + 1n), "VerisumOpeningInvalid"),
        at("another opening", "opening", other, "VerisumOpeningInvalid"),
        at("a negated opening", "opening", negateG1, "VerisumOpeningInvalid"),
        at("an opening off the curve", "opening", offCurve, "VerisumPointInvalid"),
        at("an opening at infinity", "opening", infinity, "VerisumOpeningInvalid"),
        at("another r of a signature", "signatures.0.r", flipHex, "VerisumSignatureInvalid"),
        at("another vs of a signature", "signatures.1.vs", flipHex, "VerisumSignatureInvalid"),
        at("other seats", "seats", () => 0b0110, "VerisumSignatureInvalid"),
        at("a seat that does not exist", "seats", () => 0b10001, "VerisumSignatureInvalid"),
        at(
          "signatures in another order",
          "signatures",
          (all: readonly unknown[]) => [...all].reverse(),
          "VerisumSignatureInvalid",
        ),
        at(
          "fewer signatures than seats",
          "signatures",
          (all: readonly unknown[]) => all.slice(1),
          "VerisumWrongLength",
        ),
        at("one seat only", "seats", () => 1, "VerisumTooFewSignatures"),
        at("another round", "round", plusOne, "VerisumWrongRound"),
        signedOver("round", "round", plusOne),
        signedOver("settlement", "settlement", flipHex),
        ...["aggregateCid", "aggregateDigest", "modelCid", "modelDigest"].map((field) =>
          signedOver(field, field, flipHex),
        ),
        [
          "a release of another settlement",
          "VerisumReleaseInvalid",
          async () => {
            const release = { ...records.released[0]!, settlement: flipHex(records.released[0]!.settlement) };
            const signature = await member(1).node.chain.signRelease(release);
            return finalise({ ...honest(), releases: [{ ...release, signature }, records.released[1]!] });
          },
        ],
        at("another release CID", "releases.0.releaseCid", flipHex, "VerisumReleaseInvalid"),
        at("one release", "releases", (all: readonly unknown[]) => all.slice(1), "VerisumTooFewReleases"),
      ]);

      it("nothing changed: accepted", async () => {
        assert.equal(await refusalOf(() => finalise(honest())), "accepted");
        const { result, evaluation, opening, signatures } = honest();
        await harness.operator.finalize(ROUND, resultOf(result), evaluation, opening, honest().releases, [
          { seat: 1, signature: signatures[0]! },
          { seat: 3, signature: signatures[1]! },
        ]);
        records = await harness.operator.records(ROUND);
      });
    });

    describe("readers refuse", () => {
      const recorded = (): Parameters<typeof checkAggregate>[1] => ({
        digest: publication.signed.aggregateDigest,
        point: publication.point,
        evaluation: final.evaluation,
      });
      const elements = async (): Promise<readonly bigint[]> =>
        (await recoverAggregate(2, releases.slice(0, 2), records.settled!.sum, harness.task.committer)).elements;
      tamperTests([
        [
          "an aggregate with one element changed",
          "AGGREGATE_DIGEST_MISMATCH",
          async () =>
            checkAggregate(
              changed(await elements(), "0", (value: bigint) => toField(value + 1n)),
              recorded(),
            ),
        ],
        [
          "an aggregate at another point",
          "AGGREGATE_EVALUATION_MISMATCH",
          async () => checkAggregate(await elements(), changed(recorded(), "point", plusOne)),
        ],
        [
          "an aggregate against another evaluation",
          "AGGREGATE_EVALUATION_MISMATCH",
          async () => checkAggregate(await elements(), changed(recorded(), "evaluation", plusOne)),
        ],
        [
          "a signature with r = 0",
          "SIGNATURE_INVALID",
          () =>
            recoverStatementSigner(harness.task.chain.context, "Result", publication.signed, {
              ...final.signatures[0]!,
              r: `0x${"00".repeat(32)}`,
            }),
        ],
      ]);
    });
  });

  describe("the auditor finds", () => {
    let audited: Awaited<ReturnType<RoundHarness["auditor"]>>["task"];
    before(async () => {
      audited = (await harness.auditor()).task;
      assert.equal((await auditTask(audited)).ok, true);
    });

    /** The first red finding of an audit, as `check: CODE`. */
    const firstRed = async (task: typeof audited, after = 0n): Promise<string> => {
      const { findings } = await auditTask(task, { after, verifier: harness.verifier });
      const red = findings.find(({ ok }) => !ok);
      return red === undefined ? "nothing" : `${red.check}: ${red.code}`;
    };
    const finding = (what: string, expected: string, task: () => typeof audited, afterRound?: bigint): TamperCase => [
      what,
      expected,
      () => firstRed(task(), afterRound),
    ];
    const onRecord = (what: string, expected: string, path: string, change: (old: never) => unknown): TamperCase =>
      finding(`${what} on record`, expected, () => ({
        ...audited,
        chain: {
          ...audited.chain,
          records: async (round) => changed(await audited.chain.records(round), path, change),
        },
      }));
    const inFile = (
      what: string,
      expected: string,
      name: string,
      change: (file: Uint8Array) => Uint8Array,
      cid?: () => Hex,
      afterRound?: bigint,
    ): TamperCase =>
      finding(
        what,
        expected,
        () => ({
          ...audited,
          store: {
            ...audited.store,
            getFile: async (directory, file, limits) => {
              const content = await audited.store.getFile(directory, file, limits);
              return file === name && (cid === undefined || directory === cidFromDigest(cid()))
                ? change(content)
                : content;
            },
          },
        }),
        afterRound,
      );
    const unavailable = (): never => {
      throw new VerisumError("IPFS_UNAVAILABLE", "no peer has it");
    };
    const without = (...names: readonly string[]): typeof audited => {
      const { getFile } = audited.store;
      const found: typeof getFile = async (cid, file, limits) =>
        names.includes(file) ? unavailable() : getFile(cid, file, limits);
      return { ...audited, store: { ...audited.store, getFile: found } };
    };

    it("nothing red where a lost aggregate and checkpoint can be rebuilt from the releases, and says so", async () => {
      const lost = without("aggregate.bin", "config.json");
      const { ok, findings } = await auditTask(lost, { verifier: harness.verifier });
      assert.ok(ok && findings.some(({ detail }) => /rebuilt from releases/.test(detail)));
    });
    const genesis = (): Hex => audited.parameters.genesisCid;
    const modelCid = (): Hex => records.finalised!.result.modelCid;

    tamperTests([
      onRecord("another base model digest", "base model: AUDIT_FAILED", "opened.baseModelDigest", flipHex),
      onRecord("another base model CID", "base model: AUDIT_FAILED", "opened.baseModelCid", flipHex),
      onRecord("no opening", "base model: CHAIN_EVENTS_MISSING", "opened", () => undefined),
      onRecord("another client", "submission: SUBMISSION_INVALID", "submitted.0.client", flipHex),
      onRecord(
        "another weight",
        "submission: SUBMISSION_INVALID",
        "submitted.1.weight",
        (weight: number) => weight + 1,
      ),
      onRecord("another commitment", "submission: SUBMISSION_INVALID", "submitted.0.submission.commitment", other),
      onRecord(
        "a commitment off the curve",
        "submission: POINT_NOT_ON_CURVE",
        "submitted.0.submission.commitment",
        offCurve,
      ),
      onRecord("another bundle CID", "submission: SUBMISSION_INVALID", "submitted.2.submission.sharesCid", flipHex),
      onRecord("another share hash", "submission: SUBMISSION_INVALID", "submitted.0.submission.shareHashes.3", flipHex),
      onRecord(
        "a share hash too few",
        "submission: SUBMISSION_INVALID",
        "submitted.0.submission.shareHashes",
        (all: readonly Hex[]) => all.slice(1),
      ),
      onRecord(
        "an E too many",
        "submission: SUBMISSION_INVALID",
        "submitted.0.submission.shareEvaluations",
        (all: readonly bigint[]) => [...all, 1n],
      ),
      onRecord(
        "a chunk too few",
        "submission: SUBMISSION_INVALID",
        "submitted.0.submission.chunks",
        (all: readonly unknown[]) => all.slice(1),
      ),
      ...["d", "a", "c"].map((name) =>
        onRecord(
          `another ${name.toUpperCase()}`,
          "submission: SUBMISSION_INVALID",
          `submitted.1.submission.chunks.0.${name}`,
          other,
        ),
      ),
      onRecord("a negated B", "submission: SUBMISSION_INVALID", "submitted.1.submission.chunks.0.b", negateG2),
      onRecord("B off the curve", "submission: POINT_NOT_ON_CURVE", "submitted.1.submission.chunks.0.b.x.c0", plusOne),
      onRecord("another y", "submission: SUBMISSION_INVALID", "submitted.1.submission.chunks.0.y", plusOne),
      onRecord("another h", "submission: SUBMISSION_INVALID", "submitted.1.submission.chunks.0.h", plusOne),
      onRecord(
        "another opening of a submission",
        "submission: SUBMISSION_INVALID",
        "submitted.3.submission.opening",
        other,
      ),
      onRecord("a submission less", "settlement: AUDIT_FAILED", "submitted", (all: readonly unknown[]) => all.slice(1)),
      onRecord("no settlement", "settlement: CHAIN_EVENTS_MISSING", "settled", () => undefined),
      onRecord("another set of clients", "settlement: AUDIT_FAILED", "settled.included", (set: bigint) => set ^ 1n),
      onRecord(
        "a client that does not exist",
        "settlement: CHAIN_EVENTS_MISSING",
        "settled.included",
        (set: bigint) => set | 16n,
      ),
      onRecord("fewer members", "settlement: AUDIT_FAILED", "settled.members", () => 0b0011n),
      onRecord(
        "another total weight",
        "settlement: AUDIT_FAILED",
        "settled.totalWeight",
        (weight: number) => weight + 1,
      ),
      onRecord("a member without a seat", "settlement: AUDIT_FAILED", "settled.members", (set: bigint) => set | 16n),
      onRecord("another sum", "settlement: AUDIT_FAILED", "settled.sum", other),
      onRecord("another intake", "settlement: AUDIT_FAILED", "settled.intake", flipHex),
      onRecord("another settlement", "settlement: AUDIT_FAILED", "settled.settlement", flipHex),
      onRecord("another release CID", "releases: AUDIT_FAILED", "released.0.releaseCid", flipHex),
      onRecord("a release of another settlement", "releases: AUDIT_FAILED", "released.0.settlement", flipHex),
      onRecord("one release only", "releases: AUDIT_FAILED", "released", (all: readonly unknown[]) => all.slice(1)),
      ...["aggregateCid", "aggregateDigest", "modelCid", "modelDigest"].map((field) =>
        onRecord(`another ${field}`, "signatures: AUDIT_FAILED", `finalised.result.${field}`, flipHex),
      ),
      onRecord("another signer", "signatures: AUDIT_FAILED", "finalised.signers.0.seat", () => 2),
      onRecord("one signer only", "signatures: AUDIT_FAILED", "finalised.signers", (all: readonly unknown[]) =>
        all.slice(1),
      ),
      onRecord("one signer twice", "signatures: AUDIT_FAILED", "finalised.signers", (all: readonly unknown[]) => [
        all[0],
        all[0],
      ]),
      onRecord(
        "another signature",
        "signatures: AUDIT_FAILED",
        "finalised.signers.1.signature.r",
        () => `0x${"00".repeat(32)}`,
      ),
      onRecord("another evaluation", "opening: AGGREGATE_EVALUATION_MISMATCH", "finalised.evaluation", plusOne),
      onRecord("another opening of the sum", "opening: AGGREGATE_EVALUATION_MISMATCH", "finalised.opening", other),
      onRecord("an opening off the curve", "opening: POINT_NOT_ON_CURVE", "finalised.opening", offCurve),
      inFile("a flipped bit of aggregate.bin", "aggregate: AGGREGATE_DIGEST_MISMATCH", "aggregate.bin", (file) =>
        flipBit(file, -1),
      ),
      inFile("an element of aggregate.bin above r", "aggregate: ENCODING_NOT_CANONICAL", "aggregate.bin", (file) =>
        Uint8Array.from(file, (byte, i) => (i < 32 ? 255 : byte)),
      ),
      inFile("a truncated aggregate.bin", "aggregate: ENCODING_LENGTH", "aggregate.bin", (file) => file.slice(32)),
      finding("a lost sum", "aggregate: IPFS_UNAVAILABLE", () => without("aggregate.bin", "share-sum.bin")),
      inFile(
        "a flipped bit of the genesis",
        "genesis: MODEL_DIGEST_MISMATCH",
        "state.bin",
        (file) => flipBit(file, 40),
        genesis,
      ),
      inFile("a truncated genesis", "genesis: ENCODING_LENGTH", "state.bin", (file) => file.slice(8), genesis),
      inFile("a genesis that nobody serves", "genesis: IPFS_UNAVAILABLE", "state.bin", unavailable, genesis),
      inFile(
        "other metrics in config.json",
        "model: AUDIT_FAILED",
        "config.json",
        (file) =>
          new TextEncoder().encode(
            text(file).replace('"metrics": null', '"metrics": { "accuracy": 1, "loss": 0, "samples": 1 }'),
          ),
        modelCid,
      ),
      inFile("a malformed config.json", "model: CHECKPOINT_INVALID", "config.json", (file) => file.slice(1), modelCid),
      inFile(
        "a flipped bit of a model audited before",
        "base model: MODEL_DIGEST_MISMATCH",
        "state.bin",
        (file) => flipBit(file, 0),
        modelCid,
        ROUND,
      ),
      inFile(
        "a model audited before that nobody serves",
        "base model: IPFS_UNAVAILABLE",
        "state.bin",
        unavailable,
        modelCid,
        ROUND,
      ),
      finding("a flipped bit in the keys on chain", "keys: POINT_NOT_ON_CURVE", () => ({
        ...audited,
        chain: { ...audited.chain, verificationKeys: async () => flipBit(await audited.chain.verificationKeys(), 100) },
      })),
      finding("another recorded hash of the keys", "keys: KEY_REFUSED", () =>
        changed(audited, "parameters.keysHash", flipHex),
      ),
    ]);
  });
});
