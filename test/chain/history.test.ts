/** What is asked of the chain again before somebody is blamed, and what an endpoint that lied before gains by that. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { TaskHistory } from "../../chain/history.ts";
import type { KeptEvents } from "../../chain/history.ts";
import type { RawLog } from "../../chain/logs.ts";
import { recordsOf } from "../../chain/round-records.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { Endpoint } from "../../chain/rpc.ts";
import type { Counters } from "../../chain/task-chain.ts";
import { membersIn, seatTerms } from "../../chain/lists.ts";
import { ZERO_WORD } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";

const [ORIGIN, LATEST, DEPTH] = [5, 1000, 10];
const ROUNDS = 8;
const account = (index: number): Hex => `0x${index.toString(16).padStart(40, "0")}`;
const OPENED_AT = (round: number): number => 100 * round;

type EventName = "MemberRegistered" | "RoundOpened" | "Aborted";

function logOf(name: EventName, args: readonly unknown[], blockNumber: number): RawLog {
  const { data, topics } = VERISUM_INTERFACE.encodeEventLog(name, args);
  return { data, topics, blockNumber, index: 0, transactionHash: word(`${name} ${blockNumber}`) };
}
const seated = (seat: number, member = account(seat)): RawLog =>
  logOf("MemberRegistered", [seat, member, 0], ORIGIN + seat);
/** On a model of its own, as if the round before had made it. */
const opened = (round: number, digest = word(`model ${round}`), baseModel = round): RawLog =>
  logOf("RoundOpened", [round, baseModel, word("cid"), digest, 0, 0], OPENED_AT(round));
const aborted = (round: number): RawLog => logOf("Aborted", [round, 0], OPENED_AT(round) + 50);

const SEATS = [1, 2, 3];
/** All rounds but the last one are over. */
const truth: readonly RawLog[] = [
  ...SEATS.map((seat) => seated(seat)),
  ...Array.from({ length: ROUNDS }, (_, i) => [opened(i + 1), ...(i + 1 < ROUNDS ? [aborted(i + 1)] : [])]).flat(),
];
const instead = (log: RawLog): readonly RawLog[] =>
  truth.map((known) => (known.blockNumber === log.blockNumber ? log : known));

/** What one endpoint says. */
interface Told {
  readonly logs: readonly RawLog[];
  readonly listChanges: number;
  readonly branch: string;
}
const HONEST: Told = { logs: truth, listChanges: SEATS.length, branch: "" };

