/** Contributions as honest and dishonest parties make them, over a transcript without keys. For tests only. */
import { createHash } from "node:crypto";
import { g1Json, g2Json } from "../../protocol/key-json.ts";
import { G1_GENERATOR, multiplyG1, multiplyG2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { G1_BYTES, g1FromEngine, G2_BYTES, g2FromEngine } from "../../proving/curve/bn254.ts";
import type { Curve } from "../../proving/curve/curve.ts";
import { beaconFactors, beaconSeed, drawFactors } from "../../proving/ceremony/contribution-secrets.ts";
import type { Factors } from "../../proving/ceremony/contribution-secrets.ts";
import { proveFactor } from "../../proving/ceremony/factor-proof.ts";
import type { FactorStatement } from "../../proving/ceremony/factor-proof.ts";
import type { PowersFile } from "../../proving/ceremony/powers-file.ts";
import {
  contributionFile,
  POWERS_RECORD_FILE,
  SECRETS,
  SETUP_FORMAT,
  START_FILE,
} from "../../proving/ceremony/transcript.ts";
import type { Beacon, KindPoints, SecretName } from "../../proving/ceremony/transcript.ts";
import type { NamedFiles } from "../../proving/ceremony/setup-folder.ts";
import { filesIn } from "../../proving/ceremony/setup-folder.ts";
import { verifyTranscript } from "../../proving/ceremony/verify-transcript.ts";
import type { VerifiedTranscript } from "../../proving/ceremony/verify-transcript.ts";

export const digest = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");
export const jsonFile = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** A transcript's first files, over real powers and keys that nobody has. */
export function startFiles(curve: Curve, powers: PowersFile, kinds: readonly string[]): NamedFiles {
  const { power, ceremonyPower, sha256: fileSha256, contributions } = powers;
  const files = { zkey: digest("zkey"), wireBases: digest("wires") };
  const start = {
    format: SETUP_FORMAT,
    preset: "standard",
    source: { fileSha256, power, ceremonyPower, recordSha256: digest(contributions) },
    powers: { count: 2 ** power, sha256: digest("powers") },
    alpha: g1Json(g1FromEngine(curve, powers.alphaTauG1.slice(0, G1_BYTES))),
    beta: g2Json(g2FromEngine(curve, powers.betaG2)),
    tau: g2Json(g2FromEngine(curve, powers.tauG2.slice(G2_BYTES, 2 * G2_BYTES))),
    kinds: kinds.map((name) => ({
      name,
      constraints: digest(name),
      circuitHash: "",
      publicBases: [2n, 3n, 4n, 5n, 6n, 7n, 8n].map((k) => g1Json(multiplyG1(G1_GENERATOR, k))),
      files,
    })),
  };
  return { [START_FILE]: jsonFile(start), [POWERS_RECORD_FILE]: contributions };
}

export async function verify(curve: Curve, files: NamedFiles, random: RandomBytes): Promise<VerifiedTranscript> {
  return verifyTranscript(curve, filesIn(files), Object.keys(files), random);
}

/** What a dishonest party does otherwise; everything else is as honest parties do it. */
export interface Deviation {
  /** The factors it multiplies by, of each kind. */
  readonly factors?: (kind: string) => Factors;
  /** What it proves in place of the truth. */
  readonly proves?: (honest: FactorStatement) => Partial<FactorStatement>;
  /** The factors it claims to know. */
  readonly claims?: (kind: string, factors: Factors) => Factors;
  readonly points?: (points: KindPoints) => Partial<KindPoints>;
  readonly index?: number;
  readonly previous?: string;
}

/** The transcript with one contribution more. */
export function contributed(
  files: NamedFiles,
  after: VerifiedTranscript,
  name: string,
  random: RandomBytes,
  deviation: Deviation = {},
  beacon?: Beacon,
): NamedFiles {
  const index = after.length + 1;
  const kinds = after.start.kinds.map(({ name: kind }, k) => {
    const before = after.points[k]!;
    const factors =
      beacon === undefined
        ? (deviation.factors?.(kind) ?? drawFactors(random, new Uint8Array(0)))
        : beaconFactors(beaconSeed(beacon), after.digest, kind);
    const multiplied: KindPoints = {
      delta1: multiplyG1(before.delta1, factors.delta),
      delta2: multiplyG2(before.delta2, factors.delta),
      sigma2: multiplyG2(before.sigma2, factors.sigma),
    };
    const points = { ...multiplied, ...deviation.points?.(multiplied) };
    const known = deviation.claims?.(kind, factors) ?? factors;
    const proof = (secret: SecretName): object => {
      const honest = {
        previous: after.digest,
        index,
        contributor: name,
        kind,
        secret,
        before: before[`${secret}2`],
        after: points[`${secret}2`],
      };
      const nonce = drawFactors(random, new Uint8Array(0)).delta;
      const { commitment, response } = proveFactor({ ...honest, ...deviation.proves?.(honest) }, known[secret], nonce);
      return { commitment: g2Json(commitment), response: `0x${response.toString(16)}` };
    };
    return {
      name: kind,
      delta1: g1Json(points.delta1),
      delta2: g2Json(points.delta2),
      sigma2: g2Json(points.sigma2),
      ...(beacon === undefined ? { proofs: Object.fromEntries(SECRETS.map((secret) => [secret, proof(secret)])) } : {}),
      files: { zkey: digest(`zkey ${index}`), wireBases: digest(`wires ${index}`) },
    };
  });
  const contribution = {
    format: SETUP_FORMAT,
    index: deviation.index ?? index,
    previous: deviation.previous ?? after.digest,
    name,
    ...(beacon === undefined ? {} : { beacon }),
    kinds,
  };
  return { ...files, [contributionFile(index)]: jsonFile(contribution) };
}
