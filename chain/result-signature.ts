/** EIP-712 signatures over a round's result, as the contract checks them. */
import { Signature, TypedDataEncoder, verifyTypedData } from "ethers";
import type { Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex, RoundContext } from "../protocol/transcript.ts";
import type { CompactSignature, SignedResult } from "./task-chain.ts";

const TYPES = {
  Result: [
    { name: "round", type: "uint64" },
    { name: "included", type: "uint256" },
    { name: "totalWeight", type: "uint32" },
    { name: "sumX", type: "uint256" },
    { name: "sumY", type: "uint256" },
    { name: "aggregateCid", type: "bytes32" },
    { name: "aggregateDigest", type: "bytes32" },
    { name: "modelCid", type: "bytes32" },
    { name: "modelDigest", type: "bytes32" },
  ],
};

type Context = Omit<RoundContext, "round">;

/** Signs a result. The private key stays in the wallet. */
export async function signResult(wallet: Wallet, context: Context, result: SignedResult): Promise<CompactSignature> {
  return compact(await wallet.signTypedData(signingDomain(context), TYPES, message(result)));
}

/**
 * The address that signed a result. High s is refused, as the contract refuses it.
 * @throws SIGNATURE_INVALID
 */
export function recoverResultSigner(context: Context, result: SignedResult, signature: CompactSignature): Hex {
  try {
    const full = Signature.from({ r: signature.r, yParityAndS: signature.vs });
    return verifyTypedData(signingDomain(context), TYPES, message(result), full).toLowerCase() as Hex;
  } catch (cause) {
    throw new VerisumError("SIGNATURE_INVALID", "the signature is malformed", {}, { cause });
  }
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function resultDigest(context: Context, result: SignedResult): Hex {
  return TypedDataEncoder.hash(signingDomain(context), TYPES, message(result)) as Hex;
}

/** The EIP-712 domain of everything that is signed for a task. */
export function signingDomain({ chainId, contract }: Context): {
  name: string;
  version: string;
  chainId: bigint;
  verifyingContract: string;
} {
  return { name: "Verisum", version: "1", chainId, verifyingContract: contract };
}

/** EIP-2098. */
export function compact(signature: string): CompactSignature {
  const { r, yParityAndS } = Signature.from(signature);
  return { r: r as Hex, vs: yParityAndS as Hex };
}

function message(result: SignedResult): Record<string, unknown> {
  const { sum, ...rest } = result;
  return { ...rest, sumX: sum.x, sumY: sum.y };
}
