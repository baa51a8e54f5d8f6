import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { digestHexOfCid } from "../../../content/cid.ts";
import { buildDirectory } from "../../../content/profile.ts";
import { createContentStore } from "../../../content/store.ts";
import { toHex } from "../../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../../protocol/verification-key.ts";
import { keysOrigin, verifyKeysOrigin } from "../../../task/keys-origin.ts";
import type { PublishingTask } from "../../../task/opened-task.ts";
import { PRESETS } from "../../../protocol/parameters.ts";
import { verificationKeysToJson } from "../../../protocol/key-json.ts";
import { G1_GENERATOR } from "../../../protocol/points.ts";
import { digestOf } from "../../../proving/node/key-folder.ts";
import { G1_BYTES } from "../../../proving/curve/bn254.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { exportSetup } from "../../../proving/ceremony/export-setup.ts";
import { verifyKeyFolder } from "../../../proving/ceremony/key-folder.ts";
import { beginSetup, contribute, requireContributors, verifySetup } from "../../../proving/ceremony/setup.ts";
import type { SetupEnvironment, VerifiedSetup } from "../../../proving/ceremony/setup.ts";
import { TRANSCRIPT_FOLDER } from "../../../proving/ceremony/setup-folder.ts";
import type { NamedFiles } from "../../../proving/ceremony/setup-folder.ts";
import { contributionFile } from "../../../proving/ceremony/transcript.ts";
import type { CeremonyRule } from "../../../proving/ceremony/transcript.ts";
import { readSections } from "../../../proving/groth16/binary-file.ts";
import { loadKeySet } from "../../../proving/groth16/key-set.ts";
import { kindFiles, MANIFEST_FILE, POWERS_FILE, VERIFICATION_KEYS_FILE } from "../../../proving/groth16/manifest.ts";
import type { Manifest } from "../../../proving/groth16/manifest.ts";
import { ZKEY_SECTION } from "../../../proving/groth16/zkey.ts";
import { digest, jsonFile } from "../../support/ceremony.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";
import { makePublicPowers } from "../../support/powers-of-tau.ts";
import { seededRandom } from "../../support/random.ts";

const PRESET = PRESETS.tiny;
const KIND = PRESET.kinds[0]!;
const PARTIES = ["ETH Zürich", "EPFL"] as const;
const NAMES = kindFiles(KIND.name);

