/** A key folder that claims to come from a ceremony, verified whole: what operators run before they publish one. */
import { bytesToHex } from "@noble/hashes/utils.js";
import { readManifest } from "../groth16/manifest.ts";
import type { ClaimedSetup, KeyFiles, Manifest } from "../groth16/manifest.ts";
import { readVerificationKeys } from "../groth16/public-keys.ts";
import { keyFolder } from "../node/key-folder.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import { requireContributors, verifySetup } from "./setup.ts";
import type { SetupEnvironment, VerifiedSetup } from "./setup.ts";
import type { NamedFiles } from "./setup-folder.ts";
import { ceremonyRefused } from "./transcript.ts";
import type { VerifiedTranscript } from "./verify-transcript.ts";

/**
 * Verifies the ceremony behind a key folder, and that its manifest and verification keys say the same.
 * @param cidOf the CID of a published directory with these files
 * @throws CEREMONY_REFUSED, CEREMONY_UNFINISHED, POWERS_REFUSED, KEY_REFUSED, KEY_ARTIFACT_CORRUPT
 */
export async function verifyKeyFolder(
  directory: string,
  cidOf: (files: NamedFiles) => Promise<string>,
  environment: SetupEnvironment,
): Promise<VerifiedSetup> {
  const folder = keyFolder(directory);
  const manifest = await readManifest(folder);
  const { setup: claim } = manifest;
  if (claim === undefined)
    throw ceremonyRefused("transcript", "the key folder names no ceremony: it holds development keys");
  return verifySetup(directory, environment, async ({ transcript, transcriptFiles }) => {
    requireContributors(transcript);
    requireClaim(claim, transcript, await cidOf(transcriptFiles));
    await requireKeys(folder, manifest, transcript);
  });
}

/**
 * The verification keys, from which the contract's hash is, are the transcript's.
 * @throws CEREMONY_REFUSED, KEY_ARTIFACT_CORRUPT
 */
async function requireKeys(
  folder: KeyFiles,
  manifest: Manifest,
  { verificationKeys }: VerifiedTranscript,
): Promise<void> {
  const claimed = await readVerificationKeys(folder, manifest);
  if (bytesToHex(hashVerificationKeys(claimed)) !== bytesToHex(hashVerificationKeys(verificationKeys)))
    throw ceremonyRefused("keys", "the verification keys are not those that the transcript ends with");
}

/** A claim about a ceremony is what its verified transcript says. @throws CEREMONY_REFUSED */
function requireClaim(claimed: ClaimedSetup, { contributors }: VerifiedTranscript, cid: string): void {
  if (claimed.transcript !== cid)
    throw ceremonyRefused("transcript", `the manifest names the transcript ${claimed.transcript}, and it is ${cid}`);
  if (claimed.contributors.join("\n") !== contributors.join("\n"))
    throw ceremonyRefused(
      "contributors",
      `the manifest names ${claimed.contributors.join("; ")}, the transcript ${contributors.join("; ")}`,
    );
}

/** Who knows the keys' secrets together, in words. */
export function ceremonyLine({ contributors, beacon }: Pick<VerifiedTranscript, "contributors" | "beacon">): string {
  const count = `${contributors.length} contributor${contributors.length === 1 ? "" : "s"}`;
  return `keys of a ceremony of ${count}: ${contributors.join("; ")}${beacon === undefined ? "" : "; and a beacon"}`;
}
