/** Members' signatures over a round's result, as the contract checks them. */
import type { Wallet } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import type { CompactSignature, SignedResult, TaskContext } from "./task-chain.ts";
import { messageDigest, recoverSigner, signMessage } from "./typed-data.ts";
import type { Message } from "./typed-data.ts";

/** Signs a result. The private key stays in the wallet. */
export function signResult(wallet: Wallet, context: TaskContext, result: SignedResult): Promise<CompactSignature> {
  return signMessage(wallet, context, "Result", messageOf(result));
}

/**
 * The address that signed a result. High s is refused, as the contract refuses it.
 * @throws SIGNATURE_INVALID
 */
export function recoverResultSigner(context: TaskContext, result: SignedResult, signature: CompactSignature): Hex {
  return recoverSigner(context, "Result", messageOf(result), signature);
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function resultDigest(context: TaskContext, result: SignedResult): Hex {
  return messageDigest(context, "Result", messageOf(result));
}

function messageOf(result: SignedResult): Message<"Result"> {
  const { sum, ...rest } = result;
  return { ...rest, sumX: sum.x, sumY: sum.y };
}
