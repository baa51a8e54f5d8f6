/**
 * An invitation to a task: one file, signed by the task's operator, with all that a client needs to find the task and
 * to know that it is the one that was meant. It holds no secret.
 */
import type { Wallet } from "ethers";
import { z } from "zod";
import { recoverInviter, signInvitationTerms } from "../chain/invitation-signature.ts";
import type { InvitationTerms } from "../chain/invitation-signature.ts";
import type { CompactSignature, TaskContext, TaskReader } from "../chain/task-chain.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { strictJson } from "../protocol/strict-json.ts";
import type { Hex } from "../protocol/transcript.ts";
import { utcText } from "./utc-text.ts";

const FORMAT = "verisum-invitation-1";
/** Of endpoints, and of peers. */
const MAX_URLS = 16;
const MAX_INVITATION_BYTES = 65_536;
/** The last second that a date can be of, in Unix time. */
const LAST_SECOND = 8_640_000_000_000;

const hex = (bytes: number): z.ZodType<Hex> =>
  z.custom<Hex>((value) => typeof value === "string" && new RegExp(`^0x[0-9a-f]{${2 * bytes}}$`).test(value));
const urls = z.array(z.url({ protocol: /^https?$/ }).max(2048)).max(MAX_URLS);

const schema = z.strictObject({
  format: z.literal(FORMAT),
  chainId: z.string().regex(/^[1-9][0-9]{0,19}$/),
  contract: hex(20),
  deployment: hex(32),
  operator: hex(20),
  taskCid: hex(32),
  parametersHash: hex(32),
  keysHash: hex(32),
  endpoints: urls.min(1),
  peers: urls,
  expires: z.int().positive().max(LAST_SECOND),
  signature: z.strictObject({ r: hex(32), vs: hex(32) }),
});

export interface Invitation {
  readonly context: TaskContext;
  readonly operator: Hex;
  readonly terms: InvitationTerms;
  readonly signature: CompactSignature;
}

/** Why an invitation is refused, as the error's evidence names it. */
type Refusal = "malformed" | "altered" | "expired" | "chain" | "deployment" | "operator" | "task" | "keys";

/** What the task's contract says now, signed by its operator. */
export async function makeInvitation(
  wallet: Wallet,
  chain: TaskReader,
  found: Pick<InvitationTerms, "endpoints" | "peers" | "expires">,
): Promise<Invitation> {
  const { taskCid, keysHash } = await chain.parameters();
  const terms = { ...found, taskCid, keysHash, parametersHash: await chain.parametersHash() };
  const signature = await signInvitationTerms(wallet, chain.context, terms);
  return { context: chain.context, operator: wallet.address.toLowerCase() as Hex, terms, signature };
}

/** The file's text. */
export function encodeInvitation({ context, operator, terms, signature }: Invitation): string {
  const { chainId, contract, deployment } = context;
  const { taskCid, parametersHash, keysHash, endpoints, peers, expires } = terms;
  const content: z.input<typeof schema> = {
    ...{ format: FORMAT, chainId: chainId.toString(), contract, deployment, operator },
    ...{ taskCid, parametersHash, keysHash, endpoints: [...endpoints], peers: [...peers], expires, signature },
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/**
 * Reads an invitation, and checks what needs no chain: its form, its signature and its time.
 * @param nowSeconds Unix time
 * @throws INVITATION_REFUSED
 */
export function parseInvitation(bytes: Uint8Array, nowSeconds: number): Invitation {
  const { format: _, chainId, contract, deployment, operator, signature, ...terms } = contentOf(bytes);
  const invitation = {
    ...{ operator, terms, signature },
    context: { chainId: BigInt(chainId), contract, deployment },
  };
  ensureInvited(signerOf(invitation) === operator, "altered", `it is not as its operator ${operator} signed it`);
  const end = utcText(terms.expires);
  ensureInvited(nowSeconds < terms.expires, "expired", `it was good until ${end}`);
  return invitation;
}

/**
 * Checks an invitation against the chain, as the endpoint shows it.
 * @throws INVITATION_REFUSED; CHAIN_* errors
 */
export async function checkInvitation({ context, operator, terms }: Invitation, chain: TaskReader): Promise<void> {
  const actual = { ...chain.context, operator: await chain.operator(), hash: await chain.parametersHash() };
  const { taskCid, keysHash } = await chain.parameters();
  ensureInvited(
    actual.chainId === context.chainId,
    "chain",
    `it is for chain ${context.chainId}, and the endpoint serves chain ${actual.chainId}`,
  );
  ensureInvited(
    actual.operator === operator,
    "operator",
    `${operator} signed it, and the contract's operator is ${actual.operator}`,
  );
  ensureInvited(
    actual.deployment === context.deployment,
    "deployment",
    `the contract at ${context.contract} is another deployment than the one that it is for`,
  );
  ensureInvited(keysHash === terms.keysHash, "keys", "the contract has other proving keys than it says");
  ensureInvited(
    taskCid === terms.taskCid && actual.hash === terms.parametersHash,
    "task",
    "the contract has another task than it says",
  );
}

/** @throws INVITATION_REFUSED, with the reason as evidence */
export function ensureInvited(condition: boolean, reason: Refusal, message: string): asserts condition {
  if (!condition) throw new VerisumError("INVITATION_REFUSED", `the invitation is refused: ${message}`, { reason });
}

function contentOf(bytes: Uint8Array): z.infer<typeof schema> {
  ensureInvited(bytes.length <= MAX_INVITATION_BYTES, "malformed", `it has more than ${MAX_INVITATION_BYTES} bytes`);
  let json: unknown;
  try {
    json = strictJson(bytes);
  } catch (cause) {
    const said = cause instanceof SyntaxError ? `: ${cause.message}` : "";
    ensureInvited(false, "malformed", `it is no file that fl-operator invite wrote${said}`);
  }
  const parsed = schema.safeParse(json);
  const issue = parsed.error?.issues[0];
  const place = issue === undefined ? "" : `: ${issue.path.join(".")} ${issue.message}`;
  ensureInvited(parsed.success, "malformed", `it is no file that fl-operator invite wrote${place}`);
  return parsed.data;
}

function signerOf({ context, terms, signature }: Invitation): Hex | undefined {
  try {
    return recoverInviter(context, terms, signature);
  } catch (error) {
    if (isVerisumError(error, "SIGNATURE_INVALID")) return undefined;
    throw error;
  }
}
