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

/** Errors that say nothing about what was asked: the endpoint is busy, behind, or broken. */
const RATE = /rate.?limit|too many requests|capacity|overload/i;
const PASSING = new RegExp(
  `${RATE.source}|busy|try again|timed? ?out|temporar|unavailable|header not found|unknown block|missing trie|not synced`,
  "i",
);
/** What a node says when the call itself fails. */
const OF_THE_CALL = /revert|invalid opcode|out of gas|gas required|exceeds|funds|balance|stack|nonce|intrinsic|fee/i;

/** What is wrong with an answer; undefined if it can be believed to be one. An error is one, unless it may pass. */
export function answerFault(request: RpcRequest, answer: unknown): string | undefined {
  if (typeof answer !== "object" || answer === null) return "there is no answer to it";
  const { error, result } = answer as { error?: { message?: unknown; data?: unknown } | null; result?: unknown };
  if (error !== undefined && error !== null) return errorFault(request.method, error);
  const form = FORMS[request.method];
  if (form === undefined || form(result)) return undefined;
  return `the answer is not of its form: ${String(JSON.stringify(result)).slice(0, 60)}`;
}

function errorFault(
  method: string,
  error: { readonly message?: unknown; readonly data?: unknown },
): string | undefined {
  if (typeof error.message !== "string") return "the error in the answer has no message";
  // A refused transaction is for its sender, and how an endpoint refuses too large a range for whoever reads events.
  if (method === "eth_sendRawTransaction" || (method === "eth_getLogs" && !RATE.test(error.message))) return undefined;
  const ofCall = error.data !== undefined || OF_THE_CALL.test(error.message);
  const isCall = method === "eth_call" || method === "eth_estimateGas";
  if (isCall ? ofCall : !PASSING.test(error.message)) return undefined;
  return error.message.slice(0, 200);
}
