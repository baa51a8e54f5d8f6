/** Changing one thing in valid data, and the name of what refuses it. For tests only. */
import assert from "node:assert/strict";
import { it } from "mocha";
import type { Attestation, AttestationStatement } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { BASE_FIELD_ORDER } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G1_INFINITY } from "../../protocol/points.ts";
import type { G1 } from "../../protocol/points.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { RoundHarness } from "./round-harness.ts";

/** What is changed, the name of what must refuse it, and the attempt. */
export type TamperCase = readonly [what: string, refusal: string, attempt: () => unknown];

/** One test for each case. */
export function tamperTests(cases: readonly TamperCase[]): void {
  for (const [what, refusal, attempt] of cases) {
    it(`${what}: ${refusal}`, async () => {
      assert.equal(await refusalOf(attempt), refusal);
    });
  }
}

/**
 * The contract's error by name, a VerisumError's code, the text that an attempt returns (an auditor's finding), or
 * "accepted".
 */
export async function refusalOf(attempt: () => unknown): Promise<string> {
  try {
    const result = await attempt();
    return typeof result === "string" ? result : "accepted";
  } catch (error) {
    if (!isVerisumError(error)) throw error;
    return error.code === "CHAIN_REVERTED" ? String(error.details.error) : error.code;
  }
}

/** A copy of `value` with what lies at the path (dots between keys) replaced. */
export function changed<T>(value: T, path: string, change: (old: never) => unknown): T {
  const [key, ...rest] = path.split(".") as [string, ...string[]];
  const old = (value as Record<string, unknown>)[key];
  const next = rest.length === 0 ? change(old as never) : changed(old, rest.join("."), change);
  if (Array.isArray(value)) return value.map((item: unknown, i) => (String(i) === key ? next : item)) as T;
  return { ...value, [key]: next };
}

export const OTHER: G1 = G1_GENERATOR;
export const other = (): G1 => OTHER;
export const infinity = (): G1 => G1_INFINITY;
export const offCurve = ({ x, y }: G1): G1 => ({ x, y: (y + 1n) % BASE_FIELD_ORDER });

export type Statements = readonly AttestationStatement[];
/** What some seats sign otherwise. */
export type StatedOtherwise = Readonly<Record<number, Partial<Attestation>>>;

/** Statements of three seats that all four clients' shares are good, some of them signed otherwise. */
export async function attestationsOf(
  { operator, members }: Pick<RoundHarness, "operator" | "members">,
  round: bigint,
  otherwise: StatedOtherwise,
): Promise<Statements> {
  const { intake } = await operator.round();
  return Promise.all(
    members.slice(0, 3).map(async ({ seat, node }) => {
      const attestation = { round, intake, good: 0b1111n, refused: 0n, ...otherwise[seat] };
      return { ...attestation, seat, signature: await node.chain.signAttestation(attestation) };
    }),
  );
}

export const plusOne = (value: bigint): bigint => value + 1n;

/** The last bit of a hexadecimal word flipped. */
export function flipHex(word: Hex): Hex {
  return `${word.slice(0, -1)}${(Number.parseInt(word.slice(-1), 16) ^ 1).toString(16)}` as Hex;
}

/** One bit flipped; a negative position counts from the end. */
export function flipBit(bytes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => (i === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte));
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
