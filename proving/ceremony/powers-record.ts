/**
 * The record of contributions to powers of tau (section 7 of a .ptau file), and whether it holds: each contributor
 * proves to know its factors of tau, alpha and beta, and each accumulator is the one before times these factors
 * (Bowe, Gabizon, Miers, ePrint 2017/1050, section 3, with the hashes of snarkjs's files).
 */
import { concatenate } from "../../protocol/bytes.ts";
import { createHash } from "node:crypto";
import { ChaCha } from "ffjavascript";
import type { WasmCurve } from "ffjavascript";
import type { RandomBytes } from "../../protocol/random.ts";
import { G1_BYTES, G2_BYTES } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { areInG2 } from "../curve/subgroup.ts";
import { powersRefused } from "./powers-file.ts";

const SECRETS = ["tau", "alpha", "beta"] as const;
const PARTIAL_HASH_BYTES = 216;
const HASH_BYTES = 64;
/** Beacons of public ceremonies have 2^10 iterations; more would only keep a reader busy. */
const MAX_BEACON_BITS = 24;

/** s, s^x in G1 and sp^x in G2, where sp is a hash: who made it knows x. */
interface FactorProof {
  readonly s: Uint8Array;
  readonly sx: Uint8Array;
  readonly spx: Uint8Array;
}

/** Points are the engine's affine bytes. */
export interface Accumulator {
  readonly tauG1: Uint8Array;
  readonly tauG2: Uint8Array;
  readonly alphaG1: Uint8Array;
  readonly betaG1: Uint8Array;
  readonly betaG2: Uint8Array;
}

export interface PowersContribution extends Accumulator {
  readonly proofs: Readonly<Record<(typeof SECRETS)[number], FactorProof>>;
  /** The public proof bytes, as they are hashed. */
  readonly proofBytes: Uint8Array;
  /** Hash of all that stands after this contribution: what the next one is bound to. */
  readonly nextChallenge: Uint8Array;
  /** As the contributor gave it; may be empty. Not safe to print. */
  readonly name: string;
  readonly beacon?: { readonly value: Uint8Array; readonly iterationBits: number };
}

/** @throws POWERS_REFUSED for a malformed record, or one without contributions */
export function readPowersRecord(record: Uint8Array): readonly PowersContribution[] {
  let at = 0;
  const take = (bytes: number): Uint8Array => {
    if (at + bytes > record.length) throw powersRefused("truncated", "the record of contributions ends too early");
    return record.slice(at, (at += bytes));
  };
  const number = (): number => new DataView(take(4).buffer).getUint32(0, true);
  const count = number();
  const contributions: PowersContribution[] = [];
  for (let k = 0; k < count; k++) contributions.push(readContribution(take, number));
  if (at !== record.length) throw powersRefused("format", "bytes are left after the last contribution");
  if (count === 0)
    throw powersRefused("no-contribution", "nobody contributed to them: everybody knows tau, which is 1");
  return contributions;
}

function readContribution(take: (bytes: number) => Uint8Array, number: () => number): PowersContribution {
  const [g1, g2] = [() => take(G1_BYTES), () => take(G2_BYTES)];
  const accumulator = { tauG1: g1(), tauG2: g2(), alphaG1: g1(), betaG1: g1(), betaG2: g2() };
  const proofBytes = take(6 * G1_BYTES + 3 * G2_BYTES);
  const proofOf = (k: number): FactorProof => ({
    s: proofBytes.slice(2 * k * G1_BYTES, (2 * k + 1) * G1_BYTES),
    sx: proofBytes.slice((2 * k + 1) * G1_BYTES, (2 * k + 2) * G1_BYTES),
    spx: proofBytes.slice(6 * G1_BYTES + k * G2_BYTES, 6 * G1_BYTES + (k + 1) * G2_BYTES),
  });
  take(PARTIAL_HASH_BYTES);
  const nextChallenge = take(HASH_BYTES);
  const type = number();
  const parameters = readParameters(take(number()));
  if (type > 1 || (type === 1) !== (parameters.beacon !== undefined))
    throw powersRefused("format", "a contribution is neither a party's nor a beacon's");
  const proofs = { tau: proofOf(0), alpha: proofOf(1), beta: proofOf(2) };
  return { ...accumulator, proofs, proofBytes, nextChallenge, ...parameters };
}

