/** One JSON-RPC endpoint: retries what may pass, names what will not. */
import { FetchRequest, Interface, JsonRpcProvider } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import { CELL_GROUP_ABI } from "./generated/cell-group-abi.ts";
import { VERISUM_ABI } from "./generated/verisum-abi.ts";

/** The contract's functions, events and errors. */
export const VERISUM_INTERFACE = new Interface(VERISUM_ABI);
/** The same of the contract that lists a task's cells. */
export const CELL_GROUP_INTERFACE = new Interface(CELL_GROUP_ABI);

const REQUEST_TIMEOUT_MS = 20_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;
const POLLING_MS = 250;
/**
 * Requests made in one turn of the event loop go in one batch; ethers' 10 ms more would be added to every request that
 * is waited for.
 */
const BATCH_STALL_MS = 0;

/** What an endpoint's user can ask of it. */
export interface Endpoint {
  readonly provider: JsonRpcProvider;
  /**
   * Runs a request again after failures of the connection, with growing pauses.
   * @throws CHAIN_REVERTED with details.error at once; CHAIN_UNREACHABLE after the last attempt
   */
  request<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Connects and checks the chain.
 * @throws CHAIN_UNREACHABLE, CHAIN_WRONG_NETWORK
 */
export async function openEndpoint(
  rpcUrl: string,
  expectedChainId: bigint | undefined,
): Promise<{ readonly endpoint: Endpoint; readonly chainId: bigint }> {
  const connection = new FetchRequest(rpcUrl);
  connection.timeout = REQUEST_TIMEOUT_MS;
  connection.setThrottleParams({ maxAttempts: 3 });
  const chainId = await retrying(rpcUrl, () => askChainId(rpcUrl));
  if (expectedChainId !== undefined && chainId !== expectedChainId) {
    throw new VerisumError("CHAIN_WRONG_NETWORK", `${rpcUrl} serves chain ${chainId}, not ${expectedChainId}`, {
      actual: chainId,
      expected: expectedChainId,
    });
  }
  const provider = new JsonRpcProvider(connection, chainId, {
    staticNetwork: true,
    polling: true,
    pollingInterval: POLLING_MS,
    cacheTimeout: -1,
    batchStallTime: BATCH_STALL_MS,
  });
  return { endpoint: { provider, request: (work) => retrying(rpcUrl, work) }, chainId };
}

/** Asked directly: ethers would go on asking an endpoint that is not there. */
async function askChainId(rpcUrl: string): Promise<bigint> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const { result } = (await response.json()) as { result?: unknown };
  if (typeof result !== "string" || !/^0x[0-9a-f]+$/.test(result))
    throw new TypeError("the answer to eth_chainId is not a number");
  return BigInt(result);
}

async function retrying<T>(rpcUrl: string, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1, pause = FIRST_PAUSE_MS; ; attempt++, pause *= 2) {
    try {
      return await work();
    } catch (error) {
      const refused = revertOf(error);
      if (refused !== undefined) throw refused;
      if (error instanceof VerisumError) throw error;
      if (attempt === ATTEMPTS || !mayPass(error)) {
        throw new VerisumError("CHAIN_UNREACHABLE", `${rpcUrl}: ${describe(error)}`, { rpcUrl }, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** The contract's refusal inside an ethers error, by name and arguments. */
export function revertOf(error: unknown): VerisumError | undefined {
  if (error === null || typeof error !== "object") return undefined;
  const { code, data, revert } = error as { code?: unknown; data?: unknown; revert?: unknown };
  const raw = typeof data === "string" ? data : nestedData(error);
  if (code !== "CALL_EXCEPTION" && raw === undefined && revert === undefined) return undefined;
  const parsed = raw === undefined ? null : (VERISUM_INTERFACE.parseError(raw) ?? CELL_GROUP_INTERFACE.parseError(raw));
  if (parsed === null) {
    if (code !== "CALL_EXCEPTION") return undefined;
    return new VerisumError(
      "CHAIN_REVERTED",
      `the call was refused: ${describe(error)}`,
      { error: raw ?? "unknown" },
      { cause: error },
    );
  }
  const values = parsed.fragment.inputs.map((input, i) => `${input.name}=${String(parsed.args[i])}`);
  return new VerisumError(
    "CHAIN_REVERTED",
    `${parsed.name}(${values.join(", ")})`,
    { error: parsed.name, arguments: values },
    { cause: error },
  );
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

/** Connection failures, throttling and server errors. */
export function mayPass(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return (
    ["NETWORK_ERROR", "TIMEOUT", "SERVER_ERROR", "ECONNREFUSED", "ECONNRESET", "UNKNOWN_ERROR", "BAD_DATA"].includes(
      String(code),
    ) ||
    name === "TimeoutError" ||
    name === "TypeError" ||
    name === "SyntaxError"
  );
}

/** The shortest true words for a failure: the node's own, where it gave any. */
export function describe(error: unknown): string {
  const {
    shortMessage,
    message,
    error: inner,
  } = error as { shortMessage?: unknown; message?: unknown; error?: { message?: unknown } };
  return String(inner?.message ?? shortMessage ?? message ?? error).slice(0, 300);
}
