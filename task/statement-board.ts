/**
 * The statements that a node knows: verified, by seat and member, and bounded. Whatever a member signs takes nothing
 * from the others, nor from whoever has its seat before it or after it; and what others repeat of its earlier rounds
 * takes nothing from the present one.
 */
import type {
  Attestation,
  AttestationStatement,
  Release,
  ReleaseStatement,
  RoundRecords,
  TaskReader,
} from "../chain/task-chain.ts";
import { membersIn } from "../chain/lists.ts";
import { bitCount, hasSeat } from "../protocol/committee.ts";
import type { Hex } from "../protocol/transcript.ts";
import { checkOrigin } from "./statements.ts";
import type { Statement } from "./statements.ts";

/** What a statement says, whoever signed it. */
type Said = ({ readonly kind: "attestation" } & Attestation) | ({ readonly kind: "release" } & Release);

/** Kept of one member of a seat. An honest one makes few in a round, and reorganisations bring few more. */
export const MOST_OF_SEAT = 16;

export interface StatementBoard {
  /**
   * Keeps a statement, unless what is kept says as much, or is of later rounds and fills its member's place. Returns
   * whether it is kept and new.
   * @throws SIGNATURE_INVALID, SEAT_REPLACED, STATEMENT_CONTRADICTORY; chain errors
   */
  add(statement: Statement): Promise<boolean>;
  /** All of a round. */
  of(round: bigint): readonly Statement[];
  /** Of an intake: each seat's that finds most shares good. */
  attestations(round: bigint, intake: Hex): readonly AttestationStatement[];
  /** Of a settlement, one of each seat. */
  releases(round: bigint, settlement: Hex): readonly ReleaseStatement[];
}

/**
 * @param onNew called with each statement that is kept and new
 * @param check throws unless the statement is its seat's
 */
export function createStatementBoard(
  chain: Pick<TaskReader, "context" | "seats">,
  onNew: (statement: Statement) => void = () => undefined,
  check: typeof checkOrigin = checkOrigin,
): StatementBoard {
  /** By seat, then by member: the next member can sign for rounds to come while the present one's are needed. */
  const bySeat = new Map<number, Map<Hex, readonly Statement[]>>();
  const ofSeat = (seat: number): Statement[] => [...(bySeat.get(seat)?.values() ?? [])].flat();
  const all = (): Statement[] => [...bySeat.keys()].sort((a, b) => a - b).flatMap(ofSeat);
  return {
    add: async (statement) => {
      const { seat, round } = statement;
      const isKnown = (): boolean => ofSeat(seat).some((kept) => covers(kept, statement));
      if (isKnown()) return false;
      await check(chain, statement);
      const member = membersIn(await chain.seats(), round)[seat - 1]!;
      // Another one may have come while this one was checked.
      if (isKnown()) return false;
      const members = bySeat.get(seat) ?? new Map<Hex, readonly Statement[]>();
      const others = (members.get(member) ?? []).filter((kept) => !covers(statement, kept));
      const kept = latest([...others, statement]);
      if (!kept.includes(statement)) return false;
      bySeat.set(seat, members.set(member, kept));
      onNew(statement);
      return true;
    },
    of: (round) => all().filter((statement) => statement.round === round),
    attestations: (round, intake) =>
      bestBySeat(
        all().filter(
          (statement): statement is Extract<Statement, { kind: "attestation" }> =>
            statement.kind === "attestation" && statement.round === round && statement.intake === intake,
        ),
      ),
    releases: (round, settlement) =>
      firstBySeat(
        all().filter(
          (statement): statement is Extract<Statement, { kind: "release" }> =>
            statement.kind === "release" && statement.round === round && statement.settlement === settlement,
        ),
      ),
  };
}

/**
 * A settled round's records with the releases that the board knows, until those of a result are on chain. A seat that
 * had no key for the round holds no shares, but may know their sum from others' releases: the contract refuses a result
 * with its release.
 */
export function withReleases(records: RoundRecords, board: Pick<StatementBoard, "releases">): RoundRecords {
  const { opened, settled, finalised } = records;
  if (opened === undefined || settled === undefined || finalised !== undefined) return records;
  const released = board
    .releases(settled.round, settled.settlement)
    .filter(({ seat }) => hasSeat(opened.keyMask, seat));
  return { ...records, released };
}

/** Whether some statement of the seat says all that this attestation would say. */
export function isSaid(statements: readonly Statement[], seat: number, attestation: Attestation): boolean {
  return statements.some((kept) => kept.seat === seat && covers(kept, { kind: "attestation", ...attestation }));
}

/** Whether one of a seat's statements says all that the other one says. */
function covers(kept: Statement, other: Said): boolean {
  if (kept.round !== other.round) return false;
  if (kept.kind === "release")
    return other.kind === "release" && kept.settlement === other.settlement && kept.releaseCid === other.releaseCid;
  return (
    other.kind === "attestation" &&
    kept.intake === other.intake &&
    (other.good & ~kept.good) === 0n &&
    (other.refused & ~kept.refused) === 0n
  );
}

/** Without the oldest of the earliest rounds. */
function latest(statements: readonly Statement[]): readonly Statement[] {
  if (statements.length <= MOST_OF_SEAT) return statements;
  const earliest = statements.reduce((a, b) => (b.round < a.round ? b : a));
  return statements.filter((statement) => statement !== earliest);
}

function bestBySeat(statements: readonly AttestationStatement[]): readonly AttestationStatement[] {
  const best = [...statements].sort(
    (a, b) => bitCount(b.good) - bitCount(a.good) || bitCount(b.refused) - bitCount(a.refused),
  );
  return firstBySeat(best);
}

function firstBySeat<T extends { readonly seat: number }>(statements: readonly T[]): readonly T[] {
  const first = new Map<number, T>();
  for (const statement of statements) if (!first.has(statement.seat)) first.set(statement.seat, statement);
  return [...first.values()].sort((a, b) => a.seat - b.seat);
}
