import fastify from "fastify";
import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { addProposalRoutes } from "../../aggregator/proposal.ts";
import type { Hex } from "../../protocol/transcript.ts";

const word = (byte: string): Hex => `0x${byte.repeat(32)}`;
const RESULT = {
  aggregateCid: word("01"),
  aggregateDigest: word("02"),
  modelCid: word("03"),
  modelDigest: word("04"),
};

describe("a proposal board", () => {
  it("tells its loop of each signature that is new and good, and of no other", async () => {
    const app = fastify();
    let told = 0;
    const board = addProposalRoutes(
      app,
      async (_proposal, { seat }) => seat !== 3,
      () => void told++,
    );
    board.offer({ round: 1n, result: RESULT, metrics: null });
    const post = async (seat: number, r = word("aa")): Promise<number> =>
      (
        await app.inject({
          method: "POST",
          url: "/v1/proposals/1/signatures",
          payload: { seat, r, vs: word("bb") },
        })
      ).statusCode;
    assert.deepEqual([await post(1), told], [201, 1]);
    assert.deepEqual([await post(1, word("cc")), told], [201, 1], "the seat signed again");
    assert.deepEqual([await post(1), told], [201, 1]);
    assert.deepEqual([await post(1), told], [200, 1]);
    assert.deepEqual([await post(2), told], [201, 2]);
    assert.notEqual(await post(3), 201);
    assert.equal(told, 2);
    assert.equal(board.signatures().length, 2);
  });

  it("puts no signature that it was still checking on what is offered since", async () => {
    const app = fastify();
    let [told, checked] = [0, (): void => undefined];
    const check = new Promise<void>((resolve) => (checked = resolve));
    const board = addProposalRoutes(
      app,
      async () => (await check, true),
      () => void told++,
    );
    board.offer({ round: 1n, result: RESULT, metrics: null });
    const payload = { seat: 1, r: word("aa"), vs: word("bb") };
    const answer = app.inject({ method: "POST", url: "/v1/proposals/1/signatures", payload }).then((sent) => sent);
    await new Promise((resolve) => setTimeout(resolve, 20));
    board.offer({ round: 2n, result: { ...RESULT, modelCid: word("05") }, metrics: null });
    checked();
    assert.equal((await answer).statusCode, 404);
    assert.deepEqual([board.signatures(), told], [[], 0]);
  });
});
