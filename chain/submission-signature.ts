/** Signatures with which clients let others send their submissions, as the contract checks them. */
import { AbiCoder, keccak256 } from "ethers";
import type { Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeSubmission } from "./codec.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";
import type { SignedSubmission, TaskContext } from "./task-chain.ts";
import { messageDigest, recoverSigner, signMessage } from "./typed-data.ts";
import type { Message } from "./typed-data.ts";

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
  context: TaskContext & { readonly round: bigint },
  submission: Submission,
): Promise<SignedSubmission> {
  const client = wallet.address.toLowerCase() as Hex;
  const message = messageOf(context, client, submission);
  return { client, submission, signature: await signMessage(wallet, context, "RelayedSubmission", message) };
}

/**
 * Checks that the submission is signed by the client it names. High s is refused, as the contract refuses it.
 * @throws SIGNATURE_INVALID
 */
export function checkSubmissionSignature(
  context: TaskContext & { readonly round: bigint },
  { client, submission, signature }: SignedSubmission,
): void {
  const message = messageOf(context, client, submission);
  if (recoverSigner(context, "RelayedSubmission", message, signature, { client }) !== client.toLowerCase()) {
    throw new VerisumError("SIGNATURE_INVALID", `the submission is not signed by ${client}`, { client });
  }
}

/** keccak-256("\x19\x01" ‖ domain separator ‖ struct hash). */
export function submissionDigest(
  context: TaskContext & { readonly round: bigint },
  client: Hex,
  submission: Submission,
): Hex {
  return messageDigest(context, "RelayedSubmission", messageOf(context, client, submission));
}

function messageOf(
  { round }: { readonly round: bigint },
  client: Hex,
  submission: Submission,
): Message<"RelayedSubmission"> {
  return { round, client, submissionHash: submissionHash(submission) };
}
