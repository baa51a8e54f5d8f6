/** EIP-712 signatures with which clients let others send their submissions, as the contract checks them. */
import { AbiCoder, keccak256, Signature, TypedDataEncoder, verifyTypedData } from "ethers";
import type { Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex, RoundContext } from "../protocol/transcript.ts";
import { encodeSubmission } from "./codec.ts";
import { compact, signingDomain } from "./result-signature.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";
import type { CompactSignature, SignedSubmission } from "./task-chain.ts";

const TYPES = {
  RelayedSubmission: [
    { name: "round", type: "uint64" },
    { name: "client", type: "address" },
    { name: "submissionHash", type: "bytes32" },
  ],
};

const SUBMISSION_TYPE = VERISUM_INTERFACE.getFunction("submit")!.inputs[1]!;

/** keccak-256 of the submission's own ABI encoding: every byte that the contract would see of it. */
export function submissionHash(submission: Submission): Hex {
  // The encoder puts the offset of a dynamic value before it.
  const encoded = AbiCoder.defaultAbiCoder().encode([SUBMISSION_TYPE], [encodeSubmission(submission)]);
  return keccak256(`0x${encoded.slice(2 + 64)}`) as Hex;
}

/** Signs a submission of the wallet's account, good for this chain, contract and round only. */
export async function signSubmission(
  wallet: Wallet,
  context: RoundContext,
  submission: Submission,
): Promise<SignedSubmission> {
  const client = wallet.address.toLowerCase() as Hex;
  return {
    client,
    submission,
    signature: compact(await wallet.signTypedData(signingDomain(context), TYPES, message(context, client, submission))),
  };
}

/**
 * Checks that the submission is signed by the client it names. High s is refused, as the contract refuses it.
 * @throws SIGNATURE_INVALID
 */
export function checkSubmissionSignature(
  context: RoundContext,
  { client, submission, signature }: SignedSubmission,
): void {
  if (recover(context, client, submission, signature) !== client.toLowerCase()) {
    throw new VerisumError("SIGNATURE_INVALID", `the submission is not signed by ${client}`, { client });
  }
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function submissionDigest(context: RoundContext, client: Hex, submission: Submission): Hex {
  return TypedDataEncoder.hash(signingDomain(context), TYPES, message(context, client, submission)) as Hex;
}

function recover(context: RoundContext, client: Hex, submission: Submission, signature: CompactSignature): string {
  try {
    const full = Signature.from({ r: signature.r, yParityAndS: signature.vs });
    return verifyTypedData(signingDomain(context), TYPES, message(context, client, submission), full).toLowerCase();
  } catch (cause) {
    throw new VerisumError("SIGNATURE_INVALID", "the signature is malformed", { client }, { cause });
  }
}

function message({ round }: RoundContext, client: Hex, submission: Submission): Record<string, unknown> {
  return { round, client, submissionHash: submissionHash(submission) };
}