describe("a round that is read again", () => {
  let endpoints: Told[];
  let asked: number[];
  let distrusted: number;
  let failing: boolean;
  let saved: KeptEvents | undefined;
  let history: TaskHistory;
  beforeEach(() => {
    [endpoints, asked, distrusted, failing] = [[HONEST, HONEST], [], 0, false];
    const now = (): Told => endpoints[Math.min(distrusted, endpoints.length - 1)]!;
    const provider = {
      getLogs: async ({ fromBlock, toBlock }: { fromBlock: number; toBlock: number }) => {
        asked.push(fromBlock);
        return now().logs.filter(({ blockNumber }) => blockNumber >= fromBlock && blockNumber <= toBlock);
      },
      getBlock: async (tag: number | string) => {
        const number = typeof tag === "number" ? tag : LATEST;
        return { number, hash: word(`block ${number}${now().branch}`), timestamp: number };
      },
    };
    const transport = { size: 2, distrust: () => void distrusted++ };
    const endpoint = { provider, transport, request: (work: () => Promise<unknown>) => work() } as unknown as Endpoint;
    history = new TaskHistory(endpoint, account(0xc0), {
      ...{ depth: DEPTH, fromBlock: ORIGIN },
      store: { load: async () => undefined, save: async (_, kept) => void (saved = kept) },
      counters: async () => {
        if (failing) throw new Error("away");
        const round = { number: BigInt(ROUNDS), phase: "Collecting", submitted: 0 };
        return {
          round: { ...round, intake: ZERO_WORD, settlement: ZERO_WORD },
          ...{ latestModel: { round: 0n }, finalisedRounds: 0, privacySpent: 0n, clientCount: 0 },
          ...{ listChanges: now().listChanges, memberCount: SEATS.length },
        } as unknown as Counters;
      },
      members: async () => SEATS.map(account),
      costPerRound: async () => 0n,
      operator: async () => account(0xff),
    });
  });
  /** Reads by the first endpoint, then the round again by the second. Returns where events were asked for. */
  const again = async (modelsBefore = 0): Promise<readonly number[]> => {
    await history.read();
    asked = [];
    await history.rereadRound("somebody would be blamed", modelsBefore);
    await history.read();
    return asked;
  };
  const isTrue = async (): Promise<void> => {
    const { logs } = await history.last();
    assert.deepEqual(
      logs.map(({ transactionHash, blockNumber }) => [transactionHash, blockNumber]),
      truth.map(({ transactionHash, blockNumber }) => [transactionHash, blockNumber]),
    );
    assert.deepEqual(membersIn(seatTerms(logs), BigInt(ROUNDS)), SEATS.map(account));
    for (let round = 1; round <= ROUNDS; round++)
      assert.equal(recordsOf(logs, BigInt(round)).opened!.baseModelDigest, word(`model ${round}`));
    await history.save();
    assert.deepEqual([saved!.upTo.number, saved!.logs], [LATEST - DEPTH, truth]);
    assert.equal(distrusted, 1, "the endpoint that tells the truth is not set aside");
  };

  it("costs no question about events before its opening, and what was said of it is forgotten", async () => {
    endpoints = [{ ...HONEST, logs: instead(opened(ROUNDS, word("another"))) }, HONEST];
    assert.equal(Math.min(...(await again())), OPENED_AT(ROUNDS));
    await isTrue();
    asked = [];
    await history.read();
    assert.deepEqual(asked, [], "nothing is asked once more");
  });

  it("is so with the openings on the models that its submissions may start from", async () => {
    endpoints = [{ ...HONEST, logs: instead(opened(ROUNDS - 2, word("another"))) }, HONEST];
    assert.equal(Math.min(...(await again(2))), OPENED_AT(ROUNDS - 2));
    await isTrue();
  });

  it("is asked for once more where an honest endpoint leaves an event out of one answer", async () => {
    let answers = 0;
    const forgetful: Told = {
      ...HONEST,
      get logs() {
        return answers++ === 0 ? truth.slice(0, -1) : truth;
      },
    };
    endpoints = [{ ...HONEST, logs: instead(opened(ROUNDS, word("another"))) }, forgetful];
    assert.equal(Math.min(...(await again())), OPENED_AT(ROUNDS));
    assert.ok(answers > 2, "it was asked twice");
    await isTrue();
  });

  it("is still read again after an endpoint that failed meanwhile", async () => {
    endpoints = [{ ...HONEST, logs: instead(opened(ROUNDS, word("another"))) }, HONEST];
    await history.read();
    await history.rereadRound("somebody would be blamed", 0);
    failing = true;
    await assert.rejects(history.read(), /away/);
    failing = false;
    await history.read();
    await isTrue();
  });

  for (const [what, told, modelsBefore] of [
    ["left out an event, and said so many", { logs: truth.slice(1), listChanges: SEATS.length - 1 }, 0],
    ["gave a seat to another account", { logs: instead(seated(2, account(9))) }, 0],
    ["was on another branch", { branch: "'" }, 0],
    [
      "hid which opening a model had, to keep its digest wrong",
      {
        logs: instead(opened(ROUNDS - 2, word("another"))).map((log) =>
          log.blockNumber === OPENED_AT(ROUNDS - 1) ? opened(ROUNDS - 1, undefined, ROUNDS - 2) : log,
        ),
      },
      2,
    ],
  ] as const)
    it(`is read with the whole past where the endpoint before ${what}`, async () => {
      endpoints = [{ ...HONEST, ...told }, HONEST];
      assert.ok((await again(modelsBefore)).includes(ORIGIN));
      await isTrue();
    });
});
