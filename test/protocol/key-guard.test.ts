import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { bn254 } from "@noble/curves/bn254.js";
import { before, describe, it } from "mocha";
import { isVerisumError } from "../../protocol/errors.ts";
import { publicInputCommitment } from "../../protocol/groth16.ts";
import { guardGroth16Key, guardVerificationKeys } from "../../protocol/key-guard.ts";
import type { Groth16Key, KeyRule } from "../../protocol/key-guard.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import {
  addG1,
  G1_GENERATOR,
  G1_INFINITY,
  G2_GENERATOR,
  multiplyG1,
  multiplyG2,
  negateG1,
  negateG2,
  pairingProductIsOne,
} from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { readSnarkjsG1, readSnarkjsG2, readSnarkjsKey } from "../support/snarkjs-key.ts";
import type { ChunkVerificationKey, VerificationKeys } from "../../protocol/verification-key.ts";
import { throwsCode } from "../support/errors.ts";

const VECTORS = process.env["VECTORS_DIR"] ?? "../shared/vectors";
const g1 = (scalar: bigint): G1 => multiplyG1(G1_GENERATOR, scalar);
const g2 = (scalar: bigint): G2 => multiplyG2(G2_GENERATOR, scalar);
const G2_ZERO: G2 = { x: { c0: 0n, c1: 0n }, y: { c0: 0n, c1: 0n } };
/** On the curve but outside the subgroup: a point of the twist that is not a multiple of the generator. */
const OFF_SUBGROUP: G2 = offSubgroup();

const kind = (delta: bigint, sigma: bigint): ChunkVerificationKey => ({
  delta: g2(delta),
  sigma: g2(sigma),
  publicBases: [31n, 37n, 41n, 43n, 47n, 53n, 59n].map(g1),
});
const sound: VerificationKeys = {
  alpha: g1(11n),
  beta: g2(13n),
  tau: g2(17n),
  kinds: [kind(19n, 23n), kind(29n, 61n)],
};

function refusesWith(keys: VerificationKeys, rule: KeyRule): void {
  assert.throws(
    () => guardVerificationKeys(keys, PRESETS.tiny),
    (error) => isVerisumError(error, "KEY_REFUSED") && error.details["rule"] === rule,
  );
}

function withKind(change: Partial<ChunkVerificationKey>): VerificationKeys {
  return { ...sound, kinds: [{ ...sound.kinds[0]!, ...change }, sound.kinds[1]!] };
}

describe("the key guard", () => {
  it("accepts sound keys", () => guardVerificationKeys(sound, PRESETS.tiny));

  for (const part of ["delta", "sigma"] as const) {
    const other = part === "delta" ? "sigma" : "delta";
    const refused: readonly [string, G2, KeyRule][] = [
      ["gamma", G2_GENERATOR, "trivial-secret"],
      ["minus gamma", negateG2(G2_GENERATOR), "trivial-secret"],
      ["beta", sound.beta, "secrets-related"],
      ["minus beta", negateG2(sound.beta), "secrets-related"],
      ["tau", sound.tau, "secrets-related"],
      [other, sound.kinds[0]![other], "secrets-related"],
      [`minus ${other}`, negateG2(sound.kinds[0]![other]), "secrets-related"],
      ["another kind's delta", sound.kinds[1]!.delta, "secrets-related"],
      ["another kind's sigma", sound.kinds[1]!.sigma, "secrets-related"],
      ["infinity", G2_ZERO, "infinity"],
      ["a point off the curve", { ...sound.beta, y: sound.beta.x }, "point-invalid"],
      ["a point outside the subgroup", OFF_SUBGROUP, "point-invalid"],
    ];
    for (const [name, point, rule] of refused)
      it(`refuses ${part} equal to ${name}`, () => refusesWith(withKind({ [part]: point }), rule));
  }

  it("refuses alpha, beta and tau of a setup that nobody contributed to", () => {
    refusesWith({ ...sound, alpha: G1_GENERATOR }, "trivial-secret");
    refusesWith({ ...sound, alpha: negateG1(G1_GENERATOR) }, "trivial-secret");
    refusesWith({ ...sound, alpha: G1_INFINITY }, "infinity");
    refusesWith({ ...sound, alpha: { x: 1n, y: 3n } }, "point-invalid");
    for (const part of ["beta", "tau"] as const) {
      refusesWith({ ...sound, [part]: G2_GENERATOR }, "trivial-secret");
      refusesWith({ ...sound, [part]: negateG2(G2_GENERATOR) }, "trivial-secret");
      refusesWith({ ...sound, [part]: G2_ZERO }, "infinity");
      refusesWith({ ...sound, [part]: OFF_SUBGROUP }, "point-invalid");
    }
    refusesWith({ ...sound, tau: sound.beta }, "secrets-related");
  });

  it("refuses infinite, repeated or misplaced bases of public inputs", () => {
    const { publicBases } = sound.kinds[0]!;
    publicBases.forEach((_, i) =>
      refusesWith(withKind({ publicBases: publicBases.with(i, G1_INFINITY) }), "public-base-infinite"),
    );
    refusesWith(withKind({ publicBases: publicBases.with(3, publicBases[2]!) }), "public-bases-repeat");
    refusesWith(withKind({ publicBases: publicBases.with(3, negateG1(publicBases[2]!)) }), "public-bases-repeat");
    refusesWith(withKind({ publicBases: publicBases.with(3, { x: 1n, y: 1n }) }), "point-invalid");
    refusesWith(withKind({ publicBases: publicBases.slice(1) }), "input-count");
    refusesWith(withKind({ publicBases: [...publicBases, g1(67n)] }), "input-count");
  });

  it("refuses no kinds and more kinds than the preset has", () => {
    refusesWith({ ...sound, kinds: [] }, "kind-count");
    refusesWith({ ...sound, kinds: [...sound.kinds, kind(71n, 73n)] }, "kind-count");
  });

  it("refuses a gamma that is not the generator in a key that spells it out", () => {
    const key: Groth16Key = {
      alpha: sound.alpha,
      beta: sound.beta,
      gamma: g2(5n),
      delta: g2(19n),
      publicBases: [g1(31n), g1(37n)],
    };
    throwsCode(() => guardGroth16Key(key, 1), "KEY_REFUSED");
    guardGroth16Key({ ...key, gamma: G2_GENERATOR }, 1);
  });

  it("refuses a key with delta = gamma, under which a proof is forged without a witness", () => {
    const forgeable: Groth16Key = {
      alpha: sound.alpha,
      beta: sound.beta,
      gamma: G2_GENERATOR,
      delta: G2_GENERATOR,
      publicBases: [g1(31n), g1(37n)],
    };
    const inputs = publicInputCommitment(forgeable.publicBases, [99n])!;
    // A = alpha, B = beta, C = −inputs: nothing about the circuit is used.
    assert.ok(verifyPlain(forgeable, { a: forgeable.alpha, b: forgeable.beta, c: negateG1(inputs) }, [99n]));
    throwsCode(() => guardGroth16Key(forgeable, 1), "KEY_REFUSED");
  });
});