function readParameters(bytes: Uint8Array): Pick<PowersContribution, "name" | "beacon"> {
  const malformed = powersRefused("format", "a contribution's name or beacon is malformed");
  let [name, iterationBits, value] = ["", undefined as number | undefined, undefined as Uint8Array | undefined];
  for (let at = 0, last = 0; at < bytes.length;) {
    const type = bytes[at]!;
    if (type <= last) throw malformed;
    last = type;
    const length = bytes[at + 1] ?? Number.NaN;
    const body = bytes.slice(at + 2, at + 2 + length);
    switch (type) {
      case 1:
      case 3:
        if (body.length !== length) throw malformed;
        if (type === 1) name = new TextDecoder().decode(body);
        else value = body;
        at += 2 + length;
        break;
      case 2:
        if (Number.isNaN(length)) throw malformed;
        iterationBits = length;
        at += 2;
        break;
      default:
        throw malformed;
    }
  }
  if ((value === undefined) !== (iterationBits === undefined)) throw malformed;
  return { name, ...(value === undefined || iterationBits === undefined ? {} : { beacon: { value, iterationBits } }) };
}

/**
 * Verifies the whole chain.
 * @param firstChallenge hash of the powers of the generator alone, {@link firstChallengeOf}
 * @returns what the last contribution left
 * @throws POWERS_REFUSED naming the contribution
 */
export async function verifyPowersRecord(
  curve: Curve,
  contributions: readonly PowersContribution[],
  firstChallenge: Uint8Array,
  random: RandomBytes,
): Promise<Accumulator> {
  await checkPoints(curve, contributions, random);
  const [g1, g2] = [curve.G1.gAffine, curve.G2.gAffine];
  let previous: Accumulator = { tauG1: g1, tauG2: g2, alphaG1: g1, betaG1: g1, betaG2: g2 };
  let challenge = firstChallenge;
  for (const [index, contribution] of contributions.entries()) {
    const where = `contribution ${index + 1}`;
    if (!(await follows(curve, previous, contribution, challenge)))
      throw powersRefused("contribution", `${where} does not follow from the one before, or its proofs are wrong`);
    if (!(await isBeaconOrParty(curve, contribution, challenge)))
      throw powersRefused("beacon", `${where} is not what its beacon gives`);
    previous = contribution;
    challenge = contribution.nextChallenge;
  }
  return previous;
}

/** Points of their groups, none infinite: pairings say nothing about others. */
async function checkPoints(
  curve: Curve,
  contributions: readonly PowersContribution[],
  random: RandomBytes,
): Promise<void> {
  const adder = await openPointAdder();
  for (const [index, { proofs, ...accumulator }] of contributions.entries()) {
    const { tauG1, alphaG1, betaG1, tauG2, betaG2 } = accumulator;
    const all = SECRETS.map((secret) => proofs[secret]);
    const inG1 = concatenate([tauG1, alphaG1, betaG1, ...all.flatMap(({ s, sx }) => [s, sx])]);
    const inG2 = concatenate([tauG2, betaG2, ...all.map(({ spx }) => spx)]);
    const isProper = adder.areProperPoints(inG1) && adder.areProperPoints(inG2, "G2");
    if (!isProper || !(await areInG2(curve, inG2, random)))
      throw powersRefused("point-invalid", `contribution ${index + 1} has a point that is none of its group`);
  }
}

async function follows(
  curve: WasmCurve,
  previous: Accumulator,
  next: PowersContribution,
  challenge: Uint8Array,
): Promise<boolean> {
  const { tau, alpha, beta } = next.proofs;
  const [tauBase, alphaBase, betaBase] = SECRETS.map((secret, k) =>
    proofBase(curve, k, challenge, next.proofs[secret]),
  );
  const ratios = [
    [tau.s, tau.sx, tauBase!, tau.spx],
    [alpha.s, alpha.sx, alphaBase!, alpha.spx],
    [beta.s, beta.sx, betaBase!, beta.spx],
    [previous.tauG1, next.tauG1, tauBase!, tau.spx],
    [tau.s, tau.sx, previous.tauG2, next.tauG2],
    [previous.alphaG1, next.alphaG1, alphaBase!, alpha.spx],
    [previous.betaG1, next.betaG1, betaBase!, beta.spx],
    [beta.s, beta.sx, previous.betaG2, next.betaG2],
  ] as const;
  for (const [a, ax, b, bx] of ratios) if (!(await sameRatio(curve, a, ax, b, bx))) return false;
  return true;
}

