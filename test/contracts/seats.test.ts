/** Seats that change while a task runs, and what all changes of the lists have in common. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import type { Wallet } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { encodeAttestation, encodeRelease } from "../../chain/codec.ts";
import { signStatement } from "../../chain/statement-signatures.ts";
import { MAX_KEYS_AHEAD } from "../../protocol/parameters.ts";
import { word } from "../support/random.ts";
import { abortRound, openListedTasks } from "../support/listed-tasks.ts";
import type { ListedTasks } from "../support/listed-tasks.ts";
import { reverts } from "../support/reverts.ts";
import {
  as,
  makeFinalisation,
  openRound,
  roundOf,
  sendFinalisation,
  settleOn,
  statementOf,
  submitAll,
  view,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const NOBODY = `0x${"00".repeat(20)}`;

describe("lists that change", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  let restore: () => Promise<void>;
  let tasks: ListedTasks;
  const of = (name: keyof ListedTasks): TaskOnChain => tasks[name];
  const abort = (task: TaskOnChain): Promise<void> => abortRound(connection, task);

  before(async () => void ({ connection, tasks, restore } = await openListedTasks()));
  beforeEach(() => restore());
  after(() => connection.close());

  describe("of members", () => {
    const replaced = async (): Promise<{
      task: TaskOnChain;
      former: HardhatEthersSigner;
      next: HardhatEthersSigner;
    }> => {
      const task = of("listed");
      const [former, next] = [task.members[1]!, task.clients[7]!];
      await openRound(task);
      await submitAll(task, 4);
      await task.verisum["replaceMember"]!(2, next.address);
      return { task, former, next };
    };

    it("leave the open round's statements, release and result to the member that had the seat", async () => {
      const { task, next } = await replaced();
      assert.equal(await view(task, "memberAt", 2), task.members[1]!.address);
      const { number: round, intake } = await roundOf(task);
      const said = { round, intake, good: 0b1111n, refused: 0n };
      const signature = await signStatement(next as unknown as Wallet, task.context, "Attestation", said);
      const early = encodeAttestation({ ...said, seat: 2, signature });
      const [first, , third] = await Promise.all([1, 2, 3].map((seat) => statementOf(task, seat, 0b1111n)));
      await reverts(task.verisum["settle"]!(1n, [first, early, third], 0b0111n, []), "VerisumAttestationInvalid", 2);
      await settleOn(task, 0b1111n, [1, 2, 3]);
      const { settlement } = await roundOf(task);
      const release = { round, settlement, releaseCid: word("early release") };
      const signed = await signStatement(next as unknown as Wallet, task.context, "Release", release);
      const scalars = weightedScalar([1n, 1n, 1n, 1n], [0, 0, 0, 0]);
      const finalisation = await makeFinalisation(task, scalars, [1, 2]);
      const releases = [finalisation.releases[0]!, encodeRelease({ ...release, seat: 2, signature: signed })];
      await reverts(sendFinalisation(task, { ...finalisation, releases }), "VerisumReleaseInvalid", 2);
    });

    it("take none of a replaced member's signatures in later rounds", async () => {
      const { task, former, next } = await replaced();
      await abort(task);
      for (const [i, member] of [task.members[0]!, next, task.members[2]!, task.members[3]!].entries())
        await as(task, member)["registerRoundKeys"]!(2, [word(`new key ${i}`)]);
      await task.verisum["openRound"]!();
      assert.equal(await view(task, "memberAt", 2), next.address);
      await submitAll(task, 4);
      // `task.members` has the former member on seat 2.
      const { number } = await roundOf(task);
      const statements = await Promise.all([1, 2, 3].map((seat) => statementOf(task, seat, 0b1111n)));
      await reverts(task.verisum["settle"]!(number, statements, 0b0111n, []), "VerisumAttestationInvalid", 2);
      await reverts(as(task, former)["registerRoundKeys"]!(9, [word("late key")]), "VerisumNotMember", former.address);
    });

    it("void the keys of whoever no longer has the seat, and take the next member's for the same rounds", async () => {
      const task = of("listed");
      const [former, next] = [task.members[1]!, task.clients[7]!];
      const keys = Array.from({ length: MAX_KEYS_AHEAD }, (_, i) => word(`ahead ${i}`));
      await as(task, former)["registerRoundKeys"]!(1, keys);
      await as(task, task.members[2]!)["registerRoundKeys"]!(1, keys);
      await task.verisum["replaceMember"]!(2, next.address);
      for (const round of [1, 7, 8, MAX_KEYS_AHEAD]) {
        assert.equal(
          await view(task, "roundKey", round, 2),
          word("").replace(/[0-9a-f]{64}$/, "0".repeat(64)),
          `${round}`,
        );
        assert.equal(await view(task, "roundKey", round, 3), keys[round - 1]);
      }
      await as(task, next)["registerRoundKeys"]!(8, [word("its own")]);
      assert.equal(await view(task, "roundKey", 8, 2), word("its own"));
      await reverts(as(task, next)["registerRoundKeys"]!(8, [word("another")]), "VerisumKeyExists", 8, 2);
    });

    it("take no key further ahead than one replacement can void", async () => {
      const task = of("listed");
      const first = as(task, task.members[0]!);
      const last = BigInt(MAX_KEYS_AHEAD);
      await reverts(
        first["registerRoundKeys"]!(last, [word("a"), word("b")]),
        "VerisumKeysTooFarAhead",
        last + 1n,
        last,
      );
      await first["registerRoundKeys"]!(last, [word("a")]);
    });

    it("are changed by the operator and the seat's member alone, and nobody has two seats", async () => {
      const task = of("listed");
      const [one, two] = [task.members[0]!, task.members[1]!];
      const other = task.clients[7]!.address;
      await reverts(as(task, task.stranger)["replaceMember"]!(2, other), "VerisumNotOperator", task.stranger.address);
      await reverts(as(task, one)["replaceMember"]!(2, other), "VerisumNotOperator", one.address);
      await reverts(as(task, two)["replaceMember"]!(2, one.address), "VerisumAlreadyRegistered", one.address);
      await reverts(task.verisum["replaceMember"]!(2, two.address), "VerisumAlreadyRegistered", two.address);
      await reverts(task.verisum["replaceMember"]!(5, other), "VerisumNoSeat", 5, 4);
      await reverts(task.verisum["replaceMember"]!(0, other), "VerisumNoSeat", 0, 4);
      await reverts(task.verisum["replaceMember"]!(2, NOBODY), "VerisumZeroAddress");
      await as(task, two)["replaceMember"]!(2, other);
      // Whoever has passed a seat on has it no more.
      await reverts(as(task, two)["replaceMember"]!(2, two.address), "VerisumNotOperator", two.address);
    });

    it("keep the member of the open round however often the next one changes", async () => {
      const { task, former } = await replaced();
      await task.verisum["replaceMember"]!(2, task.clients[8]!.address);
      await task.verisum["replaceMember"]!(2, former.address);
      assert.equal(await view(task, "memberAt", 2), former.address);
      await settleOn(task, 0b1111n, [1, 2, 3]);
      assert.equal((await roundOf(task)).phase, 3n);
    });

    it("let a member leave, and a round open without waiting for its key, but not below a quorum", async () => {
      const task = of("listed");
      await openRound(task);
      await abort(task);
      await as(task, task.members[3]!)["replaceMember"]!(4, NOBODY);
      await openRound(task, [1, 2, 3]);
      assert.equal((await roundOf(task)).keyMask, 0b0111n);
      await reverts(
        as(task, task.members[3]!)["registerRoundKeys"]!(9, [word("gone")]),
        "VerisumNotMember",
        task.members[3]!.address,
      );
      await as(task, task.members[2]!)["replaceMember"]!(3, NOBODY);
      await abort(task);
      for (const seat of [1, 2])
        await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(3, [word(`third ${seat}`)]);
      await assert.rejects(task.verisum["openRound"]!());
      await task.verisum["replaceMember"]!(3, task.clients[7]!.address);
      await as(task, task.clients[7]!)["registerRoundKeys"]!(3, [word("third 3")]);
      await task.verisum["openRound"]!();
      assert.equal((await roundOf(task)).keyMask, 0b0111n);
    });
  });

  it("count their changes, one for each event that says of one", async () => {
    const task = of("listed");
    const before = (await view(task, "listChanges")) as bigint;
    assert.equal(before, 8n);
    await task.verisum["removeClient"]!(task.clients[0]!.address);
    await task.verisum["replaceMember"]!(1, task.clients[7]!.address);
    const names = ["MemberRegistered", "ClientRegistered", "ClientLeft"];
    const logs = await Promise.all(names.map((name) => task.verisum.queryFilter(name)));
    assert.equal(await view(task, "listChanges"), BigInt(logs.flat().length));
    assert.equal(logs.flat().length, 10);
  });

  it("cost a bounded amount, whatever was queued before: opening, settling and each change", async () => {
    const task = of("listed");
    const gasOf = async (name: string, ...args: unknown[]): Promise<bigint> => {
      const receipt = await (await task.verisum[name]!(...args)).wait();
      return receipt!.gasUsed;
    };
    await openRound(task);
    await abort(task);
    const opening = async (): Promise<bigint> => {
      const round = (await roundOf(task)).number + 1n;
      for (const member of task.members)
        await as(task, member)["registerRoundKeys"]!(round, [word(`${round} ${member.address}`)]);
      const gas = await gasOf("openRound");
      await abort(task);
      return gas;
    };
    await opening();
    const before = await opening();
    for (let i = 0; i < 60; i++) {
      const account = `0x${(i + 1).toString(16).padStart(40, "0")}`;
      await task.verisum["registerClient"]!(account, 1);
      await task.verisum["removeClient"]!(account);
    }
    for (let i = 0; i < 30; i++) {
      await task.verisum["replaceMember"]!(2, task.clients[7]!.address);
      assert.ok((await gasOf("replaceMember", 2, task.members[1]!.address)) < 200_000n);
    }
    const later = await opening();
    assert.ok(later <= before + 500n, `${before} -> ${later}`);
  });
});
