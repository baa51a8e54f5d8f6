import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { groth16, zKey } from "snarkjs";
import { after, before, describe, it } from "mocha";
import { G1_BYTES, g1FromEngine } from "../../../proving/curve/bn254.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { digestOf } from "../../../proving/node/key-folder.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { readSections } from "../../../proving/groth16/binary-file.ts";
import { chunkWires } from "../../../proving/groth16/chunk-circuit.ts";
import { chunkInputs, CircomWitness } from "../../support/circom-witness.ts";
import { makeChunkKeys, makeCommonKeys } from "../../../proving/groth16/dev-setup.ts";
import { ensureDevKeys } from "../../../proving/groth16/ensure-keys.ts";
import { compileChunk } from "../../../proving/groth16/compile-chunk.ts";
import { loadKeySet } from "../../../proving/groth16/key-set.ts";
import type { KeySet } from "../../../proving/groth16/key-set.ts";
import {
  DEVELOPMENT_NOTICE,
  MANIFEST_FILE,
  POWERS_FILE,
  VERIFICATION_KEYS_FILE,
} from "../../../proving/groth16/manifest.ts";
import type { Manifest } from "../../../proving/groth16/manifest.ts";
import { witnessContainer } from "../../../proving/groth16/witness-container.ts";
import { ZKEY_SECTION } from "../../../proving/groth16/zkey.ts";
import { guardVerificationKeys } from "../../../protocol/key-guard.ts";
import { verificationKeysToJson } from "../../../protocol/key-json.ts";
import { PRESETS } from "../../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1, negateG1, pairingProductIsOne } from "../../../protocol/points.ts";
import { rejectsCode } from "../../support/errors.ts";
import { devKeys } from "../../support/proving.ts";
import { seededRandom } from "../../support/random.ts";

const KIND = PRESETS.tiny.kinds[0]!;

