/** A chain's JSON-RPC endpoints as one: what may pass is tried again, what will not is named. */
import { decodeBytes32String, Interface, JsonRpcApiProvider } from "ethers";
import type { ErrorFragment, JsonRpcPayload, JsonRpcResult, Result } from "ethers";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { RpcRequest } from "./answer-forms.ts";
import { CELL_GROUP_ABI } from "./generated/cell-group-abi.ts";
import { VERISUM_ABI } from "./generated/verisum-abi.ts";
import { describe, RpcTransport } from "./transport.ts";
import type { TransportOptions } from "./transport.ts";

/** The contract's functions, events and errors. */
export const VERISUM_INTERFACE = new Interface(VERISUM_ABI);
/** The same of the contract that lists a task's cells. */
export const CELL_GROUP_INTERFACE = new Interface(CELL_GROUP_ABI);

/** Times that a view is asked whose answer has not the length of a result. */
const VIEW_ATTEMPTS = 4;
/** Times that an endpoint is asked before its word ends a role: that the chain is another one, or has no contract. */
const CONFIRMATIONS = 3;
const CONFIRMATION_PAUSE_MS = 500;

/** What an endpoint's user can ask of it. */
export interface Endpoint {
  /** Encodes requests and decodes answers; starts no timers and listens to nothing. */
  readonly provider: JsonRpcApiProvider;
  readonly transport: RpcTransport;
  /**
   * Runs a request, and again where its answer cannot be read.
   * @throws CHAIN_REVERTED with details.error; CHAIN_UNREACHABLE after the last attempt; INTERRUPTED
   */
  request<T>(work: () => Promise<T>): Promise<T>;
}

/** ethers' provider over our transport. Requests made in one turn of the event loop go in one batch. */
class TransportProvider extends JsonRpcApiProvider {
  readonly #transport: RpcTransport;

  constructor(transport: RpcTransport, chainId: bigint) {
    super(chainId, { staticNetwork: true, cacheTimeout: -1, batchStallTime: 0 });
    this.#transport = transport;
    this._start();
  }

  override async _send(payload: JsonRpcPayload | JsonRpcPayload[]): Promise<JsonRpcResult[]> {
    const requests = (Array.isArray(payload) ? payload : [payload]) as readonly RpcRequest[];
    return (await this.#transport.send(requests)) as JsonRpcResult[];
  }
}

/**
 * Connects and checks the chain.
 * @param urls one endpoint or several, the first of which is asked first
 * @throws CHAIN_UNREACHABLE, CHAIN_WRONG_NETWORK, INTERRUPTED
 */
export async function openEndpoint(
  urls: string | readonly string[],
  expectedChainId: bigint | undefined,
  options: TransportOptions = {},
): Promise<{ readonly endpoint: Endpoint; readonly chainId: bigint }> {
  const transport = new RpcTransport([urls].flat(), options);
  const chainId = await confirmed(
    transport,
    () => askChainId(transport),
    (answer) => expectedChainId === undefined || answer === expectedChainId,
  );
  if (expectedChainId !== undefined && chainId !== expectedChainId) {
    throw new VerisumError("CHAIN_WRONG_NETWORK", `${transport.url} serves chain ${chainId}, not ${expectedChainId}`, {
      actual: chainId,
      expected: expectedChainId,
    });
  }
  const provider = new TransportProvider(transport, chainId);
  return { endpoint: { provider, transport, request: (work) => answered(transport, work) }, chainId };
}

/**
 * Asks again, and other endpoints, before an answer is believed that would end a role.
 * @returns the first good answer, or the last one
 */
export async function confirmed<T>(
  transport: RpcTransport,
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask();
    if (isGood(answer) || attempt === CONFIRMATIONS) return answer;
    transport.distrust("it serves another chain, or not all of it");
    await transport.pause(CONFIRMATION_PAUSE_MS);
  }
}

/**
 * Asked directly: ethers wants to know the chain before it asks anything. Asked twice in one request, since every
 * signature is for this chain: one wrong answer would stay with a role as long as it lives.
 */
