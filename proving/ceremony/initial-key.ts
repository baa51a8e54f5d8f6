/**
 * The key of a circuit from powers of tau alone, with delta = sigma = 1: what contributions start from. It is the same
 * for everybody who derives it. UNUSABLE: proofs under it can be forged, and the key guard refuses it.
 */
import type { WasmGroup } from "ffjavascript";
import { invert, multiply, power } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import { G2_GENERATOR } from "../../protocol/points.ts";
import { G1_BYTES, g1FromEngine, G2_BYTES } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import type { ChunkKeys, CommittedRange } from "../groth16/dev-setup.ts";
import { domainBitsFor, rootOfUnity } from "../groth16/qap.ts";
import type { ConstraintSystem, SparseMatrix } from "../groth16/r1cs.ts";
import { writeZkey } from "../groth16/zkey.ts";
import type { PowersFile } from "./powers-file.ts";

/** What a circuit's first key is made of: checked powers, the engine's affine bytes. */
export type InitialPowers = Pick<PowersFile, "power" | "tauG1" | "tauG2" | "alphaTauG1" | "betaTauG1" | "betaG2">;

/** log2 of the powers that a circuit's key takes: the quotient's bases have twice the domain's degree. */
export function powerFor(domainBits: number): number {
  return domainBits + 1;
}

/**
 * Derives the key; seconds to minutes.
 * @param system with rows oriented as the prover will read them from the key
 * @param powers at least 2^{@link powerFor} of them
 */
export async function initialChunkKeys(
  curve: Curve,
  system: ConstraintSystem,
  committed: CommittedRange,
  powers: InitialPowers,
): Promise<ChunkKeys> {
  const bits = domainBitsFor(system);
  const lagrange = await lagrangeBases(curve, powers, bits);
  const publicRows = publicRowsOf(system);
  const a = new PointSums(curve.G1, system.wireCount);
  a.addColumns(system.a, lagrange.tau).addColumns(publicRows, lagrange.tau);
  const b1 = new PointSums(curve.G1, system.wireCount).addColumns(system.b, lagrange.tau);
  const b2 = new PointSums(curve.G2, system.wireCount).addColumns(system.b, lagrange.tau2);
  const combined = new PointSums(curve.G1, system.wireCount);
  combined.addColumns(system.a, lagrange.beta).addColumns(publicRows, lagrange.beta);
  combined.addColumns(system.b, lagrange.alpha).addColumns(system.c, lagrange.tau);
  const bases = await combined.affine();
  const firstPrivate = system.publicCount + 1;
  const part = (start: number, end: number): Uint8Array => bases.slice(start * G1_BYTES, end * G1_BYTES);
  const own = part(firstPrivate, system.wireCount);
  own.fill(0, (committed.start - firstPrivate) * G1_BYTES, (committed.end - firstPrivate) * G1_BYTES);
  const publicBases = part(0, firstPrivate);
  const { gAffine: generator1 } = curve.G1;
  const { gAffine: generator2 } = curve.G2;
  const zkey = writeZkey(system, 2 ** bits, {
    alpha1: powers.alphaTauG1.slice(0, G1_BYTES),
    beta1: powers.betaTauG1.slice(0, G1_BYTES),
    beta2: powers.betaG2,
    gamma2: generator2,
    delta1: generator1,
    delta2: generator2,
    publicBases,
    a: await a.affine(),
    b1: await b1.affine(),
    b2: await b2.affine(),
    c: own,
    h: await quotientBases(curve, powers.tauG1, bits),
  });
  const verificationKey = {
    delta: G2_GENERATOR,
    sigma: G2_GENERATOR,
    publicBases: Array.from({ length: firstPrivate }, (_, s) =>
      g1FromEngine(curve, publicBases.slice(s * G1_BYTES, (s + 1) * G1_BYTES)),
    ),
  };
  return { verificationKey, zkey, wireBases: part(committed.start, committed.end) };
}

