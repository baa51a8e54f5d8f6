import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { contractFound, endpointsFound, finalityFound } from "../../../auditor/doctor/chain.ts";
import type { ContractReading, EndpointReading, FinalityReading } from "../../../auditor/doctor/chain.ts";
import { fundsFound, ROUND_GAS, roundGas } from "../../../auditor/doctor/funds.ts";
import type { FundsReading } from "../../../auditor/doctor/funds.ts";
import { KEYS_AHEAD } from "../../../member/round-keys.ts";
import { word } from "../../support/random.ts";
import { TINY_TASK } from "../../support/tiny-task.ts";

const endpoint = (name: string, facts: Partial<Extract<EndpointReading, { head: number }>> = {}): EndpointReading => ({
  ...{ url: `http://${name}`, chainId: 1n, head: 100, latencyMs: 5 },
  ...facts,
});
const dead: EndpointReading = { url: "http://dead", failure: "fetch failed (ECONNREFUSED)" };
const states = (readings: readonly EndpointReading[], expected?: bigint): readonly string[] =>
  endpointsFound(readings, expected).map(({ state }) => state);

describe("the doctor, about the chain,", () => {
  it("asks each endpoint alone: a dead one is fatal only if no other answers", () => {
    assert.deepEqual(states([endpoint("a")]), ["ok"]);
    assert.deepEqual(states([dead]), ["failed"]);
    assert.deepEqual(states([dead, endpoint("a")]), ["warning", "ok"]);
  });

  it("names endpoints of another chain, behind the others, or slow", () => {
    assert.deepEqual(states([endpoint("a"), endpoint("b", { chainId: 5n })]), ["ok", "failed"]);
    assert.deepEqual(states([endpoint("a"), endpoint("b", { chainId: 5n })], 5n), ["failed", "ok"]);
    assert.deepEqual(states([endpoint("a"), endpoint("b", { head: 95 })]), ["ok", "ok"]);
    assert.deepEqual(states([endpoint("a"), endpoint("b", { head: 94 })]), ["ok", "warning"]);
    assert.deepEqual(states([endpoint("a", { latencyMs: 2_001 })]), ["warning"]);
  });

  const PARAMETERS = { committeeSize: 4, minClients: 3, bufferGoal: 0, minSeparation: 1, maxRounds: 5 };
  const contract = (facts: Partial<ContractReading> = {}): string =>
    contractFound({
      round: { number: 3n, phase: "Collecting" },
      finalisedRounds: 2,
      members: 4,
      clients: 3,
      deployedIn: 7,
      parameters: PARAMETERS,
      ...facts,
    }).state;
  it("names what keeps rounds from opening", () => {
    assert.equal(contract(), "ok");
    assert.equal(contract({ members: 3 }), "warning");
    assert.equal(contract({ clients: 2 }), "warning");
    assert.equal(contract({ finalisedRounds: 5 }), "warning");
    assert.equal(contract({ finalisedRounds: 5, parameters: { ...PARAMETERS, maxRounds: 0 } }), "ok");
    assert.equal(contract({ parameters: { ...PARAMETERS, bufferGoal: 2, minSeparation: 2 } }), "warning");
  });

  const parameters = {
    ...TINY_TASK,
    keysHash: word("keys"),
    collectSeconds: 60,
    attestSeconds: 60,
    aggregateSeconds: 600,
  };
  const finality = (facts: Partial<FinalityReading>): string =>
    finalityFound({
      timing: { secondsPerBlock: 12, finalitySeconds: 36 },
      isDevelopment: false,
      confirmations: 3,
      parameters,
      ...facts,
    }).state;
  it("holds the task's windows to the chain's finality", () => {
    assert.equal(finality({}), "ok");
    assert.equal(finality({ parameters: undefined }), "ok");
    const slow = { secondsPerBlock: 12, finalitySeconds: 900 };
    assert.equal(finality({ timing: slow }), "failed");
    assert.equal(finality({ timing: slow, parameters: undefined }), "ok");
    assert.equal(finality({ timing: { ...slow, finalitySeconds: Infinity }, parameters: undefined }), "failed");
  });

  it("warns of no confirmations at all, but on a development chain", () => {
    assert.equal(finality({ confirmations: 0 }), "warning");
    assert.equal(finality({ confirmations: 0, isDevelopment: true }), "ok");
  });
});

describe("the doctor, about funds,", () => {
  const GWEI = 10n ** 9n;
  const funds = (facts: Partial<FundsReading>): string =>
    fundsFound({
      account: "0x1",
      balanceWei: 10n ** 18n,
      gasPriceWei: GWEI,
      roles: ["member"],
      changes: [],
      openRegistration: false,
      size: { chunks: 1, kinds: 1, quorum: 3 },
      roundsLeft: 10,
      ...facts,
    }).state;
  const cost = BigInt(ROUND_GAS.member * 1.5) * GWEI;

  it("compares the balance with the rounds that are to come", () => {
    assert.equal(funds({ balanceWei: 10n * cost }), "ok");
    assert.equal(funds({ balanceWei: 10n * cost - 1n }), "warning");
    assert.equal(funds({ balanceWei: cost }), "warning");
    assert.equal(funds({ balanceWei: cost - 1n }), "failed");
    assert.equal(funds({ balanceWei: 0n, roundsLeft: 0 }), "ok");
    assert.equal(funds({ balanceWei: 100n * cost, roundsLeft: undefined }), "ok");
    assert.equal(funds({ balanceWei: 100n * cost - 1n, roundsLeft: undefined }), "warning");
  });

  it("names an account that has no part in the task", () => {
    assert.equal(funds({ roles: [] }), "failed");
    assert.equal(funds({ roles: [], openRegistration: true }), "ok");
    assert.equal(funds({ roles: undefined }), "ok");
    assert.equal(funds({ roles: undefined, balanceWei: 0n }), "warning");
  });

  it("counts at least the gas that the contracts' tests measure, and no more than a fifth above", () => {
    const vector = (name: string): Readonly<Record<string, number>> =>
      JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), "utf8")) as Record<string, number>;
    const gas = { ...vector("gas-limits.json"), ...vector("gas.json") };
    const of = (name: string): number => gas[name]!;
    const measured: readonly (readonly [number, number])[] = [
      [roundGas("client", { chunks: 1, kinds: 1, quorum: 2 }), of("submit, 1 chunk, client 2, first round")],
      [roundGas("client", { chunks: 2, kinds: 1, quorum: 2 }), of("submit, 2 chunks")],
      [roundGas("client", { chunks: 5, kinds: 1, quorum: 2 }), of("submit, 5 chunks")],
      [roundGas("client", { chunks: 2, kinds: 2, quorum: 2 }), of("submit, 2 chunks of 2 kinds")],
      [
        roundGas("aggregator", { chunks: 1, kinds: 1, quorum: 2 }),
        of("openRound, first round") +
          of("settle, proposing, 4 statements, first round") +
          of("settle, 1 excluded, first round") +
          of("finalize, 2 signatures, first round"),
      ],
      [
        roundGas("member", { chunks: 1, kinds: 1, quorum: 2 }),
        of(`registerRoundKeys, ${KEYS_AHEAD} keys`) / KEYS_AHEAD,
      ],
    ];
    for (const [counted, spent] of measured)
      assert.ok(counted >= spent && counted <= spent * 1.2, `${counted} for ${spent}`);
  });
});