describe("keys of other projects", function () {
  const read = (name: string): unknown => JSON.parse(readFileSync(path.join(VECTORS, name), "utf8")) as unknown;
  before(function () {
    if (!existsSync(path.join(VECTORS, "groth16-vkey-gamma-equals-delta.json"))) this.skip();
  });

  it("refuses a published key with gamma = delta", () => {
    const key = readSnarkjsKey(read("groth16-vkey-gamma-equals-delta.json"));
    throwsCode(() => guardGroth16Key(key, key.publicBases.length - 1), "KEY_REFUSED");
    const signals = key.publicBases.slice(1).map((_, i) => BigInt(i));
    const inputs = publicInputCommitment(key.publicBases, signals)!;
    assert.ok(
      verifyPlain(key, { a: key.alpha, b: key.beta, c: negateG1(inputs) }, signals),
      "the key would accept a forgery",
    );
  });

  it("accepts a sound published key and verifies its proof", () => {
    const key = readSnarkjsKey(read("groth16-proof-of-twitter-vkey.json"));
    const signals = (read("groth16-proof-of-twitter-public.json") as string[]).map(BigInt);
    const json = read("groth16-proof-of-twitter-proof.json") as Record<string, unknown>;
    const proof = { a: readSnarkjsG1(json["pi_a"]), b: readSnarkjsG2(json["pi_b"]), c: readSnarkjsG1(json["pi_c"]) };
    guardGroth16Key(key, signals.length);
    assert.ok(verifyPlain(key, proof, signals));
    signals.forEach((_, i) => assert.ok(!verifyPlain(key, proof, signals.with(i, 1n))));
    assert.ok(!verifyPlain(key, { ...proof, c: addG1(proof.c, G1_GENERATOR) }, signals));
  });

  it("refuses keys in another form", () => {
    throwsCode(() => readSnarkjsKey({ protocol: "plonk" }), "KEY_ARTIFACT_CORRUPT");
    throwsCode(() => readSnarkjsG1(["1", "2", "3"]), "KEY_ARTIFACT_CORRUPT");
    throwsCode(() => readSnarkjsG1(["1", "0x2", "1"]), "KEY_ARTIFACT_CORRUPT");
    throwsCode(
      () =>
        readSnarkjsG2([
          ["1", "2"],
          ["3", "4"],
        ]),
      "KEY_ARTIFACT_CORRUPT",
    );
  });
});

/** Groth16 without a committed block. */
function verifyPlain(key: Groth16Key, proof: { a: G1; b: G2; c: G1 }, signals: readonly bigint[]): boolean {
  const inputs = publicInputCommitment(key.publicBases, signals);
  if (inputs === undefined) return false;
  return pairingProductIsOne([
    { g1: negateG1(proof.a), g2: proof.b },
    { g1: key.alpha, g2: key.beta },
    { g1: inputs, g2: key.gamma },
    { g1: proof.c, g2: key.delta },
  ]);
}

/** The first point of the twist with a small real x: its cofactor part is not trivial. */
function offSubgroup(): G2 {
  const { Fp2 } = bn254.fields;
  for (let c0 = 1n; ; c0++) {
    const x = Fp2.fromBigTuple([c0, 0n]);
    const square = Fp2.add(Fp2.mul(Fp2.sqr(x), x), bn254.G2.Point.CURVE().b);
    try {
      const y = Fp2.sqrt(square);
      return { x: { c0: x.c0, c1: x.c1 }, y: { c0: y.c0, c1: y.c1 } };
    } catch {
      continue; // not a square
    }
  }
}
