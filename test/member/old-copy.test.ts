import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RoundRecords, TaskLook, TaskWriter } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { releaseSum } from "../../member/member.ts";
import { createMemberStep } from "../../member/member-loop.ts";
import type { MemberLoopDependencies } from "../../member/member-loop.ts";
import { leaveOldCopy, noteAttested } from "../../member/old-copy.ts";
import { bindRelease, boundRelease } from "../../member/release-record.ts";
import { KEYS_AHEAD, openRoundKeys } from "../../member/round-keys.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { rejectsCode } from "../support/errors.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import { finalizeMemoryRound, memoryRelease, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { seededRandom, word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";

const SCOPE = "scope-1";
const RELEASE = cidFromDigest(word("release"));

describe("a member's directory that came back from a backup", () => {
  let parent: string;
  let directory: string;
  let backup: string;
  let task: MemoryTask;
  let chain: TaskWriter;
  let state: StateDirectory;
  let reporter: ReturnType<typeof createRecorder>;
  /** What other nodes know that seats said. */
  let statements: NodeStatements;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "verisum-old-copy-"));
    [directory, backup] = [join(parent, "state"), join(parent, "backup")];
    task = await openMemoryTask();
    chain = task.members[0]!;
    statements = quietStatements(chain);
    state = await openStateDirectory(directory);
    await openRoundKeys(state, SCOPE).topUp(chain, 1, 1n, seededRandom("keys"));
    reporter = createRecorder();
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  const copyTo = (from: string, to: string): Promise<void> =>
    cp(from, to, { recursive: true, preserveTimestamps: true });
  const look = async (change: (seen: TaskLook) => TaskLook = (seen) => seen): Promise<void> => {
    const seen = change(await chain.look());
    const said = statements.board.of(seen.round.number).filter(({ seat }) => seat === 1);
    const keys = openRoundKeys(state, SCOPE);
    await leaveOldCopy({ chain, state, scope: SCOPE, seat: 1, keys, reporter }, seen, said, () => true);
  };
  const release = async (label = "release"): Promise<void> =>
    void (await statements.board.add({ kind: "release", ...(await memoryRelease(task, 1, word(label))) }));
  const keysLeft = async (): Promise<readonly string[]> =>
    (await readdir(state.file(SCOPE))).filter((name) => name.startsWith("round-key-"));
  const reopen = async (): Promise<void> => {
    await state.release();
    state = await openStateDirectory(directory);
  };
  const settle = async (): Promise<{ readonly round: bigint; readonly records: RoundRecords }> => {
    const round = await openRoundWithOwnKey(task);
    await settleMemoryRound(task, round);
    return { round, records: await chain.records(round) };
  };

  it("is the member's own as long as it only stops and starts, in the middle of a round as well", async () => {
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    for (const act of [
      () => Promise.resolve(),
      () => bindRelease(state, SCOPE, round, records.submitted, RELEASE),
      () => release(),
    ]) {
      await act();
      await reopen();
      await look();
      assert.equal((await keysLeft()).length, KEYS_AHEAD);
    }
    assert.deepEqual(reporter.events, []);
  });

  it("releases nothing in any round that it could know, also after a reorganisation to other clients", async () => {
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    await state.release();
    await copyTo(directory, backup);
    state = await openStateDirectory(directory);
    await bindRelease(state, SCOPE, round, records.submitted, RELEASE);
    await openRoundKeys(state, SCOPE).erase(round);
    await state.release();
    for (const restore of [
      async () => {
        await rm(directory, { recursive: true });
        await copyTo(backup, directory);
      },
      () => copyTo(backup, directory),
    ]) {
      await restore();
      await reopen();
      const step = createMemberStep(memberDependencies());
      await step();
      assert.deepEqual(
        (await keysLeft()).filter((name) => name === `round-key-${round}.json`),
        [],
      );
      assert.equal(reporter.facts("state-copied").length, 1);
      await rejectsCode(releaseSum(memberDependencies(), records), "ROUND_KEY_GONE");
      await rm(state.file(SCOPE), { recursive: true });
      reporter = createRecorder();
    }
  });

  it("gives itself away by what the chain knows of its seat, where no file tells", async () => {
    const { round } = await settle();
    await noteAttested(state, SCOPE, round - 1n);
    await look();
    assert.equal(reporter.facts("state-copied").length, 1, "an attestation that it has no record of");
    assert.deepEqual(await keysLeft(), []);

    await openRoundKeys(state, SCOPE).topUp(chain, 1, round + 1n, seededRandom("later keys"));
    await release();
    await look();
    assert.equal(reporter.facts("state-copied").length, 2, "a release that it has no record of");
    assert.deepEqual(await keysLeft(), []);
  });

  it("gives itself away by a release other than the one in its record, and repeats neither", async () => {
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    await bindRelease(state, SCOPE, round, records.submitted, RELEASE);
    await release("another release");
    await look();
    assert.equal(reporter.facts("state-copied").length, 1);
    assert.deepEqual(await keysLeft(), []);
    await rejectsCode(boundRelease(state, SCOPE, round, records.submitted), "ROUND_RECORD_DAMAGED");
    await look();
    assert.equal(reporter.facts("state-copied").length, 1, "once");
  });

  it("is not made of one by a release that an endpoint alters, which its seat did not sign", async () => {
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    await finalizeMemoryRound(task, round, "first");
    const { released } = (await chain.look()).records(round);
    const own = released.find(({ seat }) => seat === 1)!;
    await bindRelease(state, SCOPE, round, records.submitted, cidFromDigest(own.releaseCid));
    const other = { releaseCid: word("other") };
    await look((seen) => withRecords(seen, round, { released: released.map((release) => ({ ...release, ...other })) }));
    assert.equal((await keysLeft()).length, KEYS_AHEAD);
    assert.deepEqual(reporter.events, []);
  });

  it("gives itself away by a release that a result carries", async () => {
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    await finalizeMemoryRound(task, round, "first");
    await look();
    assert.deepEqual(await keysLeft(), []);
    await rejectsCode(boundRelease(state, SCOPE, round, records.submitted), "ROUND_RECORD_DAMAGED");
  });

  /** A member whose first reading has its seat in the settlement; what it signs is counted. */
  const misreading = async (isTrue: boolean): Promise<{ step: () => Promise<boolean>; signed: () => number }> => {
    const { round } = await settle();
    await noteAttested(state, SCOPE, round - 1n);
    let [isReread, signed] = [false, 0];
    const sign = (): never => assert.fail(`signed ${++signed}`);
    const dependencies = memberDependencies();
    const reading: TaskWriter = {
      ...chain,
      look: async () => {
        const seen = await chain.look();
        const settled = seen.records(round).settled!;
        return isReread && !isTrue
          ? withRecords(seen, round, { settled: { ...settled, members: settled.members & ~1n } })
          : seen;
      },
      reread: async () => void (isReread = true),
      signAttestation: sign,
      signRelease: sign,
    };
    return { step: createMemberStep({ ...dependencies, chain: reading }), signed: () => signed };
  };

  it("is not made of one by one reading of a settlement that no other confirms", async () => {
    const { step, signed } = await misreading(false);
    assert.equal(await step(), true);
    assert.deepEqual([signed(), (await keysLeft()).length], [0, KEYS_AHEAD]);
    await step();
    assert.equal((await keysLeft()).length, KEYS_AHEAD);
    assert.deepEqual(reporter.facts("state-copied"), []);
  });

  it("says nothing until a second reading of a settlement gives it away, and then has no key", async () => {
    const { step, signed } = await misreading(true);
    assert.equal(await step(), true);
    assert.deepEqual([signed(), (await keysLeft()).length], [0, KEYS_AHEAD]);
    await step();
    assert.equal(signed(), 0);
    assert.equal(reporter.facts("state-copied").length, 1);
    const { number } = await chain.round();
    assert.equal(await openRoundKeys(state, SCOPE).find(number), undefined);
  });

  it("is not made of one that attested an earlier round again, after a reorganisation", async () => {
    const { round } = await settle();
    await noteAttested(state, SCOPE, round);
    await noteAttested(state, SCOPE, round - 1n);
    await look();
    assert.deepEqual(reporter.events, []);
  });

  it("with a damaged note of what it attested counts as one", async () => {
    await look();
    assert.equal((await keysLeft()).length, KEYS_AHEAD);
    await writeFile(state.file(SCOPE, "last-attested.json"), "");
    await look();
    assert.deepEqual(await keysLeft(), []);
  });

  it("has no key of any round when it was saved as the manual says", async () => {
    const page = await readFile(new URL("../../docs/running.md", import.meta.url), "utf8");
    const excluded = [.../`tar ((?:--exclude=\S+ )+)/.exec(page)![1]!.matchAll(/--exclude=(\S+)/g)].flatMap(
      ([, pattern]) => ["--exclude", pattern!.replaceAll("'", "")],
    );
    const { round, records } = await settle();
    await noteAttested(state, SCOPE, round);
    const archive = join(parent, "member.tgz");
    assert.equal(spawnSync("tar", [...excluded, "-czf", archive, "-C", parent, "state"]).status, 0);
    await state.release();
    await rm(directory, { recursive: true });
    assert.equal(spawnSync("tar", ["-xzf", archive, "-C", parent]).status, 0);
    state = await openStateDirectory(directory);
    assert.deepEqual(await keysLeft(), []);
    await rejectsCode(releaseSum(memberDependencies(), records), "ROUND_KEY_GONE");
  });

  it("is its own again once its keys are erased: what it says from then on costs it no new key", async () => {
    await state.release();
    await copyTo(directory, backup);
    state = await openStateDirectory(backup);
    assert.equal(state.copied, true);
    await look();
    assert.deepEqual(await keysLeft(), []);
    const first = BigInt(KEYS_AHEAD) + 1n;
    await openRoundKeys(state, SCOPE).topUp(chain, 1, first, seededRandom("keys of the copy"));
    const { round } = await settle();
    await noteAttested(state, SCOPE, round);
    const { intake } = (await chain.look()).round;
    const attestation = { round, intake, good: 0b111n, refused: 0n };
    const signature = await chain.signAttestation(attestation);
    await statements.board.add({ kind: "attestation", ...attestation, seat: 1, signature });
    await look();
    assert.equal((await keysLeft()).length, KEYS_AHEAD);
    assert.equal(reporter.facts("state-copied").length, 1);
  });

  it("takes part again once its new keys' rounds come", async () => {
    const { round } = await settle();
    await finalizeMemoryRound(task, round, "first");
    await look();
    const keys = openRoundKeys(state, SCOPE);
    assert.ok((await keys.topUp(chain, 1, round + BigInt(KEYS_AHEAD) - 2n, seededRandom("new"))) > 0);
    const next = round + BigInt(KEYS_AHEAD);
    assert.ok((await keys.find(next)) !== undefined);
    await look();
    assert.ok((await keys.find(next)) !== undefined, "and they stay");
  });

  function memberDependencies(): MemberLoopDependencies {
    return {
      ...{
        chain,
        ...statements,
        state,
        scope: SCOPE,
        seat: 1,
        reporter,
        localMinimum: 0,
        random: seededRandom("member"),
      },
      keys: openRoundKeys(state, SCOPE),
      task: {
        parameters: task.parameters,
        layout: { elementCount: 1 },
        store: { getFile: () => Promise.reject(new VerisumError("IPFS_UNAVAILABLE", "no peer has it")) },
      },
      nodes: () => [],
      announcersOf: (node: string) => [node],
    } as unknown as MemberLoopDependencies;
  }
});

/** A look that has other records of a round. */
function withRecords(look: TaskLook, round: bigint, change: Partial<RoundRecords>): TaskLook {
  const records = (number: bigint): RoundRecords => ({
    ...look.records(number),
    ...(number === round ? change : {}),
  });
  return { ...look, records };
}

/** The other seats register a key for the next round, which the first has already, and it opens. */
async function openRoundWithOwnKey(task: MemoryTask): Promise<bigint> {
  const round = (await task.operator.round()).number + 1n;
  for (const member of task.members.slice(1))
    await member.registerRoundKeys(round, [word(`${member.account} ${round}`)]);
  await task.operator.openRound();
  return round;
}
