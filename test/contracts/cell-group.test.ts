import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import type { BaseContract, ErrorFragment } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { CELL_GROUP_INTERFACE } from "../../chain/rpc.ts";
import {
  deployTask,
  makeFinalisation,
  openChain,
  openRound,
  registerAll,
  sendFinalisation,
  settleOn,
  submitAll,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain, VerisumInstance } from "../support/task-on-chain.ts";

type Group = BaseContract & VerisumInstance;
const ZERO = `0x${"00".repeat(20)}`;

describe("a group of cells", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let tasks: readonly TaskOnChain[];

  before(async () => {
    connection = await openChain();
    const deployed: TaskOnChain[] = [];
    for (const overrides of [{}, {}, {}, { maxRounds: 9 }]) deployed.push(await deployTask(connection, overrides));
    tasks = deployed;
  });
  after(() => connection.close());

  const deployGroup = async (cellCount: number, operator?: string): Promise<Group> => {
    const factory = await connection.ethers.getContractFactory("CellGroup");
    return await factory.deploy(cellCount, operator ?? tasks[0]!.operator.address);
  };
  const register = async (group: Group, cell: string): Promise<unknown> => (await group["register"]!(cell)).wait();
  const groupOf = async (cellCount: number, ...cells: readonly TaskOnChain[]): Promise<Group> => {
    const group = await deployGroup(cellCount);
    for (const { address } of cells) await register(group, address);
    return group;
  };

  it("lists its cells in the order of their registration and says when it is complete", async () => {
    const group = await groupOf(2, tasks[1]!);
    assert.deepEqual([...((await group["cells"]!.staticCall()) as readonly string[])], [tasks[1]!.address]);
    const receipt = (await register(group, tasks[0]!.address)) as { logs: { topics: string[]; data: string }[] };
    assert.deepEqual(
      receipt.logs.map((log) => CELL_GROUP_INTERFACE.parseLog(log)!.name),
      ["CellRegistered", "GroupCompleted"],
    );
    assert.deepEqual(
      [...((await group["cells"]!.staticCall()) as readonly string[])],
      [tasks[1]!.address, tasks[0]!.address],
    );
    assert.equal(await group["parametersHash"]!.staticCall(), await tasks[0]!.verisum["parametersHash"]!.staticCall());
    assert.equal(await group["cellCount"]!.staticCall(), 2n);
    assert.equal(await group["operator"]!.staticCall(), tasks[0]!.operator.address);
  });

  it("refuses to be of one cell", async () => {
    await refuses(deployGroup(1), "CellGroupTooFewCells", 1);
  });

  it("refuses an operator without an address", async () => {
    await refuses(deployGroup(2, ZERO), "CellGroupZeroAddress");
  });

  it("refuses a cell from anybody but its operator", async () => {
    const group = await deployGroup(2);
    const { stranger } = tasks[0]!;
    await refuses(
      (group.connect(stranger) as Group)["register"]!(tasks[0]!.address),
      "CellGroupNotOperator",
      stranger.address,
    );
  });

  it("refuses another cell once it is complete", async () => {
    await refuses(register(await groupOf(2, tasks[0]!, tasks[1]!), tasks[2]!.address), "CellGroupFull", 2);
  });

  it("refuses a cell twice", async () => {
    await refuses(
      register(await groupOf(3, tasks[0]!, tasks[1]!), tasks[0]!.address),
      "CellGroupAlreadyRegistered",
      tasks[0]!.address,
    );
  });

  it("refuses an address without code", async () => {
    const { address } = tasks[0]!.stranger;
    await refuses(register(await deployGroup(2), address), "CellGroupNotContract", address);
  });

  it("refuses a contract that is no cell", async () => {
    const group = await deployGroup(2);
    await assert.rejects(register(group, await group.getAddress()));
  });

  it("refuses a cell of other parameters", async () => {
    const [expected, actual] = await Promise.all(
      [tasks[0]!, tasks[3]!].map(({ verisum }) => verisum["parametersHash"]!.staticCall()),
    );
    await refuses(
      register(await groupOf(2, tasks[0]!), tasks[3]!.address),
      "CellGroupOtherParameters",
      expected,
      actual,
    );
  });

  it("refuses a cell that has left the genesis", async () => {
    const task = await deployTask(connection);
    const weights = [1, 1, 1];
    await registerAll(task, weights);
    await openRound(task);
    const sum = weightedScalar(await submitAll(task, 3), weights);
    await settleOn(task, 0b111n);
    await sendFinalisation(task, await makeFinalisation(task, sum, [1, 2]));
    await refuses(register(await groupOf(2, tasks[0]!), task.address), "CellGroupAlreadyStarted", task.address);
  });

  it("has each of its errors asserted here", () => {
    const source = readFileSync(import.meta.filename, "utf8");
    const declared = CELL_GROUP_INTERFACE.fragments
      .filter((fragment): fragment is ErrorFragment => fragment.type === "error")
      .map(({ name }) => name);
    assert.deepEqual(
      declared.filter((name) => !source.includes(`"${name}"`)),
      [],
    );
    assert.ok(declared.length > 6);
  });
});

/** Asserts that a call reverts with this error of the group and these arguments. */
async function refuses(call: Promise<unknown>, name: string, ...args: readonly unknown[]): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  let data: string | undefined;
  for (
    let at = error as { data?: unknown; cause?: unknown } | undefined;
    at !== undefined && data === undefined;
    at = at.cause as typeof at
  ) {
    if (typeof at.data === "string") data = at.data;
  }
  assert.ok(data !== undefined, `expected ${name}, got ${String(error)}`);
  const parsed = CELL_GROUP_INTERFACE.parseError(data);
  assert.deepEqual([parsed?.name, ...(parsed?.args ?? [])].map(String), [name, ...args].map(String));
}