/** True if the logarithm of ax to a is that of bx to b; none is infinite. */
async function sameRatio(
  curve: WasmCurve,
  a: Uint8Array,
  ax: Uint8Array,
  b: Uint8Array,
  bx: Uint8Array,
): Promise<boolean> {
  return curve.pairingEq(a, bx, curve.G1.neg(ax), b);
}

/** The point of G2 that a factor is proven on: nobody knows its logarithm. */
function proofBase(
  curve: WasmCurve,
  tag: number,
  challenge: Uint8Array,
  { s, sx }: Omit<FactorProof, "spx">,
): Uint8Array {
  const hash = blake2b([Uint8Array.of(tag), challenge, curve.G1.toUncompressed(s), curve.G1.toUncompressed(sx)]);
  return curve.G2.toAffine(curve.G2.fromRng(generatorOf(hash)));
}

/** A beacon's factors follow from public randomness; everybody else's are known to nobody. */
async function isBeaconOrParty(
  curve: WasmCurve,
  { beacon, proofBytes }: PowersContribution,
  challenge: Uint8Array,
): Promise<boolean> {
  if (beacon === undefined) return true;
  if (beacon.iterationBits > MAX_BEACON_BITS) return false;
  const expected = beaconProofs(curve, beacon, challenge);
  return expected.every((byte, k) => byte === proofBytes[k]);
}

function beaconProofs(
  curve: WasmCurve,
  { value, iterationBits }: NonNullable<PowersContribution["beacon"]>,
  challenge: Uint8Array,
): Uint8Array {
  let hash = value;
  for (let k = 0; k < 2 ** iterationBits; k++) hash = createHash("sha256").update(hash).digest();
  const generator = generatorOf(hash);
  const { G1, G2, Fr } = curve;
  const factors = SECRETS.map(() => Fr.toObject(Fr.fromRng(generator)));
  const proofs = factors.map((factor, k) => {
    const s = G1.toAffine(G1.fromRng(generator));
    const sx = G1.toAffine(G1.timesScalar(s, factor));
    const spx = G2.toAffine(G2.timesScalar(proofBase(curve, k, challenge, { s, sx }), factor));
    return { s, sx, spx };
  });
  return concatenate([...proofs.flatMap(({ s, sx }) => [s, sx]), ...proofs.map(({ spx }) => spx)]);
}

function generatorOf(hash: Uint8Array): ChaCha {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return new ChaCha(Array.from({ length: 8 }, (_, k) => view.getUint32(4 * k)));
}

const firstChallenges = new Map<number, Uint8Array>();

/**
 * What the first contribution is bound to: the hash of generators alone, as many as the ceremony has powers. A minute
 * for the perpetual ceremony's 2^28.
 */
export function firstChallengeOf(curve: WasmCurve, ceremonyPower: number): Uint8Array {
  const known = firstChallenges.get(ceremonyPower) ?? hashOfGenerators(curve, ceremonyPower);
  firstChallenges.set(ceremonyPower, known);
  return known;
}

function hashOfGenerators(curve: WasmCurve, ceremonyPower: number): Uint8Array {
  const hash = createHash("blake2b512").update(blake2b([]));
  const [g1, g2] = [curve.G1.toUncompressed(curve.G1.gAffine), curve.G2.toUncompressed(curve.G2.gAffine)];
  const repeat = (point: Uint8Array, count: number): void => {
    const block = concatenate(Array.from({ length: Math.min(count, 4096) }, () => point));
    let left = count;
    for (; left >= 4096; left -= 4096) hash.update(block);
    hash.update(block.subarray(0, left * point.length));
  };
  repeat(g1, 2 ** (ceremonyPower + 1) - 1);
  repeat(g2, 2 ** ceremonyPower);
  repeat(g1, 2 ** ceremonyPower);
  repeat(g1, 2 ** ceremonyPower);
  return hash.update(g2).digest();
}

export function blake2b(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash("blake2b512");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
