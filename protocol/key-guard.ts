/**
 * Refuses verification keys under which proofs can be forged (docs/protocol.md, section 9).
 * Runs at build, before deployment, and whenever keys are loaded.
 */
import { VerisumError } from "./errors.ts";
import { CHUNK_PUBLIC_SIGNALS } from "./parameters.ts";
import type { Preset } from "./parameters.ts";
import { equalG2, G1_GENERATOR, G2_GENERATOR, isInfinity, toNobleG1, toNobleG2 } from "./points.ts";
import type { G1, G2 } from "./points.ts";
import type { VerificationKeys } from "./verification-key.ts";

/** One circuit's key with gamma spelt out; `VerificationKeys` fix it to the generator. */
export interface Groth16Key {
  readonly alpha: G1;
  readonly beta: G2;
  readonly gamma: G2;
  readonly delta: G2;
  /** Present if the circuit has a committed block of wires. */
  readonly sigma?: G2;
  readonly publicBases: readonly G1[];
}

/** What is wrong with a key: the value of `details.rule`. */
export type KeyRule =
  | "point-invalid"
  | "gamma-not-generator"
  | "infinity"
  | "trivial-secret"
  | "secrets-related"
  | "public-base-infinite"
  | "public-bases-repeat"
  | "input-count"
  | "kind-count"
  | ProvingKeyRule;

/** What is wrong with a proving key (proving/groth16/key-check.ts). */
export type ProvingKeyRule =
  | "circuit-mismatch"
  | "powers-too-few"
  | "powers-inconsistent"
  | "preset"
  | "verification-key-mismatch"
  | "beta-mismatch"
  | "delta-mismatch"
  | "committed-twice"
  | "a-bases"
  | "b-bases"
  | "wire-bases"
  | "quotient-bases"
  | "witness-program"
  | "circuit-unknown"
  | "circuit-output";

/**
 * Refuses unsafe keys of a task.
 * @throws KEY_REFUSED with `details.rule` (a KeyRule) and `details.part`
 */
export function guardVerificationKeys(keys: VerificationKeys, preset: Preset): void {
  if (keys.kinds.length < 1 || keys.kinds.length > preset.kinds.length)
    throw refused("kind-count", `${keys.kinds.length} kinds`);
  guardPoint("tau", () => toNobleG2(keys.tau), false);
  guardSecret(keys.tau, "tau");
  if (relatedG2(keys.tau, keys.beta)) throw refused("secrets-related", "tau and beta");
  keys.kinds.forEach((kind, index) => {
    const { delta, sigma, publicBases } = kind;
    guardGroth16Key(
      { alpha: keys.alpha, beta: keys.beta, gamma: G2_GENERATOR, delta, sigma, publicBases },
      CHUNK_PUBLIC_SIGNALS.length,
      `kind ${index}: `,
    );
    if (relatedG2(delta, keys.tau) || relatedG2(sigma, keys.tau))
      throw refused("secrets-related", `kind ${index}: delta or sigma and tau`);
    keys.kinds.slice(0, index).forEach((earlier, earlierIndex) => {
      for (const mine of [delta, sigma]) {
        for (const theirs of [earlier.delta, earlier.sigma]) {
          if (relatedG2(mine, theirs)) throw refused("secrets-related", `kinds ${earlierIndex} and ${index}`);
        }
      }
    });
  });
}

/**
 * Refuses an unsafe key of one circuit.
 * @param publicSignalCount signals that the verifier passes, without the constant
 * @throws KEY_REFUSED with `details.rule` and `details.part`
 */
export function guardGroth16Key(key: Groth16Key, publicSignalCount: number, prefix = ""): void {
  const { alpha, beta, gamma, delta, sigma, publicBases } = key;
  guardPoints(key, prefix);
  if (!equalG2(gamma, G2_GENERATOR)) throw refused("gamma-not-generator", `${prefix}gamma`);
  if (alpha.x === G1_GENERATOR.x) throw refused("trivial-secret", `${prefix}alpha`);
  guardSecret(beta, `${prefix}beta`);
  guardSecret(delta, `${prefix}delta`);
  if (relatedG2(delta, beta)) throw refused("secrets-related", `${prefix}delta and beta`);
  if (sigma !== undefined) {
    guardSecret(sigma, `${prefix}sigma`);
    if (relatedG2(sigma, beta)) throw refused("secrets-related", `${prefix}sigma and beta`);
    if (relatedG2(sigma, delta)) throw refused("secrets-related", `${prefix}sigma and delta`);
  }
  if (publicBases.length !== publicSignalCount + 1)
    throw refused("input-count", `${prefix}${publicBases.length - 1} inputs, ${publicSignalCount} expected`);
  publicBases.forEach((base, i) => {
    if (isInfinity(base)) throw refused("public-base-infinite", `${prefix}public base ${i}`);
    if (publicBases.slice(0, i).some((other) => base.x === other.x))
      throw refused("public-bases-repeat", `${prefix}public base ${i}`);
  });
}

function guardPoints(key: Groth16Key, prefix: string): void {
  guardPoint(`${prefix}alpha`, () => toNobleG1(key.alpha), false);
  for (const part of ["beta", "gamma", "delta", "sigma"] as const) {
    const point = key[part];
    if (point !== undefined) guardPoint(`${prefix}${part}`, () => toNobleG2(point), false);
  }
  // Infinite public bases have a rule of their own.
  key.publicBases.forEach((base, i) => guardPoint(`${prefix}public base ${i}`, () => toNobleG1(base), true));
}

function guardPoint(part: string, read: () => { is0(): boolean }, mayBeInfinite: boolean): void {
  let point: { is0(): boolean };
  try {
    point = read();
  } catch (cause) {
    throw refused("point-invalid", part, cause);
  }
  if (!mayBeInfinite && point.is0()) throw refused("infinity", part);
}

/** Refuses plus or minus the generator: the secret behind it is 1 or −1. */
function guardSecret(point: G2, part: string): void {
  if (relatedG2(point, G2_GENERATOR)) throw refused("trivial-secret", part);
}

/** Equal up to sign: points of the curve with one x are each other's negatives. */
function relatedG2(a: G2, b: G2): boolean {
  return a.x.c0 === b.x.c0 && a.x.c1 === b.x.c1;
}

function refused(rule: KeyRule, part: string, cause?: unknown): VerisumError {
  return new VerisumError("KEY_REFUSED", `verification key refused: ${rule} (${part})`, { rule, part }, { cause });
}
