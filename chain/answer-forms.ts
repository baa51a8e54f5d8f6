/** What the answer to each JSON-RPC method looks like (Ethereum execution API); anything else is no answer. */

export interface RpcRequest {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[] | Readonly<Record<string, unknown>>;
  readonly jsonrpc: "2.0";
}

/** As ethers takes it. */
export type RpcAnswer =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
    };

type Form = (value: unknown) => boolean;

const quantity: Form = (value) => typeof value === "string" && /^0x[0-9a-fA-F]{1,64}$/.test(value);
const bytes: Form = (value) => typeof value === "string" && /^0x([0-9a-fA-F]{2})*$/.test(value);
const word: Form = (value) => typeof value === "string" && /^0x[0-9a-fA-F]{64}$/.test(value);

function record(fields: Readonly<Record<string, Form>>): Form {
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([name, form]) => form((value as Record<string, unknown>)[name]));
}

const orNull =
  (form: Form): Form =>
  (value) =>
    value === null || form(value);
const listOf =
  (form: Form): Form =>
  (value) =>
    Array.isArray(value) && value.every(form);

const log = record({
  address: bytes,
  topics: listOf(word),
  data: bytes,
  blockNumber: quantity,
  blockHash: word,
  logIndex: quantity,
  transactionHash: word,
});

const FORMS: Readonly<Record<string, Form>> = {
  eth_chainId: quantity,
  eth_blockNumber: quantity,
  eth_gasPrice: quantity,
  eth_maxPriorityFeePerGas: quantity,
  eth_estimateGas: quantity,
  eth_getBalance: quantity,
  eth_getTransactionCount: quantity,
  eth_getCode: bytes,
  eth_call: bytes,
  eth_sendRawTransaction: word,
  eth_getLogs: listOf(log),
  // The pending block has no number and no hash.
  eth_getBlockByNumber: orNull(record({ timestamp: quantity })),
  eth_getTransactionReceipt: orNull(
    record({ blockNumber: quantity, blockHash: word, gasUsed: quantity, logs: listOf(log), transactionHash: word }),
  ),
};

/** What providers say when requests come too fast. */
const RATE = /rate.?limit|too many requests|capacity|overload/i;
/** What they say when an account has asked for all that it paid for. */
const QUOTA = /quota|\b(requests?|credits?|usage|units?)\b.*\b(limit|exceed)|limit.*\b(requests?|credits?)\b/i;
/** Errors that say nothing about what was asked: the endpoint is busy, behind, or broken. */
const PASSING = new RegExp(
  `${RATE.source}|${QUOTA.source}|busy|try again|timed? ?out|temporar|unavailable|header not found|unknown block|missing trie|not synced`,
  "i",
);
/** What a node says when the call itself fails, whatever else it says. */
const OF_THE_CODE = /revert|invalid opcode|out of gas|gas required/i;
const OF_THE_CALL = /exceeds|funds|balance|stack|nonce|intrinsic|fee/i;
/** Methods that some endpoints lack: fees are then told by other ones. */
const OPTIONAL = new Set(["eth_gasPrice", "eth_maxPriorityFeePerGas"]);
/** Blocks that some endpoints do not know by these names. */
const OPTIONAL_TAGS: readonly unknown[] = ["finalized", "safe", "pending"];

/** What is wrong with an answer; undefined if it can be believed to be one. An error is one, unless it may pass. */
export function answerFault(request: RpcRequest, answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null) return "there is no answer to it";
  const { error, result } = answer as { error?: { message?: unknown; data?: unknown } | null; result?: unknown };
  if (error !== undefined && error !== null) return errorFault(request, error);
  const form = FORMS[request.method];
  if (form === undefined) return undefined;
  if (!form(result)) return `the answer is not of its form: ${String(JSON.stringify(result)).slice(0, 60)}`;
  return strayAnswer(request, result);
}

