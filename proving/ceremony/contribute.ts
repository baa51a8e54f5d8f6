/** One contribution to a setup: new secrets for every kind, the keys under them, and proofs that they are known. */
import type { WasmCurve } from "ffjavascript";
import { invert } from "../../protocol/field.ts";
import { g1Json, g2Json } from "../../protocol/key-json.ts";
import { multiplyG1, multiplyG2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { G1_BYTES, g1ToEngine, G2_BYTES, g2ToEngine } from "../curve/bn254.ts";
import { readSections } from "../groth16/binary-file.ts";
import type { KeyFiles } from "../groth16/key-check.ts";
import { readZkey } from "../groth16/proving-key.ts";
import { ZKEY_SECTION } from "../groth16/zkey.ts";
import { beaconFactors, beaconSeed, drawFactor, drawFactors } from "./contribution-secrets.ts";
import type { Factors } from "./contribution-secrets.ts";
import { proveFactor } from "./factor-proof.ts";
import type { FactorStatement } from "./factor-proof.ts";
import { fileDigest, SECRETS, SETUP_FORMAT } from "./transcript.ts";
import type { Beacon, FactorProof, KindPoints, SecretName } from "./transcript.ts";
import type { VerifiedTranscript } from "./verify-transcript.ts";

/** Where the factors come from. */
export type Source = { readonly random: RandomBytes; readonly entropy: Uint8Array } | { readonly beacon: Beacon };

/** What a contribution adds to a folder. */
export interface NewContribution {
  readonly index: number;
  /** The transcript's next file. */
  readonly file: Uint8Array;
}

/** A contribution under way: kinds are multiplied one after the other, since each takes memory. */
export class Contributor {
  private readonly transcript: VerifiedTranscript;
  private readonly name: string;
  private readonly source: Source;
  private readonly seed: string | undefined;
  private readonly kinds: object[] = [];

  /** @param transcript verified, and so are the keys that it ends with: secrets are applied to nobody's other points */
  constructor(transcript: VerifiedTranscript, name: string, source: Source) {
    this.transcript = transcript;
    this.name = name;
    this.source = source;
    this.seed = "beacon" in source ? beaconSeed(source.beacon) : undefined;
  }

  /** Multiplies the next kind's keys; its factors exist during this call only. */
  async multiply(curve: WasmCurve, files: KeyFiles): Promise<KeyFiles> {
    const { start, points, digest, length } = this.transcript;
    const k = this.kinds.length;
    const { name: kind } = start.kinds[k]!;
    const factors = this.factorsOf(kind);
    const before = points[k]!;
    const after = multiplyPoints(before, factors);
    const multiplied = await multiplyKey(curve, files, after, factors);
    const statement = (secret: SecretName): FactorStatement => ({
      previous: digest,
      index: length + 1,
      contributor: this.name,
      kind,
      secret,
      before: before[`${secret}2`],
      after: after[`${secret}2`],
    });
    this.kinds.push({
      name: kind,
      delta1: g1Json(after.delta1),
      delta2: g2Json(after.delta2),
      sigma2: g2Json(after.sigma2),
      ...this.proofsOf(statement, factors),
      files: { zkey: fileDigest(multiplied.zkey), wireBases: fileDigest(multiplied.wireBases) },
    });
    return multiplied;
  }

  /** The transcript's next file, once all kinds are multiplied. */
  finish(): NewContribution {
    const index = this.transcript.length + 1;
    const contribution = {
      format: SETUP_FORMAT,
      index,
      previous: this.transcript.digest,
      name: this.name,
      ...("beacon" in this.source ? { beacon: this.source.beacon } : {}),
      kinds: this.kinds,
    };
    return { index, file: new TextEncoder().encode(`${JSON.stringify(contribution, undefined, 2)}\n`) };
  }

  private factorsOf(kind: string): Factors {
    if ("beacon" in this.source) return beaconFactors(this.seed!, this.transcript.digest, kind);
    return drawFactors(this.source.random, this.source.entropy);
  }

  private proofsOf(statement: (secret: SecretName) => FactorStatement, factors: Factors): object {
    if ("beacon" in this.source) return {};
    const { random, entropy } = this.source;
    const proof = (secret: SecretName): object =>
      proofJson(proveFactor(statement(secret), factors[secret], drawFactor(random, entropy, "nonce")));
    return { proofs: Object.fromEntries(SECRETS.map((secret) => [secret, proof(secret)])) };
  }
}

/** A proof as the transcript holds it. */
function proofJson({ commitment, response }: FactorProof): object {
  return { commitment: g2Json(commitment), response: `0x${response.toString(16)}` };
}

/** The secrets' points, times the factors. */
function multiplyPoints({ delta1, delta2, sigma2 }: KindPoints, { delta, sigma }: Factors): KindPoints {
  return {
    delta1: multiplyG1(delta1, delta),
    delta2: multiplyG2(delta2, delta),
    sigma2: multiplyG2(sigma2, sigma),
  };
}

/** The key under the new secrets: bases over delta and sigma divided by the factors, nothing else changed. */
async function multiplyKey(
  curve: WasmCurve,
  { zkey, wireBases }: KeyFiles,
  after: KindPoints,
  { delta, sigma }: Factors,
): Promise<KeyFiles> {
  const divided = async (points: Uint8Array, factor: bigint): Promise<Uint8Array> =>
    curve.G1.batchApplyKey(points, curve.Fr.e(invert(factor)), curve.Fr.e(1n));
  const { c, h } = readZkey(zkey);
  const copy = zkey.slice();
  const sections = readSections(copy, "zkey");
  const header = sections.get(ZKEY_SECTION.header)!;
  header.set(g1ToEngine(curve, after.delta1), header.length - G1_BYTES - G2_BYTES);
  header.set(g2ToEngine(curve, after.delta2), header.length - G2_BYTES);
  sections.get(ZKEY_SECTION.c)!.set(await divided(c, delta));
  sections.get(ZKEY_SECTION.h)!.set(await divided(h, delta));
  return { zkey: copy, wireBases: await divided(wireBases, sigma) };
}
