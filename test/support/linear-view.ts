/**
 * The linear algebra of what a round publishes (docs/protocol.md, "What a round hides"): every value that an adversary
 * sees is a linear functional over Fr of the honest clients' packed updates and of uniform unknowns (masks, sharing
 * coefficients, blinders).
 */
import { invert, multiply, power, toField } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";

export type Row = bigint[];

/** A round as the adversary sees it. Corrupt clients' vectors are known and therefore left out. */
export interface View {
  readonly chunks: number;
  /** Packed elements of one chunk. */
  readonly packed: number;
  readonly masksPerChunk: number;
  readonly threshold: number;
  readonly committeeSize: number;
  /** Shares known in full, of seats 1, 2, … */
  readonly knownShares: number;
  /** Weight of each honest client in the sum; 0n for one that the settlement left out. */
  readonly weights: readonly bigint[];
  /** Evaluations of the first client's whole vector that are published on top. */
  readonly extraEvaluations: number;
  /**
   * Evaluations of each of the first client's chunks that are published on top: a second challenge with the same masks.
   */
  readonly extraChunkEvaluations: number;
  /** An earlier attempt of the first client that others saw: same update, everything else drawn afresh. */
  readonly abandonedAttempt: boolean;
  /** False leaves D without its blinder. */
  readonly blindedWires: boolean;
  /** Draws z of each client, tau, z' and D's bases. */
  readonly draw: () => bigint;
}

/** What the adversary learns beyond the weighted sum. */
export interface Knowledge {
  /** Dimension of the space of functionals of the updates that are determined. */
  readonly determined: number;
  /** Of these, how many the weighted sum does not give. */
  readonly beyondSum: number;
}

/**
 * One submission's unknowns: columns of its packed elements and masks, of its sharing coefficients, of its blinders.
 */
interface Attempt {
  /** Column of each element of the vector X, masks included. */
  readonly vector: readonly number[];
  readonly coefficients: readonly (readonly number[])[];
  readonly blinders: readonly number[];
}

/** Counts the functionals of the updates that follow from the view, by exact elimination in Fr. */
export function knowledgeOf(view: View): Knowledge {
  const { rows, nuisanceColumns, columns, sums } = publishedRows(view);
  const determined = withoutNuisance(rows, nuisanceColumns, columns);
  return { determined: rankOf(determined), beyondSum: rankOf([...determined, ...sums]) - rankOf(sums) };
}

/** The rows with the first `nuisance` columns eliminated: a basis of what holds whatever the nuisance is. */
function withoutNuisance(rows: readonly Row[], nuisance: number, columns: number): Row[] {
  const work = rows.map((row) => [...row]);
  const pivots = eliminate(work, nuisance);
  return work.slice(pivots).map((row) => row.slice(nuisance, columns));
}

export function rankOf(rows: readonly Row[]): number {
  const work = rows.map((row) => [...row]);
  return eliminate(work, work[0]?.length ?? 0);
}

/**
 * Gaussian elimination on the first `columns` columns, in place; the pivot rows come first. Returns how many there are.
 */
function eliminate(rows: Row[], columns: number): number {
  let rank = 0;
  for (let column = 0; column < columns && rank < rows.length; column++) {
    const found = rows.findIndex((row, i) => i >= rank && row[column] !== 0n);
    if (found < 0) continue;
    [rows[rank], rows[found]] = [rows[found]!, rows[rank]!];
    const pivot = rows[rank]!;
    const inverse = invert(pivot[column]!);
    const support = pivot.flatMap((value, i) => (value === 0n ? [] : [i]));
    for (let i = rank + 1; i < rows.length; i++) {
      const row = rows[i]!;
      if (row[column] === 0n) continue;
      const scale = FIELD_ORDER - multiply(row[column]!, inverse);
      for (const at of support) row[at] = (row[at]! + scale * pivot[at]!) % FIELD_ORDER;
    }
    rank++;
  }
  return rank;
}

