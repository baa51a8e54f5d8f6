/** A task's keys, fetched by CID once and checked against the contract each time they are loaded. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SubmissionVerifier } from "../protocol/batch-verification.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { KeyRule } from "../protocol/key-guard.ts";
import type { Layout } from "../protocol/layout.ts";
import type { ChunkProver, VectorCommitter } from "../protocol/ports.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { toHex } from "../protocol/transcript.ts";
import { hashVerificationKeys } from "../protocol/verification-key.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { G1_BYTES } from "../proving/curve/bn254.ts";
import { openCurve } from "../proving/node/open-curve.ts";
import { kzgCommitter } from "../proving/curve/kzg.ts";
import { cidFromDigest } from "../content/cid.ts";
import { chunkProver } from "../proving/groth16/chunk-prover.ts";
import type { ProverCommand } from "../proving/groth16/prover-command.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { loadKeySet } from "../proving/groth16/key-set.ts";
import type { KeySet } from "../proving/groth16/key-set.ts";
import {
  isPlainName,
  MANIFEST_FILE,
  POWERS_FILE,
  readManifest,
  VERIFICATION_KEYS_FILE,
} from "../proving/groth16/manifest.ts";
import { keyFolder } from "../proving/node/key-folder.ts";
import { readIfPresent, writeDurably } from "../storage/durable-file.ts";
import type { SharedRecords } from "../storage/own-record.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import { claimLine } from "./keys-claim.ts";
import type { OpenTask } from "./opened-task.ts";

const MAX_KEY_FILE_BYTES = 1 << 30;
/** The manifest and the verification keys: some KiB. */
const MAX_JSON_BYTES = 1 << 20;

/**
 * The powers of tau, for members and aggregators.
 * @param records where the user's processes remember which keys passed their checks; in the state directory if absent
 * @throws KEY_REFUSED, KEY_ARTIFACT_CORRUPT, store errors
 */
export async function loadCommitter(
  task: OpenTask,
  state: StateDirectory,
  random: RandomBytes,
  reporter: Reporter,
  records?: SharedRecords,
): Promise<VectorCommitter> {
  const keys = await load(task, state, [], random, reporter, records);
  return kzgCommitter(await openCurve(), keys.powers);
}

/** What a client proves and verifies with. */
export interface ProvingKeys {
  readonly committer: VectorCommitter;
  readonly prover: ChunkProver;
  readonly verificationKeys: VerificationKeys;
  /** Verifies others' submissions together, in the engine that proves. */
  readonly verifier: SubmissionVerifier;
  /** Ends when the proving keys have passed every check. @throws KEY_REFUSED, KEY_ARTIFACT_CORRUPT, store errors */
  readonly checked: Promise<void>;
}

/**
 * The powers and the proving keys of the task's chunk kinds, for clients. Throws like `loadCommitter`. The proving keys
 * are still being read when this returns, so that a client can prepare meanwhile.
 * @param records as for `loadCommitter`
 * @param command proves in place of the built-in prover
 */
export async function loadProvingKeys(
  task: OpenTask,
  state: StateDirectory,
  random: RandomBytes,
  reporter: Reporter,
  records?: SharedRecords,
  command?: ProverCommand,
): Promise<ProvingKeys> {
  const kindIndexes = [...new Set(task.layout.chunks.map((chunk) => chunk.kindIndex))];
  const keys = await load(task, state, kindIndexes, random, reporter, records);
  const curve = await openCurve();
  const prover = chunkProver(curve, keys, random, command);
  const checked = prover.preload(kindIndexes);
  // Whoever does not wait for it meets the failure when it proves.
  checked.catch(() => undefined);
  return {
    verificationKeys: keys.verificationKeys,
    committer: kzgCommitter(curve, keys.powers),
    prover,
    verifier: submissionVerifier(curve, random),
    checked,
  };
}

/** Loads the key folder; what is damaged in it is fetched again, once. */
async function load(...from: Parameters<typeof loadOnce>): Promise<KeySet> {
  const keys = await orFetchedAgain(from, () => loadOnce(...from));
  return {
    ...keys,
    provingFiles: (kindIndex) =>
      orFetchedAgain(from, async (isAgain) => (isAgain ? await loadOnce(...from) : keys).provingFiles(kindIndex)),
  };
}