/** [L_k(tau)] over the domain, times 1, alpha and beta in G1, and in G2. */
async function lagrangeBases(
  curve: Curve,
  powers: InitialPowers,
  bits: number,
): Promise<Readonly<Record<"tau" | "tau2" | "alpha" | "beta", Uint8Array>>> {
  const { G1, G2 } = curve;
  const first = (points: Uint8Array, bytes: number): Uint8Array => points.subarray(0, 2 ** bits * bytes);
  return {
    tau: await G1.ifft(first(powers.tauG1, G1_BYTES)),
    alpha: await G1.ifft(first(powers.alphaTauG1, G1_BYTES)),
    beta: await G1.ifft(first(powers.betaTauG1, G1_BYTES)),
    tau2: await G2.ifft(first(powers.tauG2, G2_BYTES)),
  };
}

/**
 * [L_{2k+1}(tau)] over the domain of twice the size n: with w of order 2n, these are the inverse transform of size n of
 * (tau^i − tau^(i+n))·w^−i/2.
 */
async function quotientBases(curve: Curve, powers: Uint8Array, bits: number): Promise<Uint8Array> {
  const { G1, Fr } = curve;
  const size = 2 ** bits;
  const differences = new Uint8Array(size * 3 * (G1_BYTES / 2));
  for (let i = 0; i < size; i++)
    differences.set(G1.sub(pointAt(powers, i, G1_BYTES), pointAt(powers, i + size, G1_BYTES)), i * 3 * (G1_BYTES / 2));
  const inverse = power(rootOfUnity(bits + 1), FIELD_ORDER - 2n);
  const scaled = await G1.batchApplyKey(await G1.batchToAffine(differences), Fr.e(invert(2n)), Fr.e(inverse));
  return G1.ifft(scaled);
}

/** The rows of A that hold one public wire each, in the place that snarkjs's program gives them. */
function publicRowsOf({ constraintCount, publicCount }: ConstraintSystem): SparseMatrix {
  const wires = Array.from({ length: publicCount + 1 }, (_, s) => s);
  return {
    rowStart: Uint32Array.from([...new Array<number>(constraintCount + 1).fill(0), ...wires.map((s) => s + 1)]),
    wire: Uint32Array.from(wires),
    coefficient: wires.map(() => 1n),
  };
}

/** One sum of points for each wire. */
class PointSums {
  private readonly group: WasmGroup;
  private readonly sums: (Uint8Array | undefined)[];

  constructor(group: WasmGroup, wireCount: number) {
    this.group = group;
    this.sums = new Array<Uint8Array | undefined>(wireCount).fill(undefined);
  }

  /** Adds Σ_k entry_ki·base_k to the sum of every wire i. */
  addColumns(matrix: SparseMatrix, bases: Uint8Array): this {
    const bytes = 2 * this.group.F.n8;
    for (let row = 0; row + 1 < matrix.rowStart.length; row++)
      for (let k = matrix.rowStart[row]!; k < matrix.rowStart[row + 1]!; k++)
        this.add(matrix.wire[k]!, pointAt(bases, row, bytes), matrix.coefficient[k]!);
    return this;
  }

  /** Affine points in the engine's bytes; infinity is all zero. */
  async affine(): Promise<Uint8Array> {
    const bytes = 3 * this.group.F.n8;
    const all = new Uint8Array(this.sums.length * bytes);
    this.sums.forEach((sum, k) => all.set(sum ?? this.group.zero, k * bytes));
    return this.group.batchToAffine(all);
  }

  private add(wire: number, base: Uint8Array, coefficient: bigint): void {
    const term = this.multiple(base, multiply(coefficient, 1n));
    const sum = this.sums[wire];
    this.sums[wire] = this.group.add(sum ?? this.group.zero, term);
  }

  /** Most entries are 1 or −1, or short up to their sign. */
  private multiple(base: Uint8Array, coefficient: bigint): Uint8Array {
    if (coefficient === 1n) return base;
    if (coefficient > FIELD_ORDER / 2n) return this.group.neg(this.multiple(base, FIELD_ORDER - coefficient));
    return this.group.timesScalar(base, coefficient);
  }
}

function pointAt(points: Uint8Array, index: number, bytes: number): Uint8Array {
  return points.subarray(index * bytes, (index + 1) * bytes);
}
