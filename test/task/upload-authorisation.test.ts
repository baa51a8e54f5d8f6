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
    await client.advance(1n);
    await openMemoryRound(task);
    assert.equal(await upload("root 19"), true);
  });
});
