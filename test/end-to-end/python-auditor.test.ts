/** The Python auditor of a task that runs: by the word of an endpoint and a gateway, and if one of them lies. */
import assert from "node:assert/strict";
import { after, before, it } from "mocha";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { parametersHash } from "../../protocol/task.ts";
import { fromHex, toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { describeAuditor, pythonAuditor } from "../support/python.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { serveRpc } from "../support/rpc-server.ts";
import type { RpcReply, RpcRequest, RpcServer } from "../support/rpc-server.ts";
import { playStaleRounds } from "../support/stale-rounds.ts";
import { proxyBefore } from "../adversarial/node-proxy.ts";
import type { NodeProxy } from "../adversarial/node-proxy.ts";

const WORD_BYTES = 32;
/** Places of words in `Finalised` and `parameters()` (docs/formats.md, sections 4 and 6). */
const MODEL_CID = 3;
const RELEASES = [13, 17] as const;
const NORM_BOUND = 7;
const [GREEN, RED, UNREACHED, WRONG_USE] = [0, 1, 2, 4];

interface Log {
  readonly topics: readonly string[];
  readonly data: Hex;
}

describeAuditor("the Python auditor of a task that runs", function () {
  this.timeout(400_000);
  let harness: RoundHarness;
  let endpoint: RpcServer;
  let gateway: NodeProxy;
  /** Of the block whose text is this CID, the gateway gives another byte. */
  let spoilt: string | undefined;
  before(async () => {
    ({ harness } = await playStaleRounds({}));
    endpoint = await serveRpc((requests) => Promise.all(requests.map((request) => ask(harness.chain.rpc, request))));
    gateway = await proxyBefore(harness.aggregator.url, ({ url }) =>
      spoilt !== undefined && url!.includes(spoilt) ? withAnotherByte : undefined,
    );
  });
  after(async () => {
    gateway.close();
    await endpoint.close();
    await harness.close();
  });

  interface Ended {
    readonly status: number | null;
    readonly lines: readonly string[];
    readonly notes: string;
  }

  const audit = async (options: Readonly<Record<string, string>> = {}): Promise<Ended> => {
    const given = { rpc: endpoint.url, contract: harness.contract, gateway: gateway.url, block: "latest", ...options };
    const words = Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
    const { status, stdout, stderr } = await pythonAuditor(words);
    return { status, lines: stdout.trimEnd().split("\n"), notes: stderr };
  };
  /** An audit by an endpoint that alters results. */
  const altered = async (alter: RpcServer["alter"], options?: Readonly<Record<string, string>>): Promise<Ended> => {
    endpoint.alter = alter;
    try {
      return await audit(options);
    } finally {
      endpoint.alter = undefined;
    }
  };
  const firstRed = ({ lines }: Ended): string => lines.find((line) => line.startsWith("RED "))!;
  const codeOf = (ended: Ended): string | undefined => /\[([A-Z_]+)\]$/.exec(firstRed(ended))?.[1];
  const withFinalised = (round: bigint, change: (data: Uint8Array) => void): RpcServer["alter"] =>
    inLogs((log) => {
      const topic = VERISUM_INTERFACE.getEvent("Finalised")!.topicHash;
      if (log.topics[0] !== topic || BigInt(log.topics[1]!) !== round) return [log];
      const data = fromHex(log.data);
      change(data);
      return [{ ...log, data: toHex(data) }];
    });

  it("finds it green, with the findings of this project's auditor, an update from an older model among them", async () => {
    const { status, lines, notes } = await audit({ "chain-id": "31337" });
    assert.deepEqual([status, lines.at(-1)], [GREEN, "green"], `${lines.join("\n")}\n${notes}`);
    const found = lines.slice(0, -1).map((line) => /^ok +(task|round [0-9]+) +([a-z ]+):/.exec(line)?.slice(1, 3));
    const { findings } = await harness.audit();
    assert.deepEqual(
      found,
      findings.map(({ round, check }) => [round === 0 ? "task" : `round ${round}`, check]),
    );
    assert.match(notes, /^note chain 31337, block \d+ 0x[0-9a-f]{64}, \d+ events\n$/);
  });

  it("refuses a norm bound that is larger by one", async () => {
    const { parameters } = harness.task;
    const larger = { ...parameters, normBoundSquared: parameters.normBoundSquared + 1n };
    const ended = await altered(
      onCalls({ parameters: (data) => addOne(data, NORM_BOUND), parametersHash: () => parametersHash(larger) }),
    );
    assert.deepEqual([ended.status, codeOf(ended)], [RED, "TASK_DOCUMENT_INVALID"]);
  });

  it("is red of two releases that are swapped", async () => {
    const ended = await altered(
      withFinalised(1n, (data) => {
        const [first, second] = RELEASES.map((word) => data.slice(word * WORD_BYTES, (word + 1) * WORD_BYTES));
        data.set(second!, RELEASES[0] * WORD_BYTES);
        data.set(first!, RELEASES[1] * WORD_BYTES);
      }),
    );
    assert.equal(ended.status, RED);
    assert.match(firstRed(ended), /^RED {2}round 1 +releases: .* \[AUDIT_FAILED\]$/);
  });

  it("is red of another CID of a model", async () => {
    const ended = await altered(withFinalised(2n, (data) => (data[(MODEL_CID + 1) * WORD_BYTES - 1]! ^= 1)));
    assert.equal(ended.status, RED);
    assert.match(firstRed(ended), /^RED {2}round 2 +signatures: .* \[AUDIT_FAILED\]$/);
  });

  it("is red of an update that starts from another model than it says", async () => {
    const topic = VERISUM_INTERFACE.getEvent("Submitted")!.topicHash;
    const ended = await altered(
      inLogs((log) => {
        if (log.topics[0] !== topic || BigInt(log.topics[1]!) !== 2n) return [log];
        const data = fromHex(log.data);
        data[4 * WORD_BYTES - 1]! ^= 1;
        return [{ ...log, data: toHex(data) }];
      }),
    );
    assert.equal(ended.status, RED);
    assert.match(firstRed(ended), /^RED {2}round 2 +submission: 0x.* \[SUBMISSION_INVALID\]$/);
  });

  it("blames nobody for a file that the gateway gives with another byte, and says which", async () => {
    spoilt = cidFromDigest(harness.task.parameters.genesisCid);
    const ended = await audit();
    spoilt = undefined;
    assert.equal(ended.status, UNREACHED);
    assert.match(firstRed(ended), /^RED {2}task +genesis: .* \[IPFS_UNAVAILABLE\]$/);
    assert.match(ended.notes, /bytes that have another digest/);
  });

  it("does not begin where the endpoint serves another chain, or says that it does", async () => {
    const expected = await audit({ "chain-id": "1" });
    assert.equal(expected.status, UNREACHED);
    assert.match(firstRed(expected), /serves chain 31337 and not 1: .*\[CHAIN_WRONG_NETWORK\]$/);
    const said = await altered(({ method }, result) => (method === "eth_chainId" ? "0x1" : result));
    assert.equal(said.status, RED);
    assert.match(firstRed(said), /deployment\(\) is not the hash .*\[CONTRACT_MISMATCH\]$/);
  });

  it("does not begin where the endpoint leaves an event out", async () => {
    const topic = VERISUM_INTERFACE.getEvent("ClientRegistered")!.topicHash;
    const ended = await altered(inLogs((log) => (log.topics[0] === topic ? [] : [log])));
    assert.deepEqual([ended.status, codeOf(ended)], [UNREACHED, "CHAIN_EVENTS_MISSING"]);
  });

  it("says that there is no contract, no endpoint or no gateway", async () => {
    const nothing = await audit({ contract: `0x${"12".repeat(20)}` });
    assert.deepEqual([nothing.status, codeOf(nothing)], [RED, "CHAIN_NO_CONTRACT"]);
    const away = await audit({ rpc: "http://127.0.0.1:9" });
    assert.deepEqual([away.status, codeOf(away)], [UNREACHED, "CHAIN_UNREACHABLE"]);
    const alone = await audit({ gateway: "http://127.0.0.1:9" });
    assert.deepEqual([alone.status, codeOf(alone)], [UNREACHED, "IPFS_UNAVAILABLE"]);
    assert.equal((await audit({ rpc: "file:///etc/passwd" })).status, WRONG_USE);
  });

  it("does without old states, and says what it could not compare", async () => {
    endpoint.fault = ({ id, method }) =>
      method === "eth_getTransactionCount"
        ? { status: 200, body: JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32_000, message: "pruned" } }) }
        : undefined;
    const { status, lines, notes } = await audit();
    endpoint.fault = undefined;
    assert.deepEqual([status, lines.at(-1)], [GREEN, "green"]);
    assert.match(notes, /keeps no old states, so deployment\(\) is not compared with its block/);
  });
});

