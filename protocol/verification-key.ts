/**
 * The public keys of a task: Groth16 with one committed block of wires (protocol.md §5) and KZG.
 *
 * A task has one powers-of-tau (alpha, beta, tau) and, per chunk kind, (delta, sigma) and the bases of the public
 * inputs.
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { VerisumError } from "./errors.ts";
import { encodeWords } from "./field.ts";
import { CHUNK_PUBLIC_SIGNALS, ELEMENT_BYTES } from "./parameters.ts";
import { fromNobleG1, fromNobleG2, negateG2, toNobleG1, toNobleG2 } from "./points.ts";
import type { G1, G2 } from "./points.ts";

/** alpha, beta and tau. */
const COMMON_WORDS = 10;
/** delta, sigma and one base per public signal and the constant. */
const WORDS_PER_KIND = 8 + 2 * (CHUNK_PUBLIC_SIGNALS.length + 1);

/** Keys of one chunk kind. `publicBases` has one entry per public signal plus the constant, seven in all. */
export interface ChunkVerificationKey {
  readonly delta: G2;
  readonly sigma: G2;
  readonly publicBases: readonly G1[];
}

/** Everything the contract needs to verify submissions and openings of one preset. */
export interface VerificationKeys {
  readonly alpha: G1;
  readonly beta: G2;
  readonly tau: G2;
  /** In the preset's order of kinds. */
  readonly kinds: readonly ChunkVerificationKey[];
}

/**
 * The bytes stored on chain, 32-byte words, big-endian:
 * alpha (x, y), −beta, tau, then per kind −delta, −sigma, publicBases[0..6].
 * G2 points are (x.c1, x.c0, y.c1, y.c0), the order of EIP-197.
 *
 * @throws ENCODING_LENGTH for a kind whose number of public bases is not seven: its words would read as another kind's
 */
export function encodeVerificationKeys(keys: VerificationKeys): Uint8Array {
  const words = [keys.alpha.x, keys.alpha.y, ...g2Words(negateG2(keys.beta)), ...g2Words(keys.tau)];
  for (const [index, kind] of keys.kinds.entries()) {
    if (kind.publicBases.length !== CHUNK_PUBLIC_SIGNALS.length + 1) {
      throw new VerisumError("ENCODING_LENGTH", `kind ${index} has ${kind.publicBases.length} public bases`, {
        kind: index,
        expected: CHUNK_PUBLIC_SIGNALS.length + 1,
        actual: kind.publicBases.length,
      });
    }
    words.push(...g2Words(negateG2(kind.delta)), ...g2Words(negateG2(kind.sigma)));
    for (const base of kind.publicBases) words.push(base.x, base.y);
  }
  return encodeWords(words);
}

/** Kinds whose keys so many bytes encode; not a whole number if they encode none. */
export function kindsInKeys(byteLength: number): number {
  return (byteLength / ELEMENT_BYTES - COMMON_WORDS) / WORDS_PER_KIND;
}

/**
 * The inverse of `encodeVerificationKeys`.
 * @throws ENCODING_LENGTH, POINT_NOT_ON_CURVE (a G2 point off the curve or subgroup)
 */
export function decodeVerificationKeys(bytes: Uint8Array): VerificationKeys {
  const kindCount = kindsInKeys(bytes.length);
  if (!Number.isInteger(kindCount) || kindCount < 1)
    throw new VerisumError("ENCODING_LENGTH", `${bytes.length} bytes are not encoded keys`, { actual: bytes.length });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const word = (): bigint => {
    let value = 0n;
    for (let limb = 0; limb < 4; limb++, at += 8) value = (value << 64n) | view.getBigUint64(at);
    return value;
  };
  const g1 = (): G1 => fromNobleG1(toNobleG1({ x: word(), y: word() }));
  const g2 = (): G2 => {
    const [x1, x0, y1, y0] = [word(), word(), word(), word()];
    return fromNobleG2(toNobleG2({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } }));
  };
  return {
    alpha: g1(),
    beta: negateG2(g2()),
    tau: g2(),
    kinds: Array.from({ length: kindCount }, () => ({
      delta: negateG2(g2()),
      sigma: negateG2(g2()),
      publicBases: Array.from({ length: CHUNK_PUBLIC_SIGNALS.length + 1 }, g1),
    })),
  };
}

/** keccak-256 of the encoded keys: what the contract stores and every client compares. */
export function hashVerificationKeys(keys: VerificationKeys): Uint8Array {
  return keccak_256(encodeVerificationKeys(keys));
}

/** A G2 point in the word order of EIP-197: imaginary part first. */
export function g2Words(point: G2): [bigint, bigint, bigint, bigint] {
  return [point.x.c1, point.x.c0, point.y.c1, point.y.c0];
}
