/** Gas of every call of a round, against a committed snapshot. `UPDATE_GAS=1` rewrites the snapshot. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { ContractTransactionResponse } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { assertGasSnapshot } from "../support/gas-snapshot.ts";
import { word } from "../support/random.ts";
import {
  as,
  deployTask,
  excludedOf,
  makeFinalisation,
  openChain,
  openRound,
  registerAll,
  roundOf,
  sendFinalisation,
  setNextTime,
  settleStanding,
  statementsOf,
  submitAll,
  submitAs,
  weightedScalar,
} from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

/** Five members, threshold 2; the other costs hold at every model size, as only `submit` depends on the chunks. */
const COMMITTEE = { committeeSize: 5, threshold: 2, quorum: 4 } as const;
/** Two hundredths above a submission in rounds of seven transactions, 426,458; a limit is compared besides. */
const SUBMIT_LIMIT = 434_987;
const LIMIT_COMPARED = 100;
const FURTHER_CHUNK_LIMIT = 70_000;
const FINALIZE_LIMIT = 260_000;
/** Of a round outside the submissions, with five clients and four members (docs/specs.md). */
const ROUND_LIMIT = 380_000;

describe("gas", function () {
  this.timeout(120_000);
  let connection: NetworkConnection;
  const measured: Record<string, number> = {};
  const record = async (name: string, call: Promise<ContractTransactionResponse>): Promise<void> => {
    measured[name] = Number((await (await call).wait())!.gasUsed);
  };

  before(async () => {
    connection = await openChain();
    await measureRounds(await deployTask(connection, { ...COMMITTEE }));
    await measureWholeRound();
    for (const chunks of [2, 5])
      measured[`submit, ${chunks} chunks`] = await measureSubmit(Array<number>(chunks).fill(0));
    measured["submit, 2 chunks of 2 kinds"] = await measureSubmit([1, 0]);
    measured["submit, 1 chunk, maxRoundsPerClient"] = await measureSubmit([0], {
      maxRoundsPerClient: 5,
      maxRounds: 20,
    });
  });
  after(() => connection.close());

  async function measureSubmit(
    chunkKinds: readonly number[],
    parameters: Parameters<typeof deployTask>[1] = {},
  ): Promise<number> {
    const dimension = chunkKinds.reduce((sum, kind) => sum + (kind === 0 ? 588 : 2472), 0);
    const task = await deployTask(connection, { ...COMMITTEE, chunkKinds, dimension, ...parameters });
    await registerAll(task, [1, 1, 1]);
    await openRound(task);
    return Number((await submitAs(task, 0)).receipt.gasUsed);
  }

  /** A round of five clients and four members outside the submissions: everybody is in, and the next round opens. */
  async function measureWholeRound(): Promise<void> {
    const task = await deployTask(connection);
    await registerAll(task, [1, 1, 1, 1, 1]);
    for (const member of task.members)
      await as(task, member)["registerRoundKeys"]!(
        1,
        [1, 2, 3].map((round) => word(`${member.address} ${round}`)),
      );
    await task.verisum["openRound"]!();
    for (const round of [1n, 2n]) {
      const scalars = await submitAll(task, 5);
      const statements = await statementsOf(task, 0b11111n, [1, 2, 3]);
      const settled = await (await task.verisum["settle"]!(round, statements, 0b0111n, [])).wait();
      const finalisation = await makeFinalisation(task, weightedScalar(scalars, [1, 1, 1, 1, 1]), [1, 2]);
      const finalised = await (await sendFinalisation(task, finalisation)).wait();
      measured["settle, at once, 3 statements"] = Number(settled!.gasUsed);
      measured["finalize and open, 2 releases, 2 signatures"] = Number(finalised!.gasUsed);
    }
    assert.equal((await roundOf(task)).number, 3n);
  }

  /** Two rounds: the first pays for fresh storage, the second is what a running task costs. */
  async function measureRounds(task: TaskOnChain): Promise<void> {
    measured["deploy"] = Number((await task.verisum.deploymentTransaction()!.wait())!.gasUsed);
    await registerAll(task, [1, 1, 1, 1]);
    for (const round of [1n, 2n]) {
      const suffix = round === 1n ? ", first round" : "";
      for (const [i, member] of task.members.entries())
        await as(task, member)["registerRoundKeys"]!(round, [word(`key ${round} ${i}`)]);
      await record(`openRound${suffix}`, task.verisum["openRound"]!());
      const scalars: bigint[] = [];
      for (const index of [0, 1, 2, 3]) {
        const { commitmentScalar, receipt } = await submitAs(task, index);
        scalars.push(commitmentScalar);
        if (index < 2) measured[`submit, 1 chunk, client ${index + 1}${suffix}`] = Number(receipt.gasUsed);
      }
      const statements = await statementsOf(task, 0b0111n, [1, 2, 3, 4]);
      await record(`settle, proposing, 4 statements${suffix}`, task.verisum["settle"]!(round, statements, 0b1111n, []));
      await setNextTime(connection, (await roundOf(task)).deadline);
      await record(`settle, 1 excluded${suffix}`, settleStanding(task, await excludedOf(task, [3])));
      const finalisation = await makeFinalisation(task, weightedScalar(scalars, [1, 1, 1, 0]), [1, 2]);
      await record(`finalize, 2 signatures${suffix}`, sendFinalisation(task, finalisation));
    }
  }

  it("stays near the snapshot", () => assertGasSnapshot("gas.json", measured));

  it("stays within the protocol's limits", () => {
    const one = measured["submit, 1 chunk, client 1, first round"]!;
    assert.ok(one <= SUBMIT_LIMIT, `${one}`);
    const limited = measured["submit, 1 chunk, maxRoundsPerClient"]!;
    assert.ok(limited <= SUBMIT_LIMIT + LIMIT_COMPARED, `${limited}`);
    const further = (measured["submit, 5 chunks"]! - measured["submit, 2 chunks"]!) / 3;
    assert.ok(further <= FURTHER_CHUNK_LIMIT, `${further}`);
    for (const [name, gas] of Object.entries(measured))
      if (name.startsWith("finalize")) assert.ok(gas <= FINALIZE_LIMIT, `${name}: ${gas}`);
    const round = measured["settle, at once, 3 statements"]! + measured["finalize and open, 2 releases, 2 signatures"]!;
    assert.ok(round <= ROUND_LIMIT, `${round}`);
  });
});