/** What is wrong with an answer to another question: an endpoint that overlooks a part of this one. */
function strayAnswer({ method, params }: RpcRequest, result: unknown): string | undefined {
  if (result === null) return undefined;
  switch (method) {
    case "eth_getLogs":
      return strayLog((params as readonly [LogFilter])[0], result as readonly AskedLog[]);
    case "eth_getBlockByNumber":
      return strayBlock((params as readonly unknown[])[0], result as { number?: unknown; hash?: unknown });
    case "eth_getTransactionReceipt": {
      const { transactionHash } = result as { transactionHash: string };
      const [asked] = params as readonly [string];
      return transactionHash.toLowerCase() === asked.toLowerCase() ? undefined : `it is of ${transactionHash}`;
    }
    default:
      return undefined;
  }
}

function strayBlock(asked: unknown, { number, hash }: { number?: unknown; hash?: unknown }): string | undefined {
  if (asked === "pending") return undefined;
  if (!quantity(number) || !word(hash)) return "the block has no number or no hash";
  if (!quantity(asked) || Number(asked) === Number(number)) return undefined;
  return `it is block ${Number(number)}, not ${Number(asked)}`;
}

interface LogFilter {
  readonly address?: unknown;
  readonly fromBlock?: unknown;
  readonly toBlock?: unknown;
}

interface AskedLog {
  readonly address: string;
  readonly blockNumber: string;
}

function strayLog(filter: LogFilter, logs: readonly AskedLog[]): string | undefined {
  const from = blockNumberIn(filter.fromBlock, 0);
  const to = blockNumberIn(filter.toBlock, Infinity);
  const asked = [filter.address].flat().map((address) => String(address).toLowerCase());
  for (const { address, blockNumber } of logs) {
    if (filter.address !== undefined && !asked.includes(address.toLowerCase())) return `it has an event of ${address}`;
    const number = Number(blockNumber);
    if (number < from || number > to) return `it has an event of block ${number}, outside ${from} to ${to}`;
  }
  return undefined;
}

function blockNumberIn(tag: unknown, otherwise: number): number {
  return quantity(tag) ? Number(tag) : otherwise;
}

function errorFault(
  request: RpcRequest,
  error: { readonly message?: unknown; readonly data?: unknown },
): string | undefined {
  const { message, data } = error;
  if (typeof message !== "string") return "the error in the answer has no message";
  return isOfWhatWasAsked(request, message, data) ? undefined : message.slice(0, 200);
}

/** Whether an error answers the question, so that another endpoint would say the same. */
function isOfWhatWasAsked({ method, params }: RpcRequest, message: string, data: unknown): boolean {
  switch (method) {
    case "eth_getLogs": // how an endpoint refuses too large a range, in words of many kinds: for whoever reads events
      return !RATE.test(message);
    case "eth_sendRawTransaction": // for its sender
      return OF_THE_CODE.test(message) || !PASSING.test(message);
    case "eth_call":
    case "eth_estimateGas":
      return hasRevertData(data) || OF_THE_CODE.test(message) || (OF_THE_CALL.test(message) && !PASSING.test(message));
    default:
      return mayLack(method, params as readonly unknown[]) && !PASSING.test(message);
  }
}

/** Whether an endpoint may be sound and not know this: a method, a block's name, the state of an old block. */
function mayLack(method: string, params: readonly unknown[]): boolean {
  if (FORMS[method] === undefined || OPTIONAL.has(method)) return true;
  if (method === "eth_getBlockByNumber") return OPTIONAL_TAGS.includes(params[0]);
  return quantity(params[1]) || OPTIONAL_TAGS.includes(params[1]);
}

/** What a contract answered when it refused, as nodes wrap it. */
function hasRevertData(data: unknown): boolean {
  if (typeof data === "object" && data !== null) return hasRevertData((data as { data?: unknown }).data);
  return typeof data === "string" && /0x[0-9a-f]{8}/i.test(data);
}
