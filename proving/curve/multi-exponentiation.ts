/**
 * Multi-exponentiation that looks at its scalars first. In a lookup argument most wires are either narrow (rows,
 * counts) or one of few distinct values (inverses), and both are cheaper than full-width scalars: narrow ones by an
 * order of magnitude, and equal ones cost one addition each once their bases are summed.
 */
import type { WasmGroup } from "ffjavascript";
import { G1_BYTES, G2_BYTES, SCALAR_BYTES } from "./bn254.ts";
import type { Curve } from "./curve.ts";
import type { GroupName } from "./fixed-base-kernel.ts";
import type { PointAdder } from "./point-adder.ts";

const NARROW_BYTES = 2;
/** Below this many points the engine is as fast as the kernel. */
const MIN_KERNEL_POINTS = 32;
/** Below this many points a piece one thread is as fast as several. */
const MIN_PIECE_POINTS = 2048;
const POINT_BYTES: Readonly<Record<GroupName, number>> = { G1: G1_BYTES, G2: G2_BYTES };

/** Bases of a proving key's section that are not infinity, packed, with the wire of each. */
export interface BaseTable {
  readonly group: GroupName;
  readonly wires: Uint32Array;
  readonly points: Uint8Array;
}

/**
 * Packs a section of a key.
 * @param firstWire wire of the section's first point
 */
export function baseTable(group: GroupName, section: Uint8Array, firstWire = 0): BaseTable {
  const size = POINT_BYTES[group];
  const words = new BigUint64Array(section.buffer.slice(section.byteOffset, section.byteOffset + section.length));
  const wires: number[] = [];
  for (let index = 0; index < section.length / size; index++) {
    const at = (index * size) / 8;
    for (let k = 0; k < size / 8; k++) {
      if (words[at + k] !== 0n) {
        wires.push(index);
        break;
      }
    }
  }
  const points = new Uint8Array(wires.length * size);
  wires.forEach((index, k) => points.set(section.subarray(index * size, (index + 1) * size), k * size));
  return { group, wires: Uint32Array.from(wires, (index) => index + firstWire), points };
}

/**
 * Σ scalar_i·base_i, in the engine's bytes. Scalars are little-endian and all of one width, the buffer's length over
 * the number of bases: one or two bytes are an order of magnitude cheaper than 32.
 */
export async function multiExponentiation(
  curve: Curve,
  bases: Uint8Array,
  scalars: Uint8Array,
  group: GroupName = "G1",
): Promise<Uint8Array> {
  const pointBytes = POINT_BYTES[group];
  const count = bases.length / pointBytes;
  const { kernel } = curve;
  if (kernel === undefined || count < MIN_KERNEL_POINTS) return curve[group].multiExpAffine(bases, scalars);
  const width = scalars.length / count;
  if (!Number.isInteger(width)) throw new RangeError("the scalars are not of one width");
  const pieces = Math.max(1, Math.min(kernel.free, Math.floor(count / MIN_PIECE_POINTS)));
  const size = Math.ceil(count / pieces);
  const sums = await Promise.all(
    Array.from({ length: pieces }, (_, k) => {
      const [start, end] = [k * size, Math.min(count, (k + 1) * size)];
      return kernel.run({
        group,
        points: bases.slice(start * pointBytes, end * pointBytes),
        scalars: scalars.slice(start * width, end * width),
        scalarBytes: width,
      });
    }),
  );
  return sums.map((bits) => sumOfBits(curve[group], bits)).reduce((a, b) => curve[group].add(a, b));
}

/** Σ 2^k·point_k, of affine points in the engine's bytes. */
export function sumOfBits(group: WasmGroup, points: Uint8Array): Uint8Array {
  const pointBytes = group.zeroAffine.length;
  let sum = group.zero;
  for (let end = points.length; end > 0; end -= pointBytes) {
    const point = points.subarray(end - pointBytes, end);
    sum = group.double(sum);
    // The engine's mixed addition takes an affine infinity for a point when the sum is infinity.
    if (!group.isZero(point)) sum = group.add(sum, point);
  }
  return sum;
}

/**
 * Σ witness[wire]·base, as a Jacobian point in the engine's bytes.
 * @param witness all wires, 32-byte little-endian words
 * @param adder sums the bases of equal scalars first; for G1 only
 */
export async function sparseMultiExponentiation(
  curve: Curve,
  table: BaseTable,
  witness: Uint8Array,
  adder?: PointAdder,
): Promise<Uint8Array> {
  const { narrow, wide } = splitByWidth(table, witness);
  const group = curve[table.group];
  const dense = (bases: Uint8Array, scalars: Uint8Array): Promise<Uint8Array> =>
    multiExponentiation(curve, bases, scalars, table.group);
  const narrowSum = dense(gather(table, narrow), narrowScalars(table, narrow, witness));
  const wideSum =
    adder === undefined
      ? dense(gather(table, wide), wideScalars(table, wide, witness))
      : groupedMultiExponentiation(curve, table, wide, witness, adder);
  return group.add(await narrowSum, await wideSum);
}

