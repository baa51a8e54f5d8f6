/**
 * Where a task's keys come from: a ceremony, or one machine. What a key folder says of it is a claim until its
 * transcript and every base of its keys have been verified, once on a machine.
 */
import { join } from "node:path";
import { z } from "zod";
import { cidFromDigest } from "../content/cid.ts";
import { buildDirectory } from "../content/profile.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { toHex } from "../protocol/transcript.ts";
import { hashVerificationKeys } from "../protocol/verification-key.ts";
import { ceremonyLine, verifyKeyFolder } from "../proving/ceremony/key-folder.ts";
import { TRANSCRIPT_FOLDER } from "../proving/ceremony/setup-folder.ts";
import type { NamedFiles } from "../proving/ceremony/setup-folder.ts";
import { MAX_TRANSCRIPT_FILES } from "../proving/ceremony/transcript.ts";
import type { Curve } from "../proving/curve/curve.ts";
import { isPlainName, MANIFEST_FILE, readManifest } from "../proving/groth16/manifest.ts";
import type { ClaimedSetup } from "../proving/groth16/manifest.ts";
import { keyFolder } from "../proving/node/key-folder.ts";
import { encodeRecord, readIfPresent, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import { claimedOrigin, claimedSetup } from "./keys-claim.ts";
import type { KeysOrigin } from "./keys-claim.ts";
import type { PublishingTask } from "./opened-task.ts";

/** Changes with what is verified: a ceremony that passed an earlier check is verified again. */
const CHECK_VERSION = "verisum-setup-check/1";
/** Beside the key folder, not in it: whoever wrote the folder must not write this. */
const RECORD_SUFFIX = ".setup.json";
const MAX_JSON_BYTES = 1 << 20;
const MAX_KEY_FILE_BYTES = 1 << 30;
const MAX_TRANSCRIPT_BYTES = 1 << 24;
const recordSchema = z.strictObject({
  check: z.literal(CHECK_VERSION),
  keysHash: z.string(),
  transcript: z.string(),
  says: z.string(),
});

/** The CID under which a transcript is published. */
export async function transcriptCid(files: NamedFiles): Promise<string> {
  return (await buildDirectory(files)).root.toString();
}

/**
 * What is known without verifying anything now.
 * @param keyFolders where key folders may have been verified: `keys/` of state directories
 * @throws KEY_ARTIFACT_CORRUPT, store errors
 */
export async function keysOrigin(task: PublishingTask, keyFolders: readonly string[]): Promise<KeysOrigin> {
  const setup = await claimedSetup(task);
  if (setup === undefined) return claimedOrigin(setup);
  const cid = cidFromDigest(task.document.keysCid);
  for (const folder of keyFolders) {
    const says = await readVerified(`${join(folder, cid)}${RECORD_SUFFIX}`, task.parameters.keysHash, setup);
    if (says !== undefined) return { state: "verified", ...setup, says };
  }
  return claimedOrigin(setup);
}

/** A damaged or older record only costs another check. */
async function readVerified(file: string, keysHash: string, { transcript }: ClaimedSetup): Promise<string | undefined> {
  const parsed = recordSchema.safeParse(await readRecordOrNull(file));
  const isOfThese = parsed.success && parsed.data.keysHash === keysHash && parsed.data.transcript === transcript;
  return isOfThese ? parsed.data.says : undefined;
}

export interface OriginEnvironment {
  readonly curve: Curve;
  readonly random: RandomBytes;
  readonly reporter: Reporter;
}

/**
 * Verifies a task's ceremony: fetches the key folder and the transcript, checks every proof and every base, and that
 * the contract verifies with these keys. Done once for each key folder. Keys for development pass as what they are.
 * @param keyFolders `keys/` of the state directory
 * @throws CEREMONY_REFUSED, POWERS_REFUSED, KEY_REFUSED, KEY_ARTIFACT_CORRUPT, store errors
 */
export async function verifyKeysOrigin(
  task: PublishingTask,
  keyFolders: string,
  environment: OriginEnvironment,
): Promise<KeysOrigin> {
  const known = await keysOrigin(task, [keyFolders]);
  if (known.state !== "claimed") return known;
  const cid = cidFromDigest(task.document.keysCid);
  const directory = join(keyFolders, cid);
  await fetchFolder(task, cid, known.transcript!, directory, environment.reporter);
  const { transcript } = await verifyKeyFolder(directory, transcriptCid, {
    ...environment,
    onStep: (step) => environment.reporter.say("info", "checking-key", step),
  });
  const { keysHash } = task.parameters;
  if (toHex(hashVerificationKeys(transcript.verificationKeys)) !== keysHash)
    throw new VerisumError("KEY_REFUSED", "the ceremony's keys are not the ones that the contract verifies with", {
      rule: "hash",
    });
  const says = ceremonyLine(transcript);
  const record = { check: CHECK_VERSION, keysHash, transcript: known.transcript, says };
  await writeDurably(`${directory}${RECORD_SUFFIX}`, encodeRecord(record));
  return { ...known, state: "verified", says };
}

/** Fetches what is not there yet; everything is compared with its CID on the way, and verified afterwards. */
async function fetchFolder(
  { store }: PublishingTask,
  cid: string,
  transcript: string,
  directory: string,
  reporter: Reporter,
): Promise<void> {
  const fetchFile = async (from: string, name: string, folder: string, maxBytes: number): Promise<void> => {
    if (!isPlainName(name))
      throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a published file's name is not a plain name", { name });
    const path = join(folder, name);
    if ((await readIfPresent(path)) !== undefined) return;
    reporter.say("info", "fetching-key", `fetching ${name}`, { name });
    await writeDurably(path, await store.getFile(from, name, { maxBytes }));
  };
  await fetchFile(cid, MANIFEST_FILE, directory, MAX_JSON_BYTES);
  const manifest = await readManifest(keyFolder(directory));
  for (const name of Object.keys(manifest.files)) await fetchFile(cid, name, directory, MAX_KEY_FILE_BYTES);
  const files = await store.list(transcript);
  if (files.length > MAX_TRANSCRIPT_FILES)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", `a transcript of ${files.length} files is more than anybody reads`);
  for (const { name } of files)
    await fetchFile(transcript, name, join(directory, TRANSCRIPT_FOLDER), MAX_TRANSCRIPT_BYTES);
}
