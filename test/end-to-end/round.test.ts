import { after, afterEach, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { continuedAudit } from "../../auditor/continued-audit.ts";
import type { RoundResult } from "../../chain/task-chain.ts";
import { decodeVerificationKeys } from "../../protocol/verification-key.ts";
import { releaseSum } from "../../member/member.ts";
import { bindRelease } from "../../member/release-record.ts";
import type { Submission } from "../../protocol/submission.ts";
import { rejectsCode } from "../support/errors.ts";
import { boosting, diesBeforeSending, garbageBundle, withheldBundle, wrongRelease } from "../support/round-faults.ts";
import { csprng, startHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const ALL = 0b1111n;
/** 118 in each of 650 coordinates has 20 times the norm of 150 steps that the task allows. */
const BOOSTED_STEPS = 118;

describe("rounds with real proofs", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 4 });
  });
  after(() => harness.close());

  it("finalises two rounds of training that an auditor recomputes from the chain and content alone", async () => {
    for (const round of [1n, 2n]) {
      const { state, records } = await harness.playRound();
      assert.equal(state.number, round);
      assert.equal(state.phase, "Finalised");
      assert.equal(records.submitted.length, 4);
      assert.equal(records.settled!.included, ALL);
      assert.equal(records.finalised!.signers.length, 2);
    }
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(audit.ok, true);
    const latest = await harness.operator.latestModel();
    assert.deepEqual(audit.model?.record, latest);
    assert.equal(await harness.aggregator.node.store.has(cidFromDigest(latest.cid)), true);
  });

  it("take three transactions in sequence: submissions, one to settle, and one that finalizes and opens the next", async () => {
    const provider = new JsonRpcProvider(harness.chain.rpc);
    const finalised = VERISUM_INTERFACE.getEvent("Finalised")!.topicHash;
    const logs = await provider.getLogs({ address: harness.contract, topics: [finalised], fromBlock: 0 });
    const calls: string[] = [];
    for (let number = logs[0]!.blockNumber + 1; number <= logs[1]!.blockNumber; number++)
      for (const { to, data } of (await provider.getBlock(number, true))!.prefetchedTransactions)
        if (to?.toLowerCase() === harness.contract) calls.push(VERISUM_INTERFACE.parseTransaction({ data })!.name);
    provider.destroy();
    const isAhead = (name: string): boolean => name === "registerRoundKeys" || name === "announce";
    assert.deepEqual(
      calls.filter((name) => !isAhead(name)),
      ["submit", "submit", "submit", "submit", "settle", "finalize"],
    );
  });

  it("are audited one after the other without reading an earlier model, and after a restart only the last", async () => {
    const { task } = await harness.auditor();
    const keys = decodeVerificationKeys(await task.chain.verificationKeys());
    const read: string[] = [];
    const watched = {
      ...task,
      store: {
        ...task.store,
        getFile: (...[cid, name, limits]: Parameters<typeof task.store.getFile>) => {
          read.push(`${name} at ${cid}`);
          return task.store.getFile(cid, name, limits);
        },
      },
    };
    const resultOf = async (round: bigint): Promise<RoundResult> => (await task.chain.records(round)).finalised!.result;
    const [first, second] = [await resultOf(1n), await resultOf(2n)];
    const filesOf = ({ aggregateCid, modelCid }: RoundResult): string[] => [
      `aggregate.bin at ${cidFromDigest(aggregateCid)}`,
      `config.json at ${cidFromDigest(modelCid)}`,
    ];
    const after = { round: 1n, modelDigest: first.modelDigest };

    const running = continuedAudit(watched, keys, harness.verifier);
    assert.equal((await running.audit(undefined, 1n)).model?.record.digest, first.modelDigest);
    assert.deepEqual(read.splice(0), [`state.bin at ${cidFromDigest(task.parameters.genesisCid)}`, ...filesOf(first)]);
    await running.verifyAhead(2n);
    const audit = await running.audit(after, 2n);
    assert.deepEqual([audit.ok, audit.model?.record.digest], [true, second.modelDigest]);
    assert.deepEqual(read.splice(0), filesOf(second));

    const restarted = continuedAudit(watched, keys, harness.verifier);
    assert.equal((await restarted.audit(after, 2n)).ok, true);
    assert.deepEqual(read.splice(0), [`state.bin at ${cidFromDigest(first.modelCid)}`, ...filesOf(second)]);
    const replaced = { round: 1n, modelDigest: second.modelDigest };
    await rejectsCode(restarted.audit(replaced, 2n), "CHAIN_REORGANISED");
  });
});