/** Columns: all nuisance first, then the clients' packed elements. */
function publishedRows(view: View): { rows: Row[]; nuisanceColumns: number; columns: number; sums: Row[] } {
  const clients = view.weights.length;
  const blockLength = view.packed + view.masksPerChunk;
  const length = view.chunks * blockLength;
  const attempts = clients + (view.abandonedAttempt ? 1 : 0);
  const nuisancePerAttempt = view.chunks * view.masksPerChunk + (view.threshold - 1) * length + view.chunks;
  const nuisanceColumns = attempts * nuisancePerAttempt;
  const columns = nuisanceColumns + clients * view.chunks * view.packed;

  const attemptOf = (index: number, client: number): Attempt => {
    let next = index * nuisancePerAttempt;
    let update = nuisanceColumns + client * view.chunks * view.packed;
    const vector = Array.from({ length }, (_, e) => (e % blockLength < view.packed ? update++ : next++));
    const coefficients = Array.from({ length: view.threshold - 1 }, () => Array.from({ length }, () => next++));
    return { vector, coefficients, blinders: Array.from({ length: view.chunks }, () => next++) };
  };
  const row = (terms: Iterable<readonly [column: number, value: bigint]>): Row => {
    const values = Array<bigint>(columns).fill(0n);
    for (const [column, value] of terms) values[column] = toField(values[column]! + value);
    return values;
  };
  const evaluation = (vectorColumns: readonly number[], point: bigint): [number, bigint][] =>
    vectorColumns.map((column, e) => [column, power(point, BigInt(e))]);
  const blocks = (attempt: Attempt): (readonly number[])[] =>
    Array.from({ length: view.chunks }, (_, k) => attempt.vector.slice(k * blockLength, (k + 1) * blockLength));
  const share = (attempt: Attempt, seat: number, e: number, weight: bigint): [number, bigint][] => [
    [attempt.vector[e]!, weight],
    ...attempt.coefficients.map((vector, i): [number, bigint] => [
      vector[e]!,
      weight * power(BigInt(seat), BigInt(i + 1)),
    ]),
  ];

  const tau = view.draw();
  const rows: Row[] = [];
  /**
   * Everything that one submission shows: C as its exponent p(tau), the opening's exponent, y_j, E, D, and the known
   * shares.
   */
  const publishSubmission = (attempt: Attempt): void => {
    const z = view.draw();
    rows.push(row(evaluation(attempt.vector, tau)));
    const opening = invert(toField(tau - z));
    const difference = attempt.vector.map((column, e): [number, bigint] => [
      column,
      multiply(opening, toField(power(tau, BigInt(e)) - power(z, BigInt(e)))),
    ]);
    rows.push(row(difference));
    for (const block of blocks(attempt)) rows.push(row(evaluation(block, z)));
    for (const vector of attempt.coefficients) rows.push(row(evaluation(vector, z)));
    blocks(attempt).forEach((block, k) => {
      const wires = block.map((column): [number, bigint] => [column, view.draw()]);
      rows.push(row(view.blindedWires ? [...wires, [attempt.blinders[k]!, view.draw()]] : wires));
    });
    for (let seat = 1; seat <= view.knownShares; seat++)
      for (let e = 0; e < length; e++) rows.push(row(share(attempt, seat, e, 1n)));
  };

  const honest = view.weights.map((_, client) => attemptOf(client, client));
  honest.forEach(publishSubmission);
  if (view.abandonedAttempt) publishSubmission(attemptOf(clients, 0));
  for (let i = 0; i < view.extraEvaluations; i++) rows.push(row(evaluation(honest[0]!.vector, view.draw())));
  for (let i = 0; i < view.extraChunkEvaluations; i++) {
    const z = view.draw();
    for (const block of blocks(honest[0]!)) rows.push(row(evaluation(block, z)));
  }

  const included = honest
    .map((attempt, i) => ({ attempt, weight: view.weights[i]! }))
    .filter(({ weight }) => weight !== 0n);
  // Every seat's release, the interpolated aggregate with its masks, and its evaluation at z'.
  for (let seat = 1; seat <= view.committeeSize; seat++) {
    for (let e = 0; e < length; e++)
      rows.push(row(included.flatMap(({ attempt, weight }) => share(attempt, seat, e, weight))));
  }
  const aggregate = Array.from({ length }, (_, e) =>
    row(included.map(({ attempt, weight }): [number, bigint] => [attempt.vector[e]!, weight])),
  );
  rows.push(...aggregate);
  const resultPoint = view.draw();
  rows.push(
    row(
      included.flatMap(({ attempt, weight }) =>
        evaluation(attempt.vector, resultPoint).map(([column, value]): [number, bigint] => [
          column,
          multiply(value, weight),
        ]),
      ),
    ),
  );
  const sums = aggregate.filter((_, e) => e % blockLength < view.packed).map((values) => values.slice(nuisanceColumns));
  return { rows, nuisanceColumns, columns, sums };
}
