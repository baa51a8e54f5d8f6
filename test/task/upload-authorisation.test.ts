import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { authoriseTaskUploads, uploadAuthorization } from "../../task/upload-authorisation.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";

const NOW = 1_000_000;

describe("the right to upload", () => {
  it("is for the root that was signed, by an account of the task, until it expires", async () => {
    const { operator, members, clients, stranger } = await openMemoryTask();
    const authorise = authoriseTaskUploads(stranger, () => NOW);
    for (const account of [operator, members[1]!, clients[2]!]) {
      const authorization = await uploadAuthorization(account, "root", NOW);
      assert.equal(await authorise({ root: "root", authorization }), true);
      assert.notEqual(await authorise({ root: "other", authorization }), true);
      assert.notEqual(await authoriseTaskUploads(stranger, () => NOW + 601)({ root: "root", authorization }), true);
    }
    const authorization = await uploadAuthorization(stranger, "root", NOW);
    assert.notEqual(await authorise({ root: "root", authorization }), true);
  });

  it("is for a few directories in a round", async () => {
    const task = await openMemoryTask();
    const client = task.clients[0]!;
    const authorise = authoriseTaskUploads(task.operator, () => NOW);
    const upload = async (root: string): Promise<true | string> =>
      authorise({ root, authorization: await uploadAuthorization(client, root, NOW) });
    await openMemoryRound(task);
    const answers: (true | string)[] = [];
    for (let i = 0; i < 20; i++) answers.push(await upload(`root ${i}`));
    const accepted = answers.filter((answer) => answer === true).length;
    assert.ok(accepted > 2 && accepted < 20, `${accepted} of 20`);
    assert.equal(await upload("root 0"), true);
    task.chain.setTime((await client.round()).deadline);
    await client.abort(1n);
    await openMemoryRound(task);
    assert.equal(await upload("root 19"), true);
  });

  it("is for as few where an endpoint that lags tells the round before now and then", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    const { operator } = task;
    let asked = 0;
    const lagging = { ...operator, round: async () => ({ ...(await operator.round()), number: BigInt(asked++ % 2) }) };
    const authorise = authoriseTaskUploads(lagging, () => NOW);
    let accepted = 0;
    for (let i = 0; i < 40; i++) {
      const authorization = await uploadAuthorization(task.clients[0]!, `root ${i}`, NOW);
      if ((await authorise({ root: `root ${i}`, authorization })) === true) accepted++;
    }
    assert.equal(accepted, 2 * 8);
  });

  it("costs the chain nothing for each of many strangers", async () => {
    const { clients, stranger } = await openMemoryTask();
    let calls = 0;
    const counting = new Proxy(stranger, {
      get: (target, name: keyof typeof stranger) => {
        const value = target[name];
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          calls++;
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const authorise = authoriseTaskUploads(counting, () => NOW);
    const [authorization] = [await uploadAuthorization(stranger, "root", NOW)];
    const [, , ...rest] = authorization.split(" ");
    for (let i = 0; i < 400; i++) {
      const account = `0x${String(i).padStart(40, "0")}`;
      assert.equal(
        await authorise({ root: "root", authorization: ["Verisum", account, ...rest].join(" ") }),
        "the account has no part in the task",
      );
    }
    assert.ok(calls <= 3, `${calls} calls`);
    assert.equal(await authorise({ root: "r", authorization: await uploadAuthorization(clients[0]!, "r", NOW) }), true);
  });

  it("comes to a client that registers later", async () => {
    const task = await openMemoryTask({ parameters: { openRegistration: true } });
    let now = NOW;
    const authorise = authoriseTaskUploads(task.operator, () => now);
    const authorization = await uploadAuthorization(task.stranger, "root", NOW);
    assert.notEqual(await authorise({ root: "root", authorization }), true);
    await task.stranger.join();
    now += 3;
    assert.equal(await authorise({ root: "root", authorization }), true);
  });
});
