import assert from "node:assert/strict";
import { Wallet } from "ethers";
import { describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { authoriseTaskUploads, uploadAuthorization } from "../../task/upload-authorisation.ts";

const NOW = 1_000_000;

function taskChain(state: { round: bigint }): TaskWriter {
  const wallet = new Wallet(`0x${"11".repeat(32)}`);
  return {
    context: { chainId: 1n, contract: `0x${"22".repeat(20)}` },
    account: wallet.address.toLowerCase(),
    signText: (text: string) => wallet.signMessage(text),
    client: () => Promise.resolve({ weight: 1 }),
    members: () => Promise.resolve([]),
    operator: () => Promise.resolve("0x"),
    round: () => Promise.resolve({ number: state.round }),
  } as unknown as TaskWriter;
}

describe("the right to upload", () => {
  it("is for the root that was signed, by an account of the task, until it expires", async () => {
    const chain = taskChain({ round: 1n });
    const authorise = authoriseTaskUploads(chain, () => NOW);
    const authorization = await uploadAuthorization(chain, "root", NOW);
    assert.equal(await authorise({ root: "root", authorization }), true);
    assert.notEqual(await authorise({ root: "other", authorization }), true);
    assert.notEqual(await authoriseTaskUploads(chain, () => NOW + 601)({ root: "root", authorization }), true);
    const stranger = {
      ...chain,
      client: () => Promise.resolve({ weight: 0, activeFromRound: 0n, lastSubmittedRound: 0n, bondWei: 0n }),
    };
    assert.notEqual(await authoriseTaskUploads(stranger, () => NOW)({ root: "root", authorization }), true);
  });

  it("is for a few directories in a round", async () => {
    const state = { round: 1n };
    const chain = taskChain(state);
    const authorise = authoriseTaskUploads(chain, () => NOW);
    const upload = async (root: string): Promise<true | string> =>
      authorise({ root, authorization: await uploadAuthorization(chain, root, NOW) });
    const answers: (true | string)[] = [];
    for (let i = 0; i < 20; i++) answers.push(await upload(`root ${i}`));
    const accepted = answers.filter((answer) => answer === true).length;
    assert.ok(accepted > 2 && accepted < 20, `${accepted} of 20`);
    assert.equal(await upload("root 0"), true);
    state.round = 2n;
    assert.equal(await upload("root 19"), true);
  });
});
