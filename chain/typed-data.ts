/** EIP-712 signatures under a task's domain, over the types that the contract's source states. */
import { Signature, TypedDataEncoder, verifyTypedData } from "ethers";
import type { TypedDataDomain, TypedDataField, Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { DOMAIN, SIGNED_TYPES } from "./generated/typed-data.ts";
import type { CompactSignature, TaskContext } from "./task-chain.ts";

type SignedTypes = typeof SIGNED_TYPES;
/** A type that is signed. */
export type SignedType = keyof SignedTypes;

/** A message of this type: its fields and no others. */
export type Message<T extends SignedType> = {
  readonly [F in SignedTypes[T][number] as F["name"]]: F["type"] extends `uint${string}` ? bigint | number : Hex;
};

/** Signs a message. The private key stays in the wallet. */
export async function signMessage<T extends SignedType>(
  wallet: Wallet,
  context: TaskContext,
  type: T,
  message: Message<T>,
): Promise<CompactSignature> {
  const { r, yParityAndS } = Signature.from(await wallet.signTypedData(domainOf(context), fieldsOf(type), message));
  return { r: r as Hex, vs: yParityAndS as Hex };
}

/**
 * The address that signed a message. High s is refused, as the contract refuses it.
 * @param evidence whose signature it should be, for the error
 * @throws SIGNATURE_INVALID if it is no signature
 */
export function recoverSigner<T extends SignedType>(
  context: TaskContext,
  type: T,
  message: Message<T>,
  signature: CompactSignature,
  evidence: { readonly client?: Hex } = {},
): Hex {
  try {
    const full = Signature.from({ r: signature.r, yParityAndS: signature.vs });
    return verifyTypedData(domainOf(context), fieldsOf(type), message, full).toLowerCase() as Hex;
  } catch (cause) {
    throw new VerisumError("SIGNATURE_INVALID", "the signature is malformed", evidence, { cause });
  }
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function messageDigest<T extends SignedType>(context: TaskContext, type: T, message: Message<T>): Hex {
  return TypedDataEncoder.hash(domainOf(context), fieldsOf(type), message) as Hex;
}

/** A domain of one chain, contract and deployment. */
export function domainOf({ chainId, contract, deployment }: TaskContext): TypedDataDomain {
  return { ...DOMAIN, chainId, verifyingContract: contract, salt: deployment };
}

function fieldsOf(type: SignedType): Record<string, TypedDataField[]> {
  return { [type]: [...SIGNED_TYPES[type]] };
}
