import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Wallet } from "ethers";
import { signStatement } from "../../chain/statement-signatures.ts";
import type { RoundRecords, SignedResult } from "../../chain/task-chain.ts";
import { signatureCheck } from "../../aggregator/signature-check.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { Proposal } from "../../task/proposal-exchange.ts";
import { word } from "../support/random.ts";

const CONTRACT: Hex = `0x${"5a".repeat(20)}`;
const CONTEXT = { chainId: 31337n, contract: CONTRACT, deployment: word("deployment") };
const seats = [1, 2].map((seat) => new Wallet(word(`seat ${seat}`)));

describe("the check of a proposal's signatures", () => {
  it("asks the chain a handful of questions about hundreds of forged ones, and still knows the seats", async () => {
    const settled = { round: 1n, settlement: word("settlement") };
    const result = { aggregateDigest: word("a"), aggregateCid: word("b"), modelDigest: word("c"), modelCid: word("d") };
    const proposal = { round: 1n, result } as unknown as Proposal;
    let [calls, now] = [0, 0];
    const check = signatureCheck(
      {
        context: CONTEXT,
        records: async () => (calls++, { settled } as unknown as RoundRecords),
        members: async () => (calls++, seats.map(({ address }) => address as Hex)),
      },
      () => now,
    );
    const signed: SignedResult = { ...settled, ...result };
    const good = await signStatement(seats[0]!, CONTEXT, "Result", signed);
    const forged = await signStatement(new Wallet(word("stranger")), CONTEXT, "Result", signed);
    for (let i = 0; i < 400; i++) assert.equal(await check(proposal, { seat: 1 + (i % 4), signature: forged }), false);
    assert.equal(calls, 2);
    assert.equal(await check(proposal, { seat: 1, signature: good }), true);
    assert.equal(await check(proposal, { seat: 2, signature: good }), false);
    now = 2_000;
    assert.equal(await check(proposal, { seat: 1, signature: good }), true);
    assert.equal(calls, 4, "a seat may have changed hands");
  });

  it("is asked again at once after a failure of the endpoint", async () => {
    let fails = true;
    const check = signatureCheck(
      {
        context: CONTEXT,
        records: async () => {
          if (fails) throw new Error("away");
          return {} as RoundRecords;
        },
        members: async () => [],
      },
      () => 0,
    );
    const proposal = { round: 1n } as Proposal;
    const signature = { seat: 1, signature: { r: word("r"), vs: word("vs") } };
    await assert.rejects(check(proposal, signature), /away/);
    fails = false;
    assert.equal(await check(proposal, signature), false, "nothing is settled");
  });
});
