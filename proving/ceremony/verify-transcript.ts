/** Whether a transcript's chain of contributions holds; the keys that it ends with are checked by `verify-setup.ts`. */
import type { WasmCurve } from "ffjavascript";
import type { RandomBytes } from "../../protocol/random.ts";
import type { Files } from "../../protocol/ports.ts";
import {
  equalG1,
  equalG2,
  G1_GENERATOR,
  G2_GENERATOR,
  isInfinity,
  multiplyG2,
  negateG1,
} from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { g1FromEngine, g1ToEngine, g2FromEngine, g2ToEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { beaconFactors, beaconSeed } from "./contribution-secrets.ts";
import type { Factors } from "./contribution-secrets.ts";
import { factorProofHolds } from "./factor-proof.ts";
import { firstChallengeOf, readPowersRecord, verifyPowersRecord } from "./powers-record.ts";
import {
  ceremonyRefused,
  contributionFile,
  fileDigest,
  MAX_CONTRIBUTIONS,
  parseContribution,
  parseStart,
  POWERS_RECORD_FILE,
  SECRETS,
  START_FILE,
} from "./transcript.ts";
import type { Beacon, CeremonyRule, Contribution, KindFiles, KindPoints, PartyKind, SetupStart } from "./transcript.ts";

/** A transcript whose every proof holds. */
export interface VerifiedTranscript {
  readonly start: SetupStart;
  /** Names of the parties, in order; a beacon is none. */
  readonly contributors: readonly string[];
  readonly beacon: Beacon | undefined;
  readonly powersContributions: number;
  /** Contributions of all sorts. */
  readonly length: number;
  /** Digest of the last file: what the next contribution names, and what a contributor publishes as its own. */
  readonly digest: string;
  readonly verificationKeys: VerificationKeys;
  /** By kind, in order. */
  readonly points: readonly KindPoints[];
  readonly files: readonly KindFiles[];
}

/**
 * Verifies a transcript's files alone: the record of the powers of tau, then each contribution.
 * @param names of all files that there are
 * @throws CEREMONY_REFUSED, POWERS_REFUSED
 */
export async function verifyTranscript(
  curve: Curve,
  transcript: Files,
  names: readonly string[],
  random: RandomBytes,
): Promise<VerifiedTranscript> {
  const startBytes = await transcript.read(START_FILE);
  const start = parseStart(startBytes);
  const record = await transcript.read(POWERS_RECORD_FILE);
  const powersContributions = await checkPowersRecord(curve, start, record, random);
  const count = countContributions(names);
  const one = { delta1: G1_GENERATOR, delta2: G2_GENERATOR, sigma2: G2_GENERATOR };
  let points: readonly KindPoints[] = start.kinds.map(() => one);
  let files = start.kinds.map((kind) => kind.files);
  let digest = fileDigest(startBytes);
  const contributors: string[] = [];
  let beacon: VerifiedTranscript["beacon"];
  for (let index = 1; index <= count; index++) {
    const bytes = await transcript.read(contributionFile(index));
    const contribution = parseContribution(bytes, index);
    const step = { contribution, index, digest, start, points };
    checkPlace(step, contributors, beacon !== undefined);
    await checkFactors(curve, step);
    if ("beacon" in contribution) beacon = contribution.beacon;
    else contributors.push(contribution.name);
    points = contribution.kinds;
    files = contribution.kinds.map((kind) => kind.files);
    digest = fileDigest(bytes);
  }
  const { alpha, beta, tau } = start;
  const kinds = start.kinds.map(({ publicBases }, k) => ({
    delta: points[k]!.delta2,
    sigma: points[k]!.sigma2,
    publicBases,
  }));
  const verificationKeys = { alpha, beta, tau, kinds };
  return { start, contributors, beacon, powersContributions, length: count, digest, verificationKeys, points, files };
}

/** One contribution with what it follows. */
interface Step {
  readonly contribution: Contribution;
  readonly index: number;
  readonly digest: string;
  readonly start: SetupStart;
  readonly points: readonly KindPoints[];
}

function countContributions(names: readonly string[]): number {
  const expected = new Set([START_FILE, POWERS_RECORD_FILE]);
  const count = names.filter((name) => !expected.has(name)).length;
  if (count > MAX_CONTRIBUTIONS)
    throw ceremonyRefused("malformed", `${count} contributions are more than anybody reads`);
  for (let index = 1; index <= count; index++) {
    if (!names.includes(contributionFile(index)))
      throw ceremonyRefused("order", `${contributionFile(index)} is missing or another file is in its place`);
  }
  return count;
}

/** The record is the one that the start names, holds, and ends with the start's alpha, beta and tau. */
async function checkPowersRecord(
  curve: Curve,
  { source, alpha, beta, tau }: SetupStart,
  record: Uint8Array,
  random: RandomBytes,
): Promise<number> {
  const refused = (why: string): Error => ceremonyRefused("powers-record", why);
  if (fileDigest(record) !== source.recordSha256) throw refused(`${POWERS_RECORD_FILE} is not the file that it names`);
  const contributions = readPowersRecord(record);
  const last = await verifyPowersRecord(curve, contributions, firstChallengeOf(curve, source.ceremonyPower), random);
  const isItsEnd =
    equalG1(g1FromEngine(curve, last.alphaG1), alpha) &&
    equalG2(g2FromEngine(curve, last.betaG2), beta) &&
    equalG2(g2FromEngine(curve, last.tauG2), tau);
  if (!isItsEnd) throw refused("alpha, beta or tau are not those with which the record of the powers of tau ends");
  return contributions.length;
}

function refusal(step: Step, rule: CeremonyRule, why: string): Error {
  const { index, contribution } = step;
  return ceremonyRefused(rule, `contribution ${index} of ${contribution.name}: ${why}`, {
    contribution: index,
    name: contribution.name,
  });
}

/** It stands where it says, after the file that it names, once for each party, with every kind. */
function checkPlace(step: Step, earlier: readonly string[], afterBeacon: boolean): void {
  const { contribution, index, digest, start } = step;
  if (contribution.index !== index) throw refusal(step, "order", `it is the contribution ${contribution.index}`);
  if (contribution.previous !== digest)
    throw refusal(step, "previous", "it follows another file than the one before it");
  if (afterBeacon) throw refusal(step, "beacon", "it comes after the beacon, which ends a ceremony");
  if (earlier.includes(contribution.name)) throw refusal(step, "name-repeats", "this name has contributed before");
  const names = contribution.kinds.map(({ name }) => name);
  if (names.join() !== start.kinds.map(({ name }) => name).join())
    throw refusal(step, "kinds", `it is of the kinds ${names.join(", ")}`);
}

/** Every secret was multiplied by a factor that its contributor knows, and that is no other secret's. */
async function checkFactors(curve: WasmCurve, step: Step): Promise<void> {
  const { contribution, points, digest } = step;
  const seed = "beacon" in contribution ? beaconSeed(contribution.beacon) : undefined;
  for (const [k, after] of contribution.kinds.entries()) {
    checkChanged(step, points[k]!, after);
    if (seed !== undefined) checkBeacon(step, beaconFactors(seed, digest, after.name), points[k]!, after);
    const isOneSecret = await sameFactor(curve, [G1_GENERATOR, after.delta1], [G2_GENERATOR, after.delta2]);
    if (!isOneSecret) throw refusal(step, "delta-forms", `${after.name}: delta's two forms are of two secrets`);
  }
  if (!("beacon" in contribution)) checkProofs(curve, step, contribution.kinds);
  await checkIndependence(curve, step);
}

type NamedPoints = KindPoints & { readonly name: string };

/** No secret became 0, and each is another than before, also up to its sign. */
function checkChanged(step: Step, before: KindPoints, after: NamedPoints): void {
  if (isInfinity(after.delta1) || isZero(after.delta2) || isZero(after.sigma2))
    throw refusal(step, "infinity", `${after.name}: a factor is zero`);
  for (const secret of SECRETS) {
    const [from, to] = [before[`${secret}2`], after[`${secret}2`]];
    // Points of the curve with one x are each other's negatives.
    if (equalFp2(from.x, to.x)) throw refusal(step, "skipped", `${after.name}: ${secret} is multiplied by 1 or −1`);
  }
}

function checkBeacon(step: Step, factors: Factors, before: KindPoints, after: NamedPoints): void {
  for (const secret of SECRETS) {
    if (!equalG2(multiplyG2(before[`${secret}2`], factors[secret]), after[`${secret}2`]))
      throw refusal(step, "beacon", `${after.name}: ${secret} is not what the beacon gives`);
  }
}

/** Whoever multiplied delta and sigma of each kind knows each factor. */
function checkProofs(curve: WasmCurve, step: Step, kinds: readonly PartyKind[]): void {
  const { contribution, points, index, digest: previous } = step;
  for (const [k, after] of kinds.entries()) {
    for (const secret of SECRETS) {
      const statement = {
        previous,
        index,
        contributor: contribution.name,
        kind: after.name,
        secret,
        before: points[k]![`${secret}2`],
        after: after[`${secret}2`],
      };
      if (!factorProofHolds(curve, statement, after.proofs[secret]))
        throw refusal(step, "proof", `${after.name}: the proof that its factor of ${secret} is known is wrong`);
    }
  }
}

/**
 * No factor of delta is another secret's factor, or its negative or inverse: compared by pairings, which see it for
 * delta of any kind against everything else, since delta alone has a form in G1.
 */
async function checkIndependence(curve: WasmCurve, step: Step): Promise<void> {
  const { contribution, points } = step;
  for (const [k, kind] of contribution.kinds.entries()) {
    for (const [j, other] of contribution.kinds.entries()) {
      for (const secret of SECRETS) {
        // Each pair of deltas once.
        if (secret === "delta" && j <= k) continue;
        const own = [points[k]!.delta1, kind.delta1] as const;
        const theirs = [points[j]![`${secret}2`], other[`${secret}2`]] as const;
        if (await areRelated(curve, own, theirs))
          throw refusal(step, "same-secret", `${kind.name}: delta's factor is that of ${secret} of ${other.name}`);
      }
    }
  }
}

/** Equal, opposite, inverse, or opposite to the inverse. */
async function areRelated(
  curve: WasmCurve,
  [from, to]: readonly [G1, G1],
  [before, after]: readonly [G2, G2],
): Promise<boolean> {
  for (const pair of [[before, after] as const, [after, before] as const]) {
    if (await sameFactor(curve, [from, to], pair)) return true;
    if (await sameFactor(curve, [from, negateG1(to)], pair)) return true;
  }
  return false;
}

/** True if both second points are the first times one factor; none is infinite. */
async function sameFactor(curve: WasmCurve, [a, ax]: readonly [G1, G1], [b, bx]: readonly [G2, G2]): Promise<boolean> {
  return curve.pairingEq(
    g1ToEngine(curve, a),
    g2ToEngine(curve, bx),
    g1ToEngine(curve, negateG1(ax)),
    g2ToEngine(curve, b),
  );
}

function isZero({ x, y }: G2): boolean {
  return equalFp2(x, { c0: 0n, c1: 0n }) && equalFp2(y, { c0: 0n, c1: 0n });
}

function equalFp2(a: G2["x"], b: G2["x"]): boolean {
  return a.c0 === b.c0 && a.c1 === b.c1;
}
