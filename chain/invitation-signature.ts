/** The operator's signature under an invitation: EIP-712 under the task's domain. No contract checks it; clients do. */
import { Signature, verifyTypedData } from "ethers";
import type { Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { CompactSignature, TaskContext } from "./task-chain.ts";
import { domainOf } from "./typed-data.ts";

/** What an invitation says of a task, besides which contract on which chain it is. */
export interface InvitationTerms {
  readonly taskCid: Hex;
  readonly parametersHash: Hex;
  readonly keysHash: Hex;
  /** JSON-RPC endpoints of the chain. */
  readonly endpoints: readonly string[];
  /** Nodes that have the task's content. */
  readonly peers: readonly string[];
  /** Unix seconds. */
  readonly expires: number;
}

/** EIP-712's. */
export const INVITATION_TYPES = {
  Invitation: [
    { name: "taskCid", type: "bytes32" },
    { name: "parametersHash", type: "bytes32" },
    { name: "keysHash", type: "bytes32" },
    { name: "endpoints", type: "string[]" },
    { name: "peers", type: "string[]" },
    { name: "expires", type: "uint64" },
  ],
};

/** Signs the terms for this chain, contract and deployment. The private key stays in the wallet. */
export async function signInvitationTerms(
  wallet: Wallet,
  context: TaskContext,
  terms: InvitationTerms,
): Promise<CompactSignature> {
  const { r, yParityAndS } = Signature.from(await wallet.signTypedData(domainOf(context), INVITATION_TYPES, terms));
  return { r: r as Hex, vs: yParityAndS as Hex };
}

/** The address that signed the terms. @throws SIGNATURE_INVALID if it is no signature */
export function recoverInviter(context: TaskContext, terms: InvitationTerms, { r, vs }: CompactSignature): Hex {
  try {
    const full = Signature.from({ r, yParityAndS: vs });
    return verifyTypedData(domainOf(context), INVITATION_TYPES, terms, full).toLowerCase() as Hex;
  } catch (cause) {
    throw new VerisumError("SIGNATURE_INVALID", "the signature is malformed", {}, { cause });
  }
}