/** Σ witness[wire]·base over the entries, where many scalars are equal. */
async function groupedMultiExponentiation(
  curve: Curve,
  table: BaseTable,
  entries: Uint32Array,
  witness: Uint8Array,
  adder: PointAdder,
): Promise<Uint8Array> {
  const { groups, members } = groupEqual(table, entries, witness);
  const scalars = wideScalars(table, members, witness);
  const { kernel } = curve;
  if (kernel === undefined || entries.length < MIN_KERNEL_POINTS)
    return curve.G1.multiExpAffine(adder.sumByBucket(table.points, entries, groups, members.length), scalars);
  return sumOfBits(
    curve.G1,
    await kernel.run({ group: "G1", points: gather(table, entries), scalars, scalarBytes: SCALAR_BYTES, groups }),
  );
}

/** Entries of the table by the width of their scalars; zeros are left out. */
function splitByWidth(table: BaseTable, witness: Uint8Array): { narrow: Uint32Array; wide: Uint32Array } {
  const words = wordsOf(witness);
  const narrow = new Uint32Array(table.wires.length);
  const wide = new Uint32Array(table.wires.length);
  let narrowCount = 0;
  let wideCount = 0;
  for (let entry = 0; entry < table.wires.length; entry++) {
    const at = table.wires[entry]! * (SCALAR_BYTES / 4);
    let isNarrow = words[at]! < 2 ** (8 * NARROW_BYTES);
    for (let k = 1; isNarrow && k < SCALAR_BYTES / 4; k++) isNarrow = words[at + k] === 0;
    if (!isNarrow) wide[wideCount++] = entry;
    else if (words[at] !== 0) narrow[narrowCount++] = entry;
  }
  return { narrow: narrow.subarray(0, narrowCount), wide: wide.subarray(0, wideCount) };
}

/** The group of each entry, such that entries of a group have equal scalars, and an entry of each group. */
function groupEqual(
  table: BaseTable,
  entries: Uint32Array,
  witness: Uint8Array,
): { groups: Uint32Array; members: Uint32Array } {
  const words = wordsOf(witness);
  const groupOf = new Map<number, number>();
  const members: number[] = [];
  const groups = new Uint32Array(entries.length);
  for (let k = 0; k < entries.length; k++) {
    const at = table.wires[entries[k]!]! * (SCALAR_BYTES / 4);
    const key = words[at]! * 2 ** 21 + (words[at + 1]! >>> 11);
    let group = groupOf.get(key);
    if (group !== undefined && !sameScalar(words, at, table.wires[members[group]!]! * (SCALAR_BYTES / 4)))
      group = undefined;
    if (group === undefined) {
      group = members.length;
      members.push(entries[k]!);
      groupOf.set(key, group);
    }
    groups[k] = group;
  }
  return { groups, members: Uint32Array.from(members) };
}

function sameScalar(words: Uint32Array, a: number, b: number): boolean {
  for (let k = 0; k < SCALAR_BYTES / 4; k++) if (words[a + k] !== words[b + k]) return false;
  return true;
}

function gather(table: BaseTable, entries: Uint32Array): Uint8Array {
  const size = POINT_BYTES[table.group];
  const points = new Uint8Array(entries.length * size);
  for (let k = 0; k < entries.length; k++)
    points.set(table.points.subarray(entries[k]! * size, (entries[k]! + 1) * size), k * size);
  return points;
}

function narrowScalars(table: BaseTable, entries: Uint32Array, witness: Uint8Array): Uint8Array {
  const scalars = new Uint8Array(entries.length * NARROW_BYTES);
  for (let k = 0; k < entries.length; k++) {
    const at = table.wires[entries[k]!]! * SCALAR_BYTES;
    scalars[k * NARROW_BYTES] = witness[at]!;
    scalars[k * NARROW_BYTES + 1] = witness[at + 1]!;
  }
  return scalars;
}

function wideScalars(table: BaseTable, entries: Uint32Array, witness: Uint8Array): Uint8Array {
  const scalars = new Uint8Array(entries.length * SCALAR_BYTES);
  for (let k = 0; k < entries.length; k++) {
    const at = table.wires[entries[k]!]! * SCALAR_BYTES;
    scalars.set(witness.subarray(at, at + SCALAR_BYTES), k * SCALAR_BYTES);
  }
  return scalars;
}

function wordsOf(witness: Uint8Array): Uint32Array {
  if (witness.byteOffset % 4 === 0) return new Uint32Array(witness.buffer, witness.byteOffset, witness.length / 4);
  return new Uint32Array(witness.slice().buffer);
}
