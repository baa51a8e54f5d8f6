import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, it } from "mocha";
import { answerFault } from "../../chain/answer-forms.ts";
import type { RpcAnswer, RpcRequest } from "../../chain/answer-forms.ts";
import { LogPages } from "../../chain/logs.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import { RpcTransport } from "../../chain/transport.ts";
import { rejectsCode } from "../support/errors.ts";

const ADDRESS = `0x${"ab".repeat(20)}`;
const WORD = `0x${"00".repeat(32)}`;
const TOPIC = `0x${"77".repeat(32)}`;

const request = (method: string, ...params: unknown[]): RpcRequest => ({ jsonrpc: "2.0", id: 1, method, params });
const refusal = (message: string, data?: unknown): object => ({ id: 1, error: { code: -32_000, message, data } });

const log = (block: number, address = ADDRESS): object => ({
  address,
  topics: [TOPIC],
  data: "0x",
  blockNumber: `0x${block.toString(16)}`,
  blockHash: WORD,
  logIndex: "0x0",
  transactionIndex: "0x0",
  transactionHash: WORD,
});

/** What an endpoint answers to a body that was parsed; undefined leaves the answer to the handler. */
type Answer = (asked: RpcRequest | RpcRequest[], response: ServerResponse) => unknown;

describe("an endpoint's answers", () => {
  const stops: (() => void)[] = [];
  afterEach(() => stops.splice(0).forEach((stop) => stop()));

  /** An HTTP server that answers as told. */
  const serve = async (answer: Answer): Promise<string> => {
    const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
      const pieces: Buffer[] = [];
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("end", () => {
        const said = answer(JSON.parse(Buffer.concat(pieces).toString()) as RpcRequest | RpcRequest[], response);
        if (said !== undefined) response.end(JSON.stringify(said));
      });
    };
    const server = createServer(handle);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stops.push(() => (server.closeAllConnections(), server.close()));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const sound = (asked: RpcRequest | RpcRequest[]): unknown =>
    Array.isArray(asked)
      ? asked.map(({ id }) => ({ jsonrpc: "2.0", id, result: "0x1" }))
      : { jsonrpc: "2.0", id: asked.id, result: "0x1" };

  for (const [name, said] of [
    [
      "in a list, as go-ethereum does",
      [{ jsonrpc: "2.0", id: 1, error: { code: -32_600, message: "batch too large" } }],
    ],
    ["in a list for no request", [{ jsonrpc: "2.0", id: null, error: { code: 31, message: "Batch of more than 3" } }]],
    ["alone", { jsonrpc: "2.0", id: null, error: { code: -32_600, message: "batch limit 1 exceeded" } }],
    ["by an empty list", []],
  ] as const)
    it(`are asked for one by one where the endpoint takes no batch and says so ${name}`, async () => {
      const url = await serve((asked) => (Array.isArray(asked) ? said : sound(asked)));
      const requests = [1, 2, 3].map((id) => ({ ...request("eth_blockNumber"), id }));
      const answers = await new RpcTransport([url]).send(requests);
      assert.deepEqual(
        answers.map((answer) => (answer as { result: unknown }).result),
        ["0x1", "0x1", "0x1"],
      );
    });

  it("that are too long are not read to their end, packed ones included", async () => {
    const piece = Buffer.alloc(1 << 20, " ");
    const packed = gzipSync(Buffer.alloc(1 << 24, " "));
    let written = 0;
    const url = await serve((_, response) => {
      if (written === 0) {
        response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
        written = 1;
        return undefined;
      }
      const write = (): void => {
        while (!response.destroyed && response.write(piece)) written += piece.length;
      };
      response.on("drain", () => ((written += piece.length), write()));
      write();
      return undefined;
    });
    const transport = new RpcTransport([url], { mostBytes: 4 << 20 });
    await rejectsCode(transport.send([request("eth_blockNumber")]), "CHAIN_UNREACHABLE");
    assert.ok(written > 1 && written < 256 << 20, `${written} bytes were sent`);
  }).timeout(30_000);

  for (const message of [
    "daily request limit reached - upgrade your account",
    "Monthly quota exhausted",
    "Unauthorized: invalid API key",
    "project ID is disabled",
    "the method eth_blockNumber does not exist/is not available",
    "internal error",
  ])
    it(`are another endpoint's where the first one refuses everything: ${message}`, async () => {
      const bad = await serve((asked) => ({ jsonrpc: "2.0", id: (asked as RpcRequest).id, ...refusal(message) }));
      const good = await serve(sound);
      const [answer] = (await new RpcTransport([bad, good]).send([request("eth_blockNumber")])) as [RpcAnswer];
      assert.deepEqual("result" in answer && answer.result, "0x1");
    });

  it("about old or special blocks, and fees, may be that the endpoint does not know them", () => {
    const absent = refusal("the method does not exist/is not available");
    for (const asked of [
      request("eth_getBlockByNumber", "finalized", false),
      request("eth_getBlockByNumber", "safe", false),
      request("eth_getBlockByNumber", "pending", false),
      request("eth_getTransactionCount", ADDRESS, "0x10"),
      request("eth_maxPriorityFeePerGas"),
      request("eth_gasPrice"),
      request("eth_feeHistory"),
    ])
      assert.equal(answerFault(asked, absent), undefined, asked.method);
    for (const asked of [
      request("eth_getBlockByNumber", "latest", false),
      request("eth_getBlockByNumber", "0x10", false),
      request("eth_getTransactionCount", ADDRESS, "latest"),
      request("eth_getBalance", ADDRESS, "latest"),
      request("eth_getTransactionReceipt", WORD),
      request("eth_chainId"),
    ])
      assert.notEqual(answerFault(asked, absent), undefined, asked.method);
  });

  it("are a contract's refusal only by its data or the node's word", () => {
    const call = request("eth_call", { to: ADDRESS }, "latest");
    for (const data of ["0x08c379a0", { data: "0x08c379a0" }, "Reverted 0x08c379a0"])
      assert.equal(answerFault(call, refusal("VM execution error.", data)), undefined, JSON.stringify(data));
    for (const message of ["execution reverted", "execution reverted: try again", "out of gas", "stack underflow"])
      assert.equal(answerFault(call, refusal(message)), undefined, message);
    for (const [message, data] of [
      ["header not found", null],
      ["missing trie node 0xabcdef0123 (path ) state is not available", { trace: null }],
      ["Your app has exceeded its compute units per second capacity", undefined],
      ["your usage exceeds the credits of your plan", "see https://provider.example"],
      ["request limit exceeds, try again", undefined],
      ["Internal error", {}],
    ] as const)
      assert.notEqual(answerFault(call, refusal(message, data)), undefined, message);
  });

  it("to a transaction may be a limit of requests, which says nothing of the transaction", () => {
    const send = request("eth_sendRawTransaction", "0x02");
    for (const message of [
      "Too Many Requests",
      "Your app has exceeded its compute units per second capacity",
      "daily request count exceeded, request rate limited",
      "service temporarily unavailable",
    ])
      assert.notEqual(answerFault(send, refusal(message)), undefined, message);
    for (const message of ["nonce too low", "already known", "execution reverted: capacity", "txpool is full"])
      assert.equal(answerFault(send, refusal(message)), undefined, message);
  });

  it("hold no events that nobody asked for", () => {
    const asked = request("eth_getLogs", {
      address: ADDRESS.toUpperCase().replace("X", "x"),
      fromBlock: "0x5",
      toBlock: "0x7",
    });
    const fault = (...result: object[]): string | undefined => answerFault(asked, { id: 1, result });
    assert.equal(fault(log(5), log(7)), undefined);
    assert.match(fault(log(5), log(4))!, /block 4/);
    assert.match(fault(log(8))!, /block 8/);
    assert.match(fault(log(6, `0x${"cd".repeat(20)}`))!, /cdcd/);
  });

  it("are about the block or the transaction that was asked for", () => {
    const block = { number: "0x10", hash: WORD, timestamp: "0x1" };
    const faultOf = (tag: string, result: unknown): string | undefined =>
      answerFault(request("eth_getBlockByNumber", tag, false), { id: 1, result });
    for (const tag of ["0x10", "0x010", "latest", "finalized"]) assert.equal(faultOf(tag, block), undefined, tag);
    assert.equal(faultOf("pending", { ...block, number: null, hash: null }), undefined);
    assert.match(faultOf("0x11", block)!, /block 16, not 17/);
    assert.match(faultOf("finalized", { ...block, number: null })!, /no number/);
    const receipt = { blockNumber: "0x10", blockHash: WORD, gasUsed: "0x1", logs: [], transactionHash: TOPIC };
    const ofReceipt = (hash: string): string | undefined =>
      answerFault(request("eth_getTransactionReceipt", hash), { id: 1, result: receipt });
    assert.equal(ofReceipt(TOPIC), undefined);
    assert.match(ofReceipt(WORD)!, /7777/);
  });

  it("that come too fast for an endpoint are waited for as long as it says, if that is not long", async () => {
    let asked = 0;
    const url = await serve((body, response) => {
      if (asked++ > 0) return sound(body);
      response.writeHead(429, { "retry-after": "2" }).end("slow down");
      return undefined;
    });
    const started = performance.now();
    await new RpcTransport([url]).send([request("eth_blockNumber")]);
    assert.ok(performance.now() - started >= 2_000 && asked === 2, `${asked} requests`);
  }).timeout(10_000);

  it("about events come from another endpoint where one gives none, however few blocks are asked for", async () => {
    const answer =
      (logs: (filter: { fromBlock: string; toBlock: string }) => object) =>
      (asked: RpcRequest | RpcRequest[]): unknown => {
        const one = ({ id, method, params }: RpcRequest): object => ({
          jsonrpc: "2.0",
          id,
          ...(method === "eth_getLogs" ? logs((params as [never])[0]) : { result: "0x1" }),
        });
        return Array.isArray(asked) ? asked.map(one) : one(asked);
      };
    const bad = await serve(answer(() => ({ error: { code: -32_601, message: "eth_getLogs is not in your plan" } })));
    const good = await serve(
      answer(({ fromBlock, toBlock }) => ({
        result: [3, 900]
          .filter((block) => block >= Number(fromBlock) && block <= Number(toBlock))
          .map((block) => log(block)),
      })),
    );
    const { endpoint } = await openEndpoint([bad, good], undefined);
    const logs = await new LogPages(endpoint, ADDRESS).read(0, 1000);
    assert.deepEqual(
      logs.map(({ blockNumber }) => blockNumber),
      [3, 900],
    );
    const { endpoint: alone } = await openEndpoint([bad], undefined);
    await rejectsCode(new LogPages(alone, ADDRESS).read(0, 1000), "CHAIN_UNREACHABLE");
  });

  it("that silently leave out events are asked for in smaller parts", async () => {
    const ranges: number[] = [];
    const url = await serve((asked) => {
      const one = ({ id, method, params }: RpcRequest): object => {
        if (method !== "eth_getLogs") return { jsonrpc: "2.0", id, result: "0x1" };
        const [{ fromBlock, toBlock }] = params as [{ fromBlock: string; toBlock: string }];
        ranges.push(Number(toBlock) - Number(fromBlock) + 1);
        return { jsonrpc: "2.0", id, result: [] };
      };
      return Array.isArray(asked) ? asked.map(one) : one(asked);
    });
    const { endpoint } = await openEndpoint([url], undefined);
    const pages = new LogPages(endpoint, ADDRESS);
    const largest = async (): Promise<number> => {
      ranges.length = 0;
      await pages.read(0, 19_999);
      return Math.max(...ranges);
    };
    assert.equal(await largest(), 10_000);
    pages.shrink();
    assert.equal(await largest(), 2_000, "and does not grow again");
    for (let i = 0; i < 9; i++) pages.shrink();
    assert.equal(await largest(), 100);
  });

  it("are asked of each endpoint, and none is waited for longer than told", async () => {
    const [silent, good] = [await serve(() => undefined), await serve(sound)];
    const transport = new RpcTransport([silent, good], { timeoutMs: 600_000 });
    const [none, answer] = await transport.askEach(request("eth_blockNumber"), 50);
    assert.equal(none, undefined);
    assert.deepEqual(answer, { jsonrpc: "2.0", id: 1, result: "0x1" });
  });
});
