/** What a task's key folder says of where its keys come from: a claim, read wherever the auditor runs. */
import { cidFromDigest } from "../content/cid.ts";
import { DEVELOPMENT_NOTICE, readManifest } from "../proving/groth16/manifest.ts";
import type { ClaimedSetup, Manifest } from "../proving/groth16/manifest.ts";
import type { OpenTask } from "./opened-task.ts";

/** What is known of a task's keys. */
export interface KeysOrigin {
  readonly state: "development" | "claimed" | "verified";
  readonly contributors: readonly string[];
  /** CID of the transcript, of a ceremony. */
  readonly transcript?: string;
  /** One line for people. */
  readonly says: string;
}

const MAX_MANIFEST_BYTES = 1 << 20;

/** What a key folder claims, in words. */
export function claimLine({ setup }: Pick<Manifest, "setup">): string {
  if (setup === undefined) return DEVELOPMENT_NOTICE;
  const count = `${setup.contributors.length} contributor${setup.contributors.length === 1 ? "" : "s"}`;
  return `keys that claim a ceremony of ${count}: ${setup.contributors.join("; ")}; not verified here`;
}

/**
 * The ceremony that a task's key folder names; undefined for keys of one machine.
 * @throws KEY_ARTIFACT_CORRUPT, store errors
 */
export async function claimedSetup({
  store,
  document,
}: Pick<OpenTask, "store" | "document">): Promise<ClaimedSetup | undefined> {
  const cid = cidFromDigest(document.keysCid);
  const { setup } = await readManifest({
    place: cid,
    read: (name) => store.getFile(cid, name, { maxBytes: MAX_MANIFEST_BYTES }),
    sha256: () => Promise.reject(new Error("only the manifest is read")),
  });
  return setup;
}

/** What is known without verifying anything. */
export function claimedOrigin(setup: ClaimedSetup | undefined): KeysOrigin {
  if (setup === undefined) return { state: "development", contributors: [], says: claimLine({ setup }) };
  return { state: "claimed", ...setup, says: claimLine({ setup }) };
}
