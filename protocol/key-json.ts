/** Verification keys as JSON: points as hexadecimal coordinates. */
import { VerisumError } from "./errors.ts";
import { toNobleG1, toNobleG2 } from "./points.ts";
import type { G1, G2 } from "./points.ts";
import type { VerificationKeys } from "./verification-key.ts";

/** The keys as a value that JSON.stringify takes. */
export function verificationKeysToJson(keys: VerificationKeys): unknown {
  return {
    alpha: g1Json(keys.alpha),
    beta: g2Json(keys.beta),
    tau: g2Json(keys.tau),
    kinds: keys.kinds.map((kind) => ({
      delta: g2Json(kind.delta),
      sigma: g2Json(kind.sigma),
      publicBases: kind.publicBases.map(g1Json),
    })),
  };
}

/**
 * Reads what `verificationKeysToJson` wrote. Every point is checked; whether the keys are safe is `key-guard.ts`'s to
 * say.
 * @throws KEY_ARTIFACT_CORRUPT, POINT_NOT_ON_CURVE
 */
export function verificationKeysFromJson(json: unknown): VerificationKeys {
  const root = record(json);
  return {
    alpha: g1FromJson(root["alpha"]),
    beta: g2FromJson(root["beta"]),
    tau: g2FromJson(root["tau"]),
    kinds: list(root["kinds"]).map((item) => {
      const kind = record(item);
      return {
        delta: g2FromJson(kind["delta"]),
        sigma: g2FromJson(kind["sigma"]),
        publicBases: list(kind["publicBases"]).map(g1FromJson),
      };
    }),
  };
}

/** A point as {@link g1FromJson} reads it. */
export function g1Json(point: G1): string[] {
  return [hex(point.x), hex(point.y)];
}

/** A point as {@link g2FromJson} reads it. */
export function g2Json(point: G2): string[][] {
  return [
    [hex(point.x.c0), hex(point.x.c1)],
    [hex(point.y.c0), hex(point.y.c1)],
  ];
}

/** @throws KEY_ARTIFACT_CORRUPT, POINT_NOT_ON_CURVE */
export function g1FromJson(json: unknown): G1 {
  const [x, y] = tuple(json, 2);
  const point = { x: number(x), y: number(y) };
  toNobleG1(point);
  return point;
}

/** @throws KEY_ARTIFACT_CORRUPT, POINT_NOT_ON_CURVE, also outside the subgroup */
export function g2FromJson(json: unknown): G2 {
  const [x, y] = tuple(json, 2).map((part) => {
    const [c0, c1] = tuple(part, 2);
    return { c0: number(c0), c1: number(c1) };
  }) as [G2["x"], G2["y"]];
  const point = { x, y };
  toNobleG2(point);
  return point;
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function number(json: unknown): bigint {
  if (typeof json !== "string" || !/^0x[0-9a-f]{1,64}$/.test(json))
    throw malformed("a coordinate is not a hexadecimal string");
  return BigInt(json);
}

function record(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw malformed("an object is missing");
  return json as Readonly<Record<string, unknown>>;
}

function list(json: unknown): readonly unknown[] {
  if (!Array.isArray(json)) throw malformed("a list is missing");
  return json;
}

function tuple(json: unknown, length: number): readonly unknown[] {
  const items = list(json);
  if (items.length !== length) throw malformed("a list has the wrong length");
  return items;
}

function malformed(reason: string): VerisumError {
  return new VerisumError("KEY_ARTIFACT_CORRUPT", `verification keys: ${reason}`);
}