describe("development keys", function () {
  this.timeout(120_000);
  const random = seededRandom("development keys");
  const scratch: string[] = [];
  let curve: Curve;
  let keys: KeySet;
  before(async () => {
    curve = await openCurve();
    keys = await devKeys();
  });
  after(async () => {
    await closeCurve();
    for (const folder of scratch) await rm(folder, { recursive: true, force: true });
  });

  /** A copy of the key folder to damage. */
  async function copy(): Promise<string> {
    const own = await mkdtemp(path.join(tmpdir(), "keys-"));
    scratch.push(own);
    const folder = path.join(own, "keys"); // what is beside a folder counts where others cannot write
    await cp(keys.directory, folder, { recursive: true });
    return folder;
  }

  /** Replaces one file and its digest in the manifest, as somebody who publishes a bad folder would. */
  async function replace(folder: string, name: string, bytes: Uint8Array): Promise<void> {
    await writeFile(path.join(folder, name), bytes);
    const manifest = JSON.parse(await readFile(path.join(folder, MANIFEST_FILE), "utf8")) as Manifest;
    await writeFile(
      path.join(folder, MANIFEST_FILE),
      JSON.stringify({ ...manifest, files: { ...manifest.files, [name]: digestOf(bytes) } }),
    );
  }

  it("say that they are insecure and pass the guard", () => {
    assert.equal(keys.manifest.insecure, true);
    assert.notEqual(keys.manifest.notice, "");
    guardVerificationKeys(keys.verificationKeys, PRESETS.tiny);
  });

  it("are refused with any file changed by one byte, missing, or not listed", async () => {
    const folder = await copy();
    for (const name of (await readdir(folder)).filter((file) => file !== MANIFEST_FILE)) {
      const bytes = await readFile(path.join(folder, name));
      const at = bytes.length >> 1;
      bytes[at]! ^= 1;
      await writeFile(path.join(folder, name), bytes);
      const use = async (): Promise<void> => {
        const set = await loadKeySet(curve, folder, random);
        for (const index of PRESETS.tiny.kinds.keys()) await set.provingFiles(index);
      };
      await rejectsCode(use, "KEY_ARTIFACT_CORRUPT");
      await rm(path.join(folder, name));
      await rejectsCode(use, "KEY_ARTIFACT_CORRUPT");
      bytes[at]! ^= 1;
      await writeFile(path.join(folder, name), bytes);
      await use();
    }
    await rejectsCode(keys.provingFiles(2), "KEY_ARTIFACT_CORRUPT");
    const file = path.join(folder, MANIFEST_FILE);
    const text = await readFile(file, "utf8");
    // Of two values readers would take one or the other.
    await writeFile(file, text.replace('"preset"', '"preset": "tiny", "preset"'));
    await rejectsCode(loadKeySet(curve, folder, random), "KEY_ARTIFACT_CORRUPT");
    await assert.rejects(loadKeySet(curve, folder, random), /the key preset twice/);
    await rm(file);
    await rejectsCode(loadKeySet(curve, folder, random), "KEY_ARTIFACT_CORRUPT");
  });

  it("are refused if the powers are not those of the key, though every digest is right", async () => {
    const folder = await copy();
    const other = await makeCommonKeys(curve, { tau: 1234567n, alpha: 3n, beta: 5n }, keys.manifest.powers);
    await replace(folder, POWERS_FILE, other.powers);
    await rejectsCode(loadKeySet(curve, folder, random), "KEY_REFUSED", { rule: "powers-inconsistent" });
  });

  it("are refused by the guard if a key is forgeable, though every digest is right", async () => {
    const folder = await copy();
    const [first, ...rest] = keys.verificationKeys.kinds;
    const forgeable = { ...keys.verificationKeys, kinds: [{ ...first!, delta: G2_GENERATOR }, ...rest] };
    await replace(
      folder,
      VERIFICATION_KEYS_FILE,
      new TextEncoder().encode(JSON.stringify(verificationKeysToJson(forgeable))),
    );
    await rejectsCode(loadKeySet(curve, folder, random), "KEY_REFUSED");
  });

  for (const [name, rule] of [
    ["witnessProgram", "witness-program"],
    ["constraints", "circuit-unknown"],
  ] as const) {
    it(`are refused if the ${name} is another circuit's, though every digest is right`, async () => {
      const folder = await copy();
      const [first, second] = keys.manifest.kinds;
      await replace(folder, first![name], await readFile(path.join(folder, second![name])));
      await rejectsCode((await loadKeySet(curve, folder, random)).provingFiles(0), "KEY_REFUSED", { rule });
    });
  }

  it("are checked once, and again if a file has changed since", async () => {
    const folder = await copy();
    const steps: string[] = [];
    const use = async (): Promise<void> => {
      const set = await loadKeySet(curve, folder, random, (step) => void steps.push(step));
      await set.provingFiles(0);
    };
    await use();
    await use();
    assert.equal(steps.length, 1);
    const { zkey } = keys.manifest.kinds[0]!;
    const changed = new Uint8Array(await readFile(path.join(folder, zkey)));
    const h = readSections(changed, "zkey").get(ZKEY_SECTION.h)!;
    h.copyWithin(0, G1_BYTES, 2 * G1_BYTES);
    await replace(folder, zkey, changed);
    await rejectsCode(use(), "KEY_REFUSED", { rule: "quotient-bases" });
  });

  it("are checked once also where all kinds are asked for at the same time", async () => {
    const folder = await copy();
    const steps: string[] = [];
    const use = async (): Promise<void> => {
      const set = await loadKeySet(curve, folder, random, (step) => void steps.push(step));
      await Promise.all(PRESETS.tiny.kinds.map((_, index) => set.provingFiles(index)));
    };
    await use();
    await use();
    assert.equal(steps.length, PRESETS.tiny.kinds.length);
  });

  it("are refused with another circuit's constraints also where an earlier release found them good", async () => {
    const folder = await copy();
    const [first, second] = keys.manifest.kinds;
    await (await loadKeySet(curve, folder, random)).provingFiles(0);
    const record = `${folder}.checked.json`;
    const other = await readFile(path.join(folder, second!.constraints));
    const own = digestOf(await readFile(path.join(folder, first!.constraints))).sha256;
    await writeFile(record, (await readFile(record, "utf8")).replace(own, digestOf(other).sha256));
    await replace(folder, first!.constraints, other);
    await rejectsCode((await loadKeySet(curve, folder, random)).provingFiles(0), "KEY_REFUSED", {
      rule: "circuit-unknown",
    });
  });

  for (const [what, change] of Object.entries({
    "a preset that only every object has": (manifest: Manifest) => ({ ...manifest, preset: "constructor" }),
    "kinds that are none": (manifest: Manifest) => ({ ...manifest, kinds: manifest.kinds.map(() => null) }),
    "a file name that is a number": (manifest: Manifest) => ({
      ...manifest,
      kinds: manifest.kinds.map((kind) => ({ ...kind, zkey: 1 })),
    }),
    "a file name that is a path": (manifest: Manifest) => ({
      ...manifest,
      kinds: manifest.kinds.map((kind) => ({ ...kind, zkey: "../chunk.zkey" })),
    }),
    "a file name that every object has": (manifest: Manifest) => ({
      ...manifest,
      kinds: manifest.kinds.map((kind) => ({ ...kind, zkey: "constructor" })),
    }),
    "no list of files": (manifest: Manifest) => ({ ...manifest, files: null }),
    "fewer kinds": (manifest: Manifest) => ({ ...manifest, kinds: [] }),
    "the kinds in another order": (manifest: Manifest) => ({ ...manifest, kinds: manifest.kinds.toReversed() }),
  })) {
    it(`are refused by name with a manifest that has ${what}`, async () => {
      const folder = await copy();
      const file = path.join(folder, MANIFEST_FILE);
      await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, "utf8")) as Manifest)));
      const use = async (): Promise<unknown> => (await loadKeySet(curve, folder, random)).provingFiles(0);
      await rejectsCode(use, "KEY_ARTIFACT_CORRUPT");
    });
  }

  it("are refused by name if the verification keys are no JSON or of fewer kinds than are proven", async () => {
    const folder = await copy();
    const use = async (): Promise<unknown> => (await loadKeySet(curve, folder, random)).provingFiles(1);
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    await replace(folder, VERIFICATION_KEYS_FILE, encode("{"));
    await rejectsCode(use, "KEY_ARTIFACT_CORRUPT");
    const fewer = { ...keys.verificationKeys, kinds: keys.verificationKeys.kinds.slice(0, 1) };
    await replace(folder, VERIFICATION_KEYS_FILE, encode(JSON.stringify(verificationKeysToJson(fewer))));
    await rejectsCode(use, "KEY_ARTIFACT_CORRUPT");
  });

  it("are checked whatever the folder itself says about an earlier check", async () => {
    const folder = await copy();
    const record = `${folder}.checked.json`;
    await (await loadKeySet(curve, folder, random)).provingFiles(0);
    await cp(record, path.join(folder, "checked.json"));
    await rm(record);
    const steps: string[] = [];
    await (await loadKeySet(curve, folder, random, (step) => void steps.push(step))).provingFiles(0);
    assert.equal(steps.length, 1);
  });

  it("refuse a number of kinds that the preset does not have", async () => {
    await rejectsCode(
      ensureDevKeys({ preset: PRESETS.tiny, kindCount: 3, powers: 1 }, { curve, random }),
      "PARAMETERS_INVALID",
    );
    await rejectsCode(
      ensureDevKeys({ preset: PRESETS.tiny, kindCount: 0, powers: 1 }, { curve, random }),
      "PARAMETERS_INVALID",
    );
  });

  it("are made once by callers that ask at the same time", async () => {
    const buildRoot = await mkdtemp(path.join(tmpdir(), "build-"));
    scratch.push(buildRoot);
    const steps: string[] = [];
    const ask = (): Promise<KeySet> =>
      ensureDevKeys(
        { preset: PRESETS.tiny, kindCount: 1, powers: 100 },
        { curve, random, buildRoot, onStep: (step) => void steps.push(step) },
      );
    const [a, b] = await Promise.all([ask(), ask()]);
    assert.deepEqual(a.verificationKeys, b.verificationKeys);
    assert.equal(steps.filter((step) => step.startsWith("making keys")).length, 1);
    assert.ok(
      steps.some((step) => step.includes(DEVELOPMENT_NOTICE)),
      "no step says so",
    );
    const folder = path.basename(a.directory);
    const left = (await readdir(path.join(buildRoot, "keys"))).sort();
    assert.deepEqual(left, [folder, `${folder}.checked.json`], "something is left over");
  });

  it("hold infinity over delta for committed wires and nothing else, and K_i/sigma apart", async () => {
    const { zkey, wireBases } = await keys.provingFiles(0);
    const wires = chunkWires(KIND.coordinates, PRESETS.tiny.coordinateBits);
    const c = readSections(zkey, "zkey").get(ZKEY_SECTION.c)!;
    const { system } = await compileChunk(PRESETS.tiny, KIND);
    for (let wire = system.publicCount + 1; wire < system.wireCount; wire++) {
      const point = c.subarray((wire - system.publicCount - 1) * G1_BYTES, (wire - system.publicCount) * G1_BYTES);
      const committed = wire >= wires.rowStart && wire < wires.committedEnd;
      assert.equal(
        point.every((byte) => byte === 0),
        committed,
        `wire ${wire}`,
      );
    }
    for (let k = 0; k < wireBases.length / G1_BYTES; k++)
      assert.ok(!wireBases.subarray(k * G1_BYTES, (k + 1) * G1_BYTES).every((byte) => byte === 0), `base ${k}`);
  });

  it("have every base of the structure: e(K_i/sigma, sigma) = e(K_i/delta, delta), delta and sigma independent", async () => {
    // With known secrets the same circuit without a committed block gives K_i/delta, which the split key must not
    // contain.
    const { system } = await compileChunk(PRESETS.tiny, KIND);
    const wires = chunkWires(KIND.coordinates, PRESETS.tiny.coordinateBits);
    const secrets = { tau: 998_244_353n, alpha: 1_000_003n, beta: 1_000_033n };
    const split = await makeChunkKeys(
      curve,
      system,
      { start: wires.rowStart, end: wires.committedEnd },
      secrets,
      seededRandom("same"),
    );
    const whole = await makeChunkKeys(curve, system, { start: 0, end: 0 }, secrets, seededRandom("same"));
    const bases = readSections(whole.zkey, "zkey").get(ZKEY_SECTION.c)!;
    const splitPoints = new Set<string>();
    for (const section of [ZKEY_SECTION.publicBases, ZKEY_SECTION.a, ZKEY_SECTION.b1, ZKEY_SECTION.c, ZKEY_SECTION.h]) {
      const points = readSections(split.zkey, "zkey").get(section)!;
      for (let at = 0; at < points.length; at += G1_BYTES)
        splitPoints.add(Buffer.from(points.subarray(at, at + G1_BYTES)).toString("hex"));
    }
    for (let wire = wires.rowStart; wire < wires.committedEnd; wire++) {
      const at = (wire - system.publicCount - 1) * G1_BYTES;
      assert.ok(
        !splitPoints.has(Buffer.from(bases.subarray(at, at + G1_BYTES)).toString("hex")),
        `K/delta of wire ${wire} is in the key`,
      );
    }
    for (const wire of [wires.rowStart, wires.countStart, wires.maskStart, wires.blinder]) {
      const overDelta = g1FromEngine(
        curve,
        bases.slice((wire - system.publicCount - 1) * G1_BYTES, (wire - system.publicCount) * G1_BYTES),
      );
      const overSigma = g1FromEngine(
        curve,
        split.wireBases.slice((wire - wires.rowStart) * G1_BYTES, (wire - wires.rowStart + 1) * G1_BYTES),
      );
      const { delta, sigma } = split.verificationKey;
      assert.ok(
        pairingProductIsOne([
          { g1: overSigma, g2: sigma },
          { g1: negateG1(overDelta), g2: delta },
        ]),
        `wire ${wire}`,
      );
    }
    assert.deepEqual(split.verificationKey.publicBases, whole.verificationKey.publicBases);
  });

  it("are a key that snarkjs reads and, without a committed block, verifies proofs of", async () => {
    const { system, circuit } = await compileChunk(PRESETS.tiny, KIND);
    const secrets = { tau: 998_244_353n, alpha: 1_000_003n, beta: 1_000_033n };
    const whole = await makeChunkKeys(curve, system, { start: 0, end: 0 }, secrets, seededRandom("whole"));
    const exported = await zKey.exportVerificationKey({ type: "mem", data: whole.zkey });
    assert.deepEqual(g1Of(exported["vk_alpha_1"]), multiplyG1(G1_GENERATOR, secrets.alpha));
    const shape = { coordinates: KIND.coordinates, coordinateBits: PRESETS.tiny.coordinateBits };
    const witness = {
      rows: new Uint16Array(KIND.coordinates).fill(130),
      masks: [1n, 2n, 3n],
      blinder: 4n,
      accumulatedBefore: 0n,
      saltBefore: 0n,
      salt: 5n,
    };
    const wires = await (
      await CircomWitness.load(await readFile(circuit.wasmPath))
    ).calculate(chunkInputs(shape, witness, { alpha: 6n, z: 7n, bound: 1n << 40n }));
    const { proof, publicSignals } = await groth16.prove(
      { type: "mem", data: whole.zkey },
      { type: "mem", data: witnessContainer(wires) },
    );
    assert.ok(await groth16.verify(exported, publicSignals, proof));
  });
});

function g1Of(json: unknown): { x: bigint; y: bigint } {
  const [x, y] = json as [string, string];
  return { x: BigInt(x), y: BigInt(y) };
}