async function askChainId(transport: RpcTransport): Promise<bigint> {
  for (let attempt = 1; ; attempt++) {
    const answers = await transport.send(
      [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "eth_chainId", params: [] })),
    );
    const failure = answers.find((answer) => !("result" in answer));
    const [first, second] = answers.map((answer) => ("result" in answer ? answer.result : undefined));
    if (failure === undefined && first !== undefined && first === second) return BigInt(first as string);
    const reason =
      failure === undefined ? `it names two chains, ${String(first)} and ${String(second)}` : describe(failure);
    if (attempt === CONFIRMATIONS)
      throw new VerisumError("CHAIN_UNREACHABLE", `${transport.url}: ${reason}`, { rpcUrl: transport.url });
    transport.distrust(reason);
    await transport.pause(CONFIRMATION_PAUSE_MS);
  }
}

async function answered<T>(transport: RpcTransport, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (isVerisumError(error)) throw error;
      const refused = revertOf(error);
      if (refused !== undefined) throw refused;
      if (attempt === VIEW_ATTEMPTS || !isUnreadable(error)) {
        const message = `${transport.url}: ${describe(error)}`;
        throw new VerisumError("CHAIN_UNREACHABLE", message, { rpcUrl: transport.url }, { cause: error });
      }
      transport.distrust(describe(error));
      await transport.pause(CONFIRMATION_PAUSE_MS);
    }
  }
}

/** A result of another length or form than the function's: a block that has the contract gives another one. */
function isUnreadable(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "BAD_DATA" || code === "INVALID_ARGUMENT" || error instanceof TypeError;
}

/** Of an error's first four bytes as hex. A contract without the function that is called refuses with nothing. */
const SELECTOR_CHARACTERS = 10;

/** Errors that came before, by selector: ethers hashes the names of all at each look-up. */
const ERRORS = new Map<string, readonly [Interface, ErrorFragment]>();

/** An error of one of the contracts, or of Solidity itself, with its arguments. */
function errorNamed(data: string): { readonly fragment: ErrorFragment; readonly args: Result } | null {
  const selector = data.slice(0, SELECTOR_CHARACTERS);
  for (const contract of [VERISUM_INTERFACE, CELL_GROUP_INTERFACE]) {
    const fragment = ERRORS.has(selector) ? null : contract.getError(selector);
    if (fragment !== null) ERRORS.set(selector, [contract, fragment]);
  }
  const known = ERRORS.get(selector);
  if (known === undefined) return null;
  const [contract, fragment] = known;
  return { fragment, args: contract.decodeErrorResult(fragment, data) };
}

/** The contract's refusal inside an ethers error, by name and arguments. */
export function revertOf(error: unknown): VerisumError | undefined {
  if (error === null || typeof error !== "object") return undefined;
  const { code, data, revert } = error as { code?: unknown; data?: unknown; revert?: unknown };
  const raw = typeof data === "string" ? data : nestedData(error);
  if (code !== "CALL_EXCEPTION" && raw === undefined && revert === undefined) return undefined;
  const parsed = raw === undefined || raw.length < SELECTOR_CHARACTERS ? null : errorNamed(raw);
  if (parsed === null) {
    if (code !== "CALL_EXCEPTION") return undefined;
    return new VerisumError(
      "CHAIN_REVERTED",
      `the call was refused: ${describe(error)}`,
      { error: raw ?? "unknown" },
      { cause: error },
    );
  }
  const values = parsed.fragment.inputs.map(({ name, type }, i) => `${name}=${shown(type, parsed.args[i])}`);
  return new VerisumError(
    "CHAIN_REVERTED",
    `${parsed.fragment.name}(${values.join(", ")})`,
    { error: parsed.fragment.name, arguments: values },
    { cause: error },
  );
}

/** An argument as people read it: the contracts' words are texts where they end in a zero, and digests otherwise. */
function shown(type: string, value: unknown): string {
  return type === "bytes32" && /^0x([2-7][0-9a-f])+(00)+$/.test(String(value))
    ? decodeBytes32String(String(value))
    : String(value);
}

/** Revert data as nodes wrap it in errors of eth_estimateGas and eth_sendRawTransaction. */
function nestedData(error: object): string | undefined {
  const { info, error: inner } = error as { info?: { error?: { data?: unknown } }; error?: { data?: unknown } };
  for (const data of [info?.error?.data, inner?.data]) {
    if (typeof data === "string" && /^0x[0-9a-f]{8}/.test(data)) return data;
    const nested = (data as { data?: unknown } | undefined)?.data;
    if (typeof nested === "string" && /^0x[0-9a-f]{8}/.test(nested)) return nested;
  }
  return undefined;
}
