/** A chain that forks when it is told to: Foundry's anvil, in a process of its own. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { isFree } from "../../demo/chain.ts";
import type { Processes } from "../../demo/processes.ts";
import { foundryProgram, hasFoundryProgram } from "../support/foundry.ts";
import type { RpcReply, RpcRequest, Upstream } from "../support/rpc-server.ts";

const START_TRIES = 200;
const START_PAUSE_MS = 50;

export const hasAnvil = (): boolean => hasFoundryProgram("anvil");

/**
 * Blocks whose state stays in memory. By default the node keeps ever fewer after 500 blocks, ten in the end, and a
 * reorganisation of ten or more then leaves a chain without contracts.
 */
const MOST_STATES = 10_000;

/** After each of these the chain has other blocks. */
const ADDS_BLOCKS: ReadonlySet<string> = new Set(["anvil_reorg", "eth_sendRawTransaction", "evm_mine"]);

export interface Anvil {
  readonly rpc: string;
  readonly upstream: Upstream;
  /** The result of one request. @throws Error with the node's words */
  ask(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /**
   * From now on blocks come by this object alone, one after the other. By itself the node mines a transaction after it
   * answered, and a block that comes while it takes others back leaves it with heights that have no block, and with
   * logs of blocks that are gone. Whoever asks through this object asks before or after a reorganisation: in the middle
   * of one the node tells heights that no chain ever had.
   */
  mineHere(): Promise<void>;
}

/** Starts a chain with funded development accounts, whose blocks hold one transaction each and come with it. */
export async function startAnvil(processes: Processes, accounts: number): Promise<Anvil> {
  const port = await freePort();
  const states = ["--prune-history", String(MOST_STATES)];
  const args = ["--port", String(port), "--accounts", String(accounts), "--silent", ...states];
  processes.adopt(spawn(foundryProgram("anvil"), args, { stdio: "ignore" }));
  const rpc = `http://127.0.0.1:${port}`;
  const post: Upstream = async (requests) => {
    const body = JSON.stringify(requests.map((request) => ({ jsonrpc: "2.0", ...request })));
    const answer = await fetch(rpc, { method: "POST", headers: { "content-type": "application/json" }, body });
    return (await answer.json()) as RpcReply[];
  };
  const reads = new Set<Promise<unknown>>();
  const read: Upstream = (requests) => {
    const replies = post(requests);
    const over: Promise<unknown> = replies.then(
      () => reads.delete(over),
      () => reads.delete(over),
    );
    reads.add(over);
    return replies;
  };
  let last: Promise<unknown> = Promise.resolve();
  let isMinedHere = false;
  const withBlock: Upstream = async (requests) => {
    const replies = await post(requests);
    const sends = requests.some(({ method }) => method === "eth_sendRawTransaction");
    if (isMinedHere && sends) await post([{ id: 1, method: "evm_mine", params: [] }]);
    return replies;
  };
  const upstream: Upstream = (requests) => {
    if (!requests.some(({ method }) => ADDS_BLOCKS.has(method))) return last.then(() => read(requests));
    const next = last.then(() => Promise.all(reads)).then(() => withBlock(requests));
    last = next.catch(() => undefined);
    return next;
  };
  const ask: Anvil["ask"] = async (method, ...params) => {
    const request: RpcRequest = { id: 1, method, params: [...params] };
    const [reply] = await upstream([request]);
    if (reply?.error !== undefined) throw new Error(`${method}: ${JSON.stringify(reply.error)}`);
    return reply?.result;
  };
  const mineHere = async (): Promise<void> => {
    await ask("evm_setAutomine", false);
    isMinedHere = true;
  };
  await untilUp(ask);
  return { rpc, upstream, ask, mineHere };
}

/** Asks until the node answers. */
export async function untilUp(ask: Anvil["ask"]): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return void (await ask("eth_chainId"));
    } catch (error) {
      if (tries === START_TRIES) throw error;
      await delay(START_PAUSE_MS);
    }
  }
}

/** Below those that systems give to connections: one that dies may have its port again when it starts again. */
const [FIRST_PORT, LAST_PORT] = [12_000, 32_000];
const given = new Set<number>();

/** A port that was free a moment ago, and that this process has given to nobody else. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}
