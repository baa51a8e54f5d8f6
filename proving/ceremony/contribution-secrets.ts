/** The factors of one contribution: drawn by a party, or derived from a beacon. */
import { createHash } from "node:crypto";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { hashToField } from "./factor-proof.ts";
import { SETUP_FORMAT } from "./transcript.ts";
import type { Beacon, SecretName } from "./transcript.ts";

/** What delta and sigma of one kind are multiplied by; no two kinds have the same. */
export type Factors = Readonly<Record<SecretName, bigint>>;

const SECRET_BYTES = 64;

/**
 * Fresh factors, each from bytes of its own. Entropy only adds to them: factors are as secret as the better source.
 * @param random a CSPRNG
 * @param entropy a digest of what the contributor typed or threw; empty for none
 */
export function drawFactors(random: RandomBytes, entropy: Uint8Array): Factors {
  return { delta: drawFactor(random, entropy, "delta"), sigma: drawFactor(random, entropy, "sigma") };
}

/** Uniform among the elements other than 0, 1 and −1, up to 2^-258. */
export function drawFactor(random: RandomBytes, entropy: Uint8Array, label: string): bigint {
  for (;;) {
    const bytes = random(SECRET_BYTES);
    const digest = createHash("sha512").update(`${SETUP_FORMAT} ${label}\n`).update(bytes).update(entropy).digest();
    const value = BigInt(`0x${digest.toString("hex")}`) % FIELD_ORDER;
    bytes.fill(0);
    digest.fill(0);
    if (value > 1n && value < FIELD_ORDER - 1n) return value;
  }
}

/** SHA-256 of the beacon's value, 2^iterationBits times: what nobody knew before the value was published. */
export function beaconSeed({ value, iterationBits }: Beacon): string {
  let hash: Uint8Array = Buffer.from(value, "hex");
  for (let k = 0; k < 2 ** iterationBits; k++) hash = createHash("sha256").update(hash).digest();
  return Buffer.from(hash).toString("hex");
}

/** The factors that a beacon gives one kind after a transcript with this digest. */
export function beaconFactors(seed: string, previous: string, kind: string): Factors {
  const factor = (secret: SecretName): bigint => hashToField(["beacon", seed, previous, kind, secret]);
  return { delta: factor("delta"), sigma: factor("sigma") };
}