async function ask(url: string, { id, method, params }: RpcRequest): Promise<RpcReply> {
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const answer = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json" } });
  return (await answer.json()) as RpcReply;
}

/** Alters the logs of each page. */
function inLogs(change: (log: Log) => readonly Log[]): RpcServer["alter"] {
  return ({ method }, result) => (method === "eth_getLogs" ? (result as readonly Log[]).flatMap(change) : result);
}

/** Alters answers of the contract's functions. */
function onCalls(changes: Readonly<Record<string, (answer: Hex) => Hex>>): RpcServer["alter"] {
  return ({ method, params }, result) => {
    if (method !== "eth_call") return result;
    const selector = (params[0] as { readonly data: string }).data.slice(0, 10);
    const change = changes[VERISUM_INTERFACE.getFunction(selector)!.name];
    return change === undefined ? result : change(result as Hex);
  };
}

function addOne(answer: Hex, word: number): Hex {
  const data = fromHex(answer);
  const last = (word + 1) * WORD_BYTES - 1;
  for (let at = last; ; at--) {
    data[at] = (data[at]! + 1) & 0xff;
    if (data[at] !== 0) return toHex(data);
  }
}

async function* withAnotherByte(message: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const piece of message) {
    const copy = Uint8Array.from(piece);
    if (copy.length > 0) copy[0]! ^= 1;
    yield copy;
  }
}
