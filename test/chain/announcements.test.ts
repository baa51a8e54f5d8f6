import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { isAnnouncement, MOST_OF_STRANGERS, superfluousAnnouncements } from "../../chain/announcements.ts";
import { TaskHistory } from "../../chain/history.ts";
import type { KeptEvents } from "../../chain/history.ts";
import { LogPages, placeOf } from "../../chain/logs.ts";
import type { RawLog } from "../../chain/logs.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { Endpoint } from "../../chain/rpc.ts";
import type { Counters } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { word } from "../support/random.ts";

const account = (index: number): Hex => `0x${index.toString(16).padStart(40, "0")}`;
const [OPERATOR, MEMBER, FORMER] = [account(1), account(2), account(3)];
const CONTRACT = account(0xc0);
const FLOOD = 5_000;

let next = 0;
function logOf(name: "EndpointAnnounced" | "MemberRegistered", args: readonly unknown[], block = next): RawLog {
  const { data, topics } = VERISUM_INTERFACE.encodeEventLog(name, args);
  return { data, topics, blockNumber: block, index: next++, transactionHash: word(`${next}`) };
}
const announced = (who: Hex, url = "http://here.example", block?: number): RawLog =>
  logOf("EndpointAnnounced", [who, url], block);
const seated = (seat: number, who: Hex): RawLog => logOf("MemberRegistered", [seat, who, 0]);
/** By as many accounts. */
const flood = (count: number, block?: number): RawLog[] => {
  const one = announced(account(1000), "http://flood.example", block);
  return Array.from({ length: count }, (_, i) => ({
    ...one,
    topics: [one.topics[0]!, `0x${(1000 + i).toString(16).padStart(64, "0")}`],
    index: next++,
  }));
};

const kept = (logs: readonly RawLog[]): RawLog[] => {
  const superfluous = superfluousAnnouncements(logs, OPERATOR);
  return logs.filter((log) => !superfluous.has(placeOf(log)));
};

/** An endpoint with these logs; its latest block is the 1,000th. */
function endpointWith(logs: readonly RawLog[]): Endpoint {
  const provider = {
    getLogs: ({ fromBlock, toBlock }: { fromBlock: number; toBlock: number }) =>
      Promise.resolve(logs.filter(({ blockNumber }) => blockNumber >= fromBlock && blockNumber <= toBlock)),
    getBlock: (tag: number | string) => {
      const number = typeof tag === "number" ? tag : 1000;
      return Promise.resolve({ number, hash: word(`block ${number}`), timestamp: number });
    },
  };
  return { provider, request: (work: () => Promise<unknown>) => work() } as unknown as Endpoint;
}

describe("announcements by strangers", () => {
  it("are kept up to a number, the latest, and cost no party of the task its own, however many there are", () => {
    const parties = [announced(OPERATOR), seated(1, MEMBER), announced(MEMBER), seated(2, FORMER), announced(FORMER)];
    const replaced = [...parties, seated(2, account(4)), ...flood(FLOOD)];
    const own = announced(account(9));
    const left = kept([...replaced, own]);
    assert.deepEqual(left.slice(0, parties.length), parties);
    const strangers = left.slice(parties.length + 1);
    assert.equal(strangers.length, MOST_OF_STRANGERS);
    assert.equal(strangers.at(-1), own, "the latest is there");
  });

  it("and earlier ones of a party are not kept, and every other event is", () => {
    const first = announced(OPERATOR, "http://first.example");
    const other = seated(1, MEMBER);
    const last = announced(OPERATOR, "http://last.example");
    assert.deepEqual(kept([first, other, last]), [other, last]);
  });

  it("are never in memory as a whole while page after page is read", async () => {
    const pages = Array.from({ length: 6 }, (_, k) => flood(FLOOD, 10_000 * k + 5));
    const early = announced(OPERATOR, "http://here.example", 0);
    const sizes: number[] = [];
    const read = await new LogPages(endpointWith([early, ...pages.flat()]), CONTRACT).read(0, 60_000, async (all) => {
      sizes.push(all.length);
      return superfluousAnnouncements(all, OPERATOR);
    });
    assert.ok(read.length <= MOST_OF_STRANGERS + 1, String(read.length));
    assert.deepEqual(read[0]!.topics, early.topics);
    assert.equal(sizes.length, pages.length);
    assert.ok(Math.max(...sizes) <= FLOOD + MOST_OF_STRANGERS + 1, String(Math.max(...sizes)));
  });

  it("are not kept between looks, nor on the disk", async () => {
    const saved: KeptEvents[] = [];
    const early = announced(OPERATOR, "http://here.example", 10);
    const history = new TaskHistory(endpointWith([early, ...flood(FLOOD, 500)]), CONTRACT, {
      ...{ depth: 10, fromBlock: 0 },
      store: {
        load: () => Promise.resolve(undefined),
        save: (_contract, events) => Promise.resolve(void saved.push(events)),
      },
      counters: () =>
        Promise.resolve({
          ...{ round: { number: 0n }, latestModel: { round: 0n }, finalisedRounds: 0 },
          ...{ privacySpent: 0n, listChanges: 0, memberCount: 0, clientCount: 0 },
        } as unknown as Counters),
      costPerRound: () => Promise.resolve(0n),
      operator: () => Promise.resolve(OPERATOR),
      members: () => Promise.resolve([]),
    });
    await history.read();
    await history.save();
    const { logs } = saved.at(-1)!;
    assert.equal(logs.filter(isAnnouncement).length, MOST_OF_STRANGERS + 1);
    assert.deepEqual(logs[0]!.topics, early.topics);
  });
});