describe("rounds with faults", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 4, learning: "scripted" });
  });
  after(() => harness.close());
  afterEach("every role runs again and does as it should", () => {
    for (const role of [...harness.clients, ...harness.members]) {
      role.running = true;
      role.restart();
    }
  });

  it("keeps a client whose share is garbage for one member only: a quorum without that member attests it", async () => {
    const client = harness.clients[0]!;
    client.restart(garbageBundle([2], csprng));
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.equal(records.settled!.included, ALL);
    assert.equal(records.settled!.members, 0b1101n);
    assert.deepEqual(
      records.released.map(({ seat }) => seat),
      [1, 3],
    );
    // The others settle without it, perhaps before it has read the chain again to be sure.
    for (const { code, client: who } of harness.members[1]!.reporter.facts("share-refused", state.number))
      assert.deepEqual([code, who], ["SHARE_DECRYPTION", client.account]);
  });

  for (const [fault, alter, code] of [
    ["is garbage for every member", garbageBundle([1, 2, 3, 4], csprng), "SHARE_DECRYPTION"],
    ["nobody can fetch", withheldBundle, undefined],
  ] as const) {
    it(`leaves out a client whose bundle ${fault}, and goes on without it`, async () => {
      const client = harness.clients[3]!;
      client.restart(alter);
      const { state, records } = await harness.playRound();
      assert.equal(state.phase, "Finalised");
      const excluded = records.submitted.find((record) => record.client === client.account)!;
      assert.equal(records.settled!.included, ALL ^ (1n << BigInt(excluded.index)));
      assert.equal(records.settled!.totalWeight, 3);
      for (const { reporter } of harness.members)
        assert.deepEqual(
          reporter.facts("share-refused", state.number).map((facts) => facts.code),
          code === undefined ? [] : [code],
        );
      assert.equal((await harness.audit()).ok, true);
    });
  }

  it("names a member that releases a wrong sum, and finalises", async () => {
    harness.members[0]!.restart(wrongRelease);
    const { state } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.deepEqual(
      [...new Set(harness.aggregator.reporter.facts("wrong-release", state.number).map(({ seat }) => seat))],
      [1],
    );
    assert.equal((await harness.audit()).ok, true);
  });

  it("finalises without a member that stopped", async () => {
    // The one that released what it had not recorded sits out after its restart anyhow: the chain knows more of it.
    harness.members[0]!.running = false;
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.deepEqual(
      records.released.map(({ seat }) => seat),
      [2, 3],
    );
  });

  it("aborts by time alone when no quorum attests, and opens the next round", async () => {
    for (const member of harness.members.slice(2)) member.running = false;
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Aborted");
    assert.equal(records.settled, undefined);
    assert.equal((await harness.play(["Collecting"], state.number + 1n)).number, state.number + 1n);
  });

  it("sends the very submission that it made before it died, and never a second one", async () => {
    const client = harness.clients[1]!;
    client.restart(diesBeforeSending);
    const { number } = await harness.play(["Collecting"]);
    await assert.rejects(client.step(), /killed/);
    const { opened } = await harness.operator.records(number);
    const kept = await client.deps.journal.find(number, opened!.baseModelDigest);
    assert.ok(kept !== undefined);

    client.restart();
    assert.equal(await client.step(), "acted");
    client.restart();
    assert.equal(await client.step(), "waiting");
    const { submitted } = await harness.operator.records(number);
    assert.deepEqual(
      submitted.filter((record) => record.client === client.account).map(({ submission }) => submission),
      [kept.submission],
    );
    assert.equal(client.reporter.facts("proven", number).length, 1);
    assert.equal(client.reporter.facts("resumed", number).length, 1);
    await rejectsCode(
      client.deps.journal.keep({
        ...kept,
        submission: { ...kept.submission, opening: kept.submission.commitment },
      }),
      "ROUND_EQUIVOCATION",
    );

    assert.equal((await harness.play(["Finalised", "Aborted"])).phase, "Finalised");
  });

  it("releases for one set of clients only, also after a restart and with a second caller", async () => {
    const { state, records } = await harness.playRound();
    const member = harness.members[2]!;
    const other = { ...records, settled: { ...records.settled!, included: 0b0111n } };
    assert.equal(records.settled!.included, ALL);
    await rejectsCode(releaseSum(member.deps, other), "ROUND_EQUIVOCATION");
    await member.node.state.release();
    const reopened = await openStateDirectory(member.node.state.path);
    const scope = member.deps.scope;
    const cid = cidFromDigest(records.released.find(({ seat }) => seat === member.seat)!.releaseCid);
    const fewer = records.submitted.slice(0, 3);
    await rejectsCode(bindRelease(reopened, scope, state.number, fewer, cid), "ROUND_EQUIVOCATION");
    await bindRelease(reopened, scope, state.number, records.submitted, cid);

    const attempts = await Promise.allSettled(
      [0, 1, 2].map((without) =>
        bindRelease(
          reopened,
          scope,
          999n,
          records.submitted.filter(({ index }) => index !== without),
          cid,
        ),
      ),
    );
    assert.ok(attempts.filter(({ status }) => status === "fulfilled").length <= 1);
  });

  it("refuses an update of twenty times the bound, and finalises without it", async () => {
    assert.ok(BOOSTED_STEPS * Math.sqrt(650) > 20 * TINY_SPECIFICATION.document.quantisation.clipSteps);
    const cheat = harness.clients[2]!;
    cheat.restart(boosting(BOOSTED_STEPS));
    const { state, records } = await harness.playRound();
    assert.equal(state.phase, "Finalised");
    assert.deepEqual(
      cheat.reporter.facts("refused", state.number).map(({ reason }) => reason),
      ["VerisumProofInvalid"],
    );
    assert.ok(records.submitted.every(({ client }) => client !== cheat.account));
  });

  it("sends nothing if its own proof does not verify", async () => {
    const client = harness.clients[2]!;
    client.restart((deps) => ({ ...boosting(BOOSTED_STEPS)(deps), verifyOwn: deps.verifyOwn }));
    client.running = false;
    const { number } = await harness.play(["Collecting"], (await harness.operator.round()).number + 1n);
    await rejectsCode(client.step(), "SUBMISSION_INVALID");
    assert.equal((await client.node.chain.client(client.account)).lastSubmittedRound === number, false);
    client.restart();
    client.running = true;
    assert.equal((await harness.playRound()).state.phase, "Finalised");
  });

  it("aborts with too few submissions, and makes everything afresh for the next round", async () => {
    for (const client of harness.clients.slice(2)) client.running = false;
    const aborted = await harness.playRound();
    assert.equal(aborted.state.phase, "Aborted");
    assert.equal(aborted.records.submitted.length, 2);
    for (const client of harness.clients) client.running = true;
    const next = await harness.playRound();
    assert.equal(next.state.phase, "Finalised");
    for (const { client, submission } of aborted.records.submitted) {
      const again = next.records.submitted.find((record) => record.client === client)!;
      const repeated = valuesOf(submission).filter((value) => valuesOf(again.submission).includes(value));
      assert.deepEqual(repeated, [], `${client} used a value in two rounds`);
    }
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
  });
});

/** Every number and hash of a submission. */
function valuesOf({ commitment, sharesCid, shareHashes, chunks, shareEvaluations, opening }: Submission): string[] {
  const numbers = [
    commitment,
    opening,
    ...chunks.flatMap(({ d, a, b, c }) => [d, a, c, { x: b.x.c0, y: b.x.c1 }, { x: b.y.c0, y: b.y.c1 }]),
  ].flatMap(({ x, y }) => [x, y]);
  return [
    sharesCid,
    ...shareHashes,
    ...[...numbers, ...shareEvaluations, ...chunks.flatMap(({ y, h }) => [y, h])].map(String),
  ];
}