/** @param work told whether the folder has been fetched again */
async function orFetchedAgain<T>(
  [task, state, , , reporter]: Parameters<typeof loadOnce>,
  work: (isAgain: boolean) => Promise<T>,
): Promise<T> {
  try {
    return await work(false);
  } catch (error) {
    if (!isVerisumError(error, "KEY_ARTIFACT_CORRUPT")) throw error;
    const directory = folderOf(task, state);
    reporter.say("warn", "key-damaged", `${error.message}: the keys in ${directory} are fetched again`);
    await rm(directory, { recursive: true, force: true });
    return work(true);
  }
}

function folderOf({ document }: OpenTask, state: StateDirectory): string {
  return state.file("keys", cidFromDigest(document.keysCid));
}

async function loadOnce(
  task: OpenTask,
  state: StateDirectory,
  kindIndexes: readonly number[],
  random: RandomBytes,
  reporter: Reporter,
  records?: SharedRecords,
): Promise<KeySet> {
  const keysCid = cidFromDigest(task.document.keysCid);
  const directory = folderOf(task, state);
  const fetchFile = async (name: string, maxBytes: number): Promise<void> => {
    const path = join(directory, name);
    if ((await readIfPresent(path)) !== undefined) return;
    reporter.say("info", "fetching-key", `fetching ${name}`, { name });
    await writeDurably(path, await task.store.getFile(keysCid, name, { maxBytes }));
  };
  for (const name of [MANIFEST_FILE, VERIFICATION_KEYS_FILE]) await fetchFile(name, MAX_JSON_BYTES);
  await requirePublishedManifest(task, directory);
  await fetchFile(POWERS_FILE, maxPowers(task.layout) * G1_BYTES);
  const manifest = await readManifest(keyFolder(directory));
  for (const index of kindIndexes) {
    const kind = manifest.kinds[index];
    if (kind === undefined)
      throw new VerisumError("KEY_ARTIFACT_CORRUPT", `the task's keys have no chunk kind ${index}`, {
        kindIndex: index,
      });
    for (const name of [kind.zkey, kind.wireBases, kind.witnessProgram, kind.constraints])
      await fetchFile(localName(name), MAX_KEY_FILE_BYTES);
  }
  const [level, event] =
    manifest.setup === undefined ? (["warn", "insecure-keys"] as const) : (["info", "ceremony-keys"] as const);
  reporter.say(level, event, claimLine(manifest));
  const onStep = (step: string): void => reporter.say("info", "checking-key", step);
  const keys = await loadKeySet(await openCurve(), directory, random, onStep, records);
  if (toHex(hashVerificationKeys(keys.verificationKeys)) !== task.parameters.keysHash) {
    throw new VerisumError("KEY_REFUSED", "the task's keys are not the ones that its contract verifies with", {
      rule: "hash",
    });
  }
  if (keys.preset.name !== task.layout.preset.name)
    throw new VerisumError("KEY_REFUSED", "the task's keys are of another preset than the task (preset)", {
      rule: "preset" satisfies KeyRule,
    });
  return keys;
}

/**
 * The manifest vouches for the other files, and says whether the keys are insecure: it has to be the published one.
 * @throws KEY_ARTIFACT_CORRUPT if it is damaged; store errors, but for content that is away
 */
async function requirePublishedManifest(task: OpenTask, directory: string): Promise<void> {
  const keysCid = cidFromDigest(task.document.keysCid);
  const held = await readIfPresent(join(directory, MANIFEST_FILE));
  const published = await task.store
    .getFile(keysCid, MANIFEST_FILE, { maxBytes: MAX_JSON_BYTES })
    .catch((error: unknown) => {
      if (!isVerisumError(error, "IPFS_UNAVAILABLE")) throw error;
      return held;
    });
  if (held === undefined || published === undefined || Buffer.compare(held, published) !== 0)
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the key manifest is not the published one", {
      file: MANIFEST_FILE,
    });
}

/** Nobody has to hold more powers in memory than the task and the checks of its preset's keys take. */
function maxPowers({ elementCount, preset }: Layout): number {
  const checked = Math.max(...preset.kinds.map(({ domainBits }) => 2 ** (domainBits + 1)));
  return 2 * Math.max(elementCount, checked);
}

/** A file name from the manifest, which a stranger wrote, as a name inside one directory. */
function localName(name: string): string {
  if (!isPlainName(name))
    throw new VerisumError("KEY_ARTIFACT_CORRUPT", "a file name in the key manifest is not a plain name", { name });
  return name;
}