describe("a ceremony of two parties", function () {
  this.timeout(600_000);
  const random = seededRandom("two parties");
  const cidOf = async (files: NamedFiles): Promise<string> => (await buildDirectory(files)).root.toString();
  let environment: SetupEnvironment;
  let curve: Curve;
  let scratch: string;
  /** After 0, 1 and 2 parties. */
  let folders: string[];
  let last: VerifiedSetup;
  /** The key folder that the ceremony ends with. */
  let keyFolder: string;
  before(async () => {
    curve = await openCurve();
    environment = { curve, random, onStep: () => undefined };
    scratch = await mkdtemp(path.join(tmpdir(), "ceremony-"));
    const { one } = await makePublicPowers(scratch, KIND.domainBits + 1, 1);
    folders = PARTIES.reduce(
      (all, _, k) => [...all, path.join(scratch, `after-${k + 1}`)],
      [path.join(scratch, "start")],
    );
    await beginSetup(folders[0]!, { preset: PRESET, kindCount: 1, powers: one }, environment);
    for (const [k, name] of PARTIES.entries())
      last = await contribute(folders[k]!, folders[k + 1]!, name, { random, entropy: Uint8Array.of(k) }, environment);
    keyFolder = path.join(scratch, "keys");
    await exportSetup(folders[2]!, keyFolder, cidOf, environment);
  });
  after(async () => {
    await closeCurve();
    await rm(scratch, { recursive: true, force: true });
  });

  /** A copy of the finished folder with a file replaced, and the last contribution naming it. */
  async function replaced(file: keyof typeof NAMES, bytes: Uint8Array): Promise<string> {
    const folder = path.join(scratch, "replaced");
    await rm(folder, { recursive: true, force: true });
    await cp(folders[2]!, folder, { recursive: true });
    await writeFile(path.join(folder, NAMES[file]), bytes);
    const contribution = path.join(folder, "transcript", contributionFile(2));
    const json = JSON.parse(await readFile(contribution, "utf8")) as { kinds: { files: Record<string, string> }[] };
    json.kinds[0]!.files[file] = digest(bytes);
    await writeFile(contribution, jsonFile(json));
    return folder;
  }
  const read = async (file: keyof typeof NAMES, folder = folders[2]!): Promise<Uint8Array> =>
    new Uint8Array(await readFile(path.join(folder, NAMES[file])));

  it("verifies, and says who contributed in order", async () => {
    const { transcript } = await verifySetup(folders[2]!, environment);
    assert.deepEqual(transcript.contributors, PARTIES);
    assert.equal(transcript.digest, last.transcript.digest);
    requireContributors(transcript);
  });

  it("begins with keys that nothing accepts: verify says so, export and create-task refuse them", async () => {
    const { transcript } = await verifySetup(folders[0]!, environment);
    throwsCode(() => requireContributors(transcript), "CEREMONY_UNFINISHED");
    await rejectsCode(exportSetup(folders[0]!, path.join(scratch, "no"), cidOf, environment), "CEREMONY_UNFINISHED");
    await rejectsCode(loadKeySet(curve, folders[0]!, random), "KEY_ARTIFACT_CORRUPT");
  });

  it("ends with a key folder that provers load, which names the transcript and the parties", async () => {
    const { transcriptFiles } = last;
    const keys = await loadKeySet(curve, keyFolder, random);
    await keys.provingFiles(0);
    assert.deepEqual(keys.manifest.setup, { transcript: await cidOf(transcriptFiles), contributors: PARTIES });
    assert.equal(keys.manifest.insecure, false);
    assert.deepEqual(keys.verificationKeys, last.transcript.verificationKeys);
    const files = await readdir(path.join(keyFolder, "transcript"));
    assert.deepEqual(files.sort(), Object.keys(transcriptFiles).sort());
  });

  it("is called a claim until it was verified here, for the contract's hash, and then what it is", async () => {
    const { transcript, transcriptFiles } = last;
    const files: Record<string, Uint8Array> = {};
    for (const name of await readdir(keyFolder))
      if (name !== TRANSCRIPT_FOLDER) files[name] = new Uint8Array(await readFile(path.join(keyFolder, name)));
    const reporter = { say: () => undefined, wait: () => undefined };
    const store = await createContentStore({ directory: path.join(scratch, "store"), peers: () => [], reporter });
    const taskWith = async (keys: NamedFiles, keysHash: string): Promise<PublishingTask> =>
      ({
        store,
        document: { keysCid: digestHexOfCid(await store.putDirectory(keys)) },
        parameters: { keysHash },
      }) as unknown as PublishingTask;
    try {
      const keysHash = toHex(hashVerificationKeys(transcript.verificationKeys));
      const task = await taskWith(files, keysHash);
      const place = path.join(scratch, "keys-of-an-auditor");
      const all = { curve, random, reporter };
      assert.equal((await keysOrigin(task, [place])).state, "claimed");
      await rejectsCode(verifyKeysOrigin(task, place, all), "IPFS_UNAVAILABLE");
      await store.putDirectory(transcriptFiles);
      const other = await taskWith(files, `0x${"11".repeat(32)}`);
      await rejectsCode(verifyKeysOrigin(other, place, all), "KEY_REFUSED", { rule: "hash" });
      assert.equal((await keysOrigin(task, [place])).state, "claimed", "a refusal was remembered as a success");
      assert.equal((await verifyKeysOrigin(task, place, all)).state, "verified");
      const { state, contributors, says } = await keysOrigin(task, [place]);
      assert.deepEqual([state, contributors], ["verified", PARTIES]);
      assert.match(says, /ceremony of 2 contributors: ETH Zürich; EPFL/);
      assert.equal((await keysOrigin(other, [place])).state, "claimed", "a record of another contract's keys counted");
      const { setup: _, ...manifest } = JSON.parse(new TextDecoder().decode(files[MANIFEST_FILE])) as Manifest;
      const unnamed = await taskWith({ ...files, [MANIFEST_FILE]: jsonFile(manifest) }, keysHash);
      assert.equal((await verifyKeysOrigin(unnamed, place, all)).state, "development");
    } finally {
      await store.close();
    }
  });

  it("is refused as a key folder if its manifest claims another ceremony", async () => {
    const out = path.join(scratch, "claims");
    await cp(keyFolder, out, { recursive: true });
    const file = path.join(out, MANIFEST_FILE);
    const manifest = JSON.parse(await readFile(file, "utf8")) as Manifest;
    const claims = async (change: Partial<Manifest>, rule: CeremonyRule): Promise<void> => {
      await writeFile(file, JSON.stringify({ ...manifest, ...change }));
      await rejectsCode(verifyKeyFolder(out, cidOf, environment), "CEREMONY_REFUSED", { rule });
    };
    const { setup } = manifest;
    await claims({ setup: { ...setup!, contributors: [...PARTIES, "a third"] } }, "contributors");
    await claims({ setup: { ...setup!, contributors: PARTIES.toReversed() } }, "contributors");
    await claims({ setup: { ...setup!, transcript: await cidOf({ "start.json": new Uint8Array(1) }) } }, "transcript");
    await claims({ setup: undefined }, "transcript");
    const forged = jsonFile(verificationKeysToJson({ ...last.transcript.verificationKeys, alpha: G1_GENERATOR }));
    await writeFile(path.join(out, VERIFICATION_KEYS_FILE), forged);
    await claims({ files: { ...manifest.files, [VERIFICATION_KEYS_FILE]: digestOf(forged) } }, "keys");
  });

  // Every other base is refused in test/proving/groth16/key-check.test.ts.
  for (const [base, section, rule] of [
    ["A", ZKEY_SECTION.a, "a-bases"],
    ["the wires over delta", ZKEY_SECTION.c, "wire-bases"],
    ["the quotient", ZKEY_SECTION.h, "quotient-bases"],
  ] as const) {
    it(`is refused if its last party changes a base of ${base} as well`, async () => {
      const zkey = await read("zkey");
      const points = readSections(zkey, "zkey").get(section)!;
      const [from, to] = distinctPoints(points);
      points.copyWithin(to * G1_BYTES, from * G1_BYTES, (from + 1) * G1_BYTES);
      await rejectsCode(verifySetup(await replaced("zkey", zkey), environment), "KEY_REFUSED", { rule });
    });
  }

  it("is refused if a committed wire's base is changed, or not divided by the new factor of sigma", async () => {
    const bases = await read("wireBases");
    bases.copyWithin(0, G1_BYTES, 2 * G1_BYTES);
    for (const bytes of [bases, await read("wireBases", folders[1])])
      await rejectsCode(verifySetup(await replaced("wireBases", bytes), environment), "KEY_REFUSED", {
        rule: "wire-bases",
      });
  });

  it("is refused if the keys are those of the party before, with delta as the transcript says or not", async () => {
    const zkey = await read("zkey", folders[1]);
    await rejectsCode(verifySetup(await replaced("zkey", zkey), environment), "KEY_REFUSED", {
      rule: "verification-key-mismatch",
    });
    const header = readSections(await read("zkey"), "zkey").get(ZKEY_SECTION.header)!;
    readSections(zkey, "zkey").get(ZKEY_SECTION.header)!.set(header);
    await rejectsCode(verifySetup(await replaced("zkey", zkey), environment), "KEY_REFUSED", { rule: "wire-bases" });
  });

  it("is refused with a file that is not the one that the transcript names, or missing", async () => {
    for (const file of [...Object.values(NAMES), POWERS_FILE]) {
      const place = path.join(folders[2]!, file);
      const bytes = await readFile(place);
      const changed = Uint8Array.from(bytes);
      changed[changed.length - 1]! ^= 1;
      await writeFile(place, changed);
      const [code, rule] =
        file === NAMES.witnessProgram
          ? (["KEY_REFUSED", "witness-program"] as const)
          : (["CEREMONY_REFUSED", "files"] as const);
      await rejectsCode(verifySetup(folders[2]!, environment), code, { rule });
      await writeFile(place, bytes);
    }
    const place = path.join(folders[2]!, POWERS_FILE);
    const bytes = await readFile(place);
    await rm(place);
    await rejectsCode(verifySetup(folders[2]!, environment), "CEREMONY_REFUSED", { rule: "files" });
    await writeFile(place, bytes);
  });

  it("takes a contribution only onto what verifies, once for each name, and into a new folder", async () => {
    const out = path.join(scratch, "refused");
    const source = { random, entropy: new Uint8Array(0) };
    const zkey = await read("zkey");
    readSections(zkey, "zkey")
      .get(ZKEY_SECTION.h)!
      .copyWithin(0, G1_BYTES, 2 * G1_BYTES);
    await rejectsCode(contribute(await replaced("zkey", zkey), out, "a third", source, environment), "KEY_REFUSED");
    await rejectsCode(contribute(folders[2]!, out, PARTIES[0], source, environment), "CEREMONY_REFUSED", {
      rule: "name-repeats",
    });
    await rejectsCode(contribute(folders[2]!, folders[1]!, "a third", source, environment), "USAGE");
    const beacon = { beacon: { value: "0b".repeat(32), iterationBits: 2 } };
    await rejectsCode(contribute(folders[0]!, out, "a beacon", beacon, environment), "CEREMONY_UNFINISHED");
    assert.ok(
      !(await readdir(scratch)).some((name) => name.startsWith("refused")),
      "a refused contribution left files",
    );
  });

  it("leaves no secret in any file: each party's factors are drawn, used and nowhere to be found", async () => {
    const drawn: Uint8Array[] = [];
    const watched = (length: number): Uint8Array => {
      const bytes = random(length);
      drawn.push(bytes);
      return bytes;
    };
    const out = path.join(scratch, "watched");
    await contribute(folders[0]!, out, "watched", { random: watched, entropy: new Uint8Array(0) }, environment);
    assert.equal(drawn.length, 4, "two factors and two nonces are drawn, each from bytes of its own");
    assert.ok(
      drawn.every((bytes) => bytes.every((byte) => byte === 0)),
      "what was drawn is not erased",
    );
  });
});

/** Two entries of a section that are different points, neither infinite. */
function distinctPoints(points: Uint8Array): [from: number, to: number] {
  const text = (index: number): string =>
    Buffer.from(points.subarray(index * G1_BYTES, (index + 1) * G1_BYTES)).toString("hex");
  const finite = Array.from({ length: points.length / G1_BYTES }, (_, k) => k).filter((k) => /[1-9a-f]/.test(text(k)));
  const from = finite[0]!;
  return [from, finite.find((k) => text(k) !== text(from))!];
}
