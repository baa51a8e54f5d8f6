import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { word } from "../support/random.ts";
import { reverts, VERISUM_INTERFACE } from "../support/reverts.ts";
import {
  as,
  deployTask,
  openChain,
  openRound,
  registerAll,
  roundOf,
  snapshot,
  view,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const BOND = 10n ** 15n;

describe("registration", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let task: TaskOnChain;
  let open: TaskOnChain;
  let restore: () => Promise<void>;
  const call = (name: string, ...args: unknown[]): Promise<unknown> => task.verisum[name]!(...args);

  before(async () => {
    connection = await openChain();
    task = await deployTask(connection);
    open = await deployTask(connection, { openRegistration: true, bondWei: BOND, uniformWeights: true, maxWeight: 1 });
    restore = await snapshot(connection);
  });
  beforeEach(() => restore());
  after(() => connection.close());

  it("numbers the seats from 1 in the order of registration", async () => {
    for (const member of task.members) await call("registerMember", member.address);
    assert.equal(await view(task, "memberCount"), 4n);
    assert.equal(await view(task, "memberAt", 3), task.members[2]!.address);
    assert.equal(await view(task, "memberAt", 0), `0x${"00".repeat(20)}`);
    await reverts(call("registerMember", task.stranger.address), "VerisumCommitteeFull", 4);
  });

  it("lets only the operator fill seats and the allow-list", async () => {
    await reverts(
      as(task, task.stranger)["registerMember"]!(task.stranger.address),
      "VerisumNotOperator",
      task.stranger.address,
    );
    await reverts(
      as(task, task.stranger)["registerClient"]!(task.stranger.address, 1),
      "VerisumNotOperator",
      task.stranger.address,
    );
  });

  it("refuses zero addresses and accounts that are registered already", async () => {
    const zero = `0x${"00".repeat(20)}`;
    await reverts(call("registerMember", zero), "VerisumZeroAddress");
    await reverts(call("registerClient", zero, 1), "VerisumZeroAddress");
    await call("registerMember", task.members[0]!.address);
    await call("registerClient", task.clients[0]!.address, 1);
    await reverts(
      call("registerMember", task.members[0]!.address),
      "VerisumAlreadyRegistered",
      task.members[0]!.address,
    );
    await reverts(
      call("registerClient", task.clients[0]!.address, 2),
      "VerisumAlreadyRegistered",
      task.clients[0]!.address,
    );
  });

  it("runs in a contract that keeps nothing itself, and takes nobody's bond", async () => {
    const lists = (await connection.ethers.getContractAt(
      "Lists",
      (await view(open, "lists")) as string,
    )) as unknown as TaskOnChain["verisum"];
    await reverts(lists["join"]!({ value: BOND }), "VerisumNotDelegated");
    await reverts(lists["registerMember"]!(task.stranger.address), "VerisumNotDelegated");
    await reverts(lists["announce"]!("http://node.example"), "VerisumNotDelegated");
    await as(open, open.clients[0]!)["join"]!({ value: BOND });
    assert.equal(await connection.ethers.provider.getBalance(await lists.getAddress()), 0n);
    assert.equal(await connection.ethers.provider.getBalance(open.address), BOND);
  });

  it("fills seats before the first round only", async () => {
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    await reverts(call("registerMember", task.stranger.address), "VerisumWrongPhase", 1, 1);
  });

  it("keeps the sum of all weights within the slots' range", async () => {
    await reverts(call("registerClient", task.clients[0]!.address, 0), "VerisumWeightInvalid", 0, 511);
    await reverts(call("registerClient", task.clients[0]!.address, 512), "VerisumWeightInvalid", 512, 511);
    await call("registerClient", task.clients[0]!.address, 510);
    await reverts(call("registerClient", task.clients[1]!.address, 2), "VerisumWeightLimit", 512, 511);
    await call("registerClient", task.clients[1]!.address, 1);
    await as(task, task.clients[0]!)["removeClient"]!(task.clients[0]!.address);
    assert.equal(await view(task, "clientCount"), 1n);
    await call("registerClient", task.clients[2]!.address, 510);
  });

  it("admits at most 256 clients", async () => {
    for (let i = 1; i <= 256; i++) await call("registerClient", `0x${i.toString(16).padStart(40, "0")}`, 1);
    await reverts(call("registerClient", task.clients[0]!.address, 1), "VerisumCohortFull", 256);
  });

  it("forces weight 1 where weights are uniform", async () => {
    const uniform = await deployTask(connection, { uniformWeights: true, maxWeight: 1 });
    await reverts(uniform.verisum["registerClient"]!(task.clients[0]!.address, 2), "VerisumWeightInvalid", 2, 1);
    await uniform.verisum["registerClient"]!(task.clients[0]!.address, 1);
  });

  it("activates a client with the next round that opens", async () => {
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    await call("registerClient", task.clients[3]!.address, 1);
    const [, activeFromRound] = (await view(task, "clientOf", task.clients[3]!.address)) as [bigint, bigint];
    assert.equal(activeFromRound, 2n);
    assert.equal((await roundOf(task)).expected, 3n);
  });

  describe("with a bond", () => {
    it("keeps the two ways of registering apart", async () => {
      await reverts(open.verisum["registerClient"]!(task.clients[0]!.address, 1), "VerisumRegistrationMode", true);
      await reverts(as(task, task.clients[0]!)["join"]!({ value: 0 }), "VerisumRegistrationMode", false);
    });

    it("takes exactly the bond and pays it back after leaving", async () => {
      const client = as(open, open.clients[0]!);
      await reverts(client["join"]!({ value: BOND - 1n }), "VerisumWrongBond", BOND - 1n, BOND);
      await reverts(client["join"]!({ value: BOND + 1n }), "VerisumWrongBond", BOND + 1n, BOND);
      await client["join"]!({ value: BOND });
      assert.deepEqual(
        [...((await view(open, "clientOf", open.clients[0]!.address)) as unknown[])],
        [1n, 1n, 0n, 0n, BOND, 0n, 0n, false],
      );
      await reverts(client["join"]!({ value: BOND }), "VerisumAlreadyRegistered", open.clients[0]!.address);
      await reverts(client["withdrawBond"]!(), "VerisumNothingToWithdraw", open.clients[0]!.address);
      await client["removeClient"]!(open.clients[0]!.address);
      await reverts(client["join"]!({ value: BOND }), "VerisumBondPending", BOND);
      const before = await connection.ethers.provider.getBalance(open.address);
      await client["withdrawBond"]!();
      assert.equal(await connection.ethers.provider.getBalance(open.address), before - BOND);
      await reverts(client["withdrawBond"]!(), "VerisumNothingToWithdraw", open.clients[0]!.address);
      await client["join"]!({ value: BOND });
    });

    it("pays a re-entrant client once", async () => {
      await as(open, open.clients[0]!)["join"]!({ value: BOND });
      const factory = await connection.ethers.getContractFactory("ReentrantClient");
      const attacker = (await factory.deploy(open.address)) as unknown as TaskOnChain["verisum"];
      await attacker["join"]!({ value: BOND });
      await attacker["withdraw"]!();
      assert.equal(await (attacker["reentered"] as unknown as () => Promise<boolean>)(), false);
      assert.equal(await connection.ethers.provider.getBalance(await attacker.getAddress()), BOND);
      assert.equal(await connection.ethers.provider.getBalance(open.address), BOND);
    });

    it("reverts a payment that the client refuses, and nobody else's", async () => {
      const factory = await connection.ethers.getContractFactory("RefusingClient");
      const refusing = (await factory.deploy(open.address)) as unknown as TaskOnChain["verisum"];
      await refusing["join"]!({ value: BOND });
      await reverts(refusing["withdraw"]!(), "VerisumTransferFailed", await refusing.getAddress());
      const client = as(open, open.clients[0]!);
      await client["join"]!({ value: BOND });
      await client["removeClient"]!(open.clients[0]!.address);
      await client["withdrawBond"]!();
    });
  });

  describe("of round keys", () => {
    const key = (label: string): string => word(label);
    beforeEach(() => registerAll(task, [1, 1, 1]));

    it("stores consecutive rounds' keys of the calling seat", async () => {
      const seat2 = as(task, task.members[1]!);
      await seat2["registerRoundKeys"]!(7, [key("a"), key("b"), key("c")]);
      assert.equal(await view(task, "roundKey", 8, 2), key("b"));
      assert.equal(await view(task, "roundKey", 8, 1), `0x${"00".repeat(32)}`);
      await reverts(seat2["registerRoundKeys"]!(9, [key("d")]), "VerisumKeyExists", 9, 2);
    });

    it("refuses keys of strangers, none, zero ones and those of opened rounds", async () => {
      await reverts(
        as(task, task.stranger)["registerRoundKeys"]!(1, [key("a")]),
        "VerisumNotMember",
        task.stranger.address,
      );
      const seat1 = as(task, task.members[0]!);
      await reverts(seat1["registerRoundKeys"]!(1, []), "VerisumNoKeys");
      await reverts(seat1["registerRoundKeys"]!(1, [key("a"), `0x${"00".repeat(32)}`]), "VerisumZeroKey", 1);
      await reverts(seat1["registerRoundKeys"]!(0, [key("a")]), "VerisumRoundAlreadyOpened", 0, 0);
      await openRound(task);
      await reverts(seat1["registerRoundKeys"]!(1, [key("a")]), "VerisumRoundAlreadyOpened", 1, 1);
    });

    it("counts the right seats for rounds that share a word", async () => {
      for (const [i, member] of task.members.entries())
        await as(task, member)["registerRoundKeys"]!(
          1,
          Array.from({ length: 9 - i }, (_, r) => key(`${i} ${r}`)),
        );
      await task.verisum["openRound"]!();
      assert.equal((await roundOf(task)).keyMask, 0b1111n);
    });
  });

  it("announces endpoints of at most 256 bytes", async () => {
    const receipt = await (await as(task, task.stranger)["announce"]!("http://node.example:8080")).wait();
    assert.deepEqual(
      [...VERISUM_INTERFACE.parseLog(receipt!.logs[0]!)!.args],
      [task.stranger.address, "http://node.example:8080"],
    );
    await as(task, task.stranger)["announce"]!("é".repeat(128));
    await reverts(as(task, task.stranger)["announce"]!(`${"é".repeat(128)}x`), "VerisumEndpointTooLong", 257, 256);
  });
});
