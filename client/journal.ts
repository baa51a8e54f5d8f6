/**
 * What a client keeps between starts: the private vectors that it drew, the one submission it made for a round and a
 * base model, byte for byte, the rounds it sits out, and how far it audited.
 */
import { dirname } from "node:path";
import { z } from "zod";
import type { AuditedRound } from "../auditor/continued-audit.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, listDirectory, readIfPresent, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import { plain, submissionSchema } from "../task/signed-submission.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]*$/.test(value));
const integer = z
  .string()
  .regex(/^[0-9]+$/)
  .transform(BigInt);
const entrySchema = z.strictObject({
  round: integer,
  base: integer,
  baseModelDigest: hex,
  parametersHash: hex,
  weight: z.int(),
  roundKeys: z.array(hex),
  submission: submissionSchema,
});

const vectorSchema = z.strictObject({
  base: integer,
  firstRound: integer,
  baseModelDigest: hex,
  coordinates: z.array(z.int()).transform((values) => Int32Array.from(values)),
});

/** Vectors that stay readable: the present one, and the one before, whose base a reorganisation may bring back. */
const READABLE = 2;

const auditedSchema = z.strictObject({ round: integer, modelDigest: hex, parametersHash: hex });

/** What a submission is made for: it fits nothing else. */
export interface SubmissionTarget {
  readonly round: bigint;
  /** Number of the base model. */
  readonly base: bigint;
  readonly baseModelDigest: Hex;
  readonly parametersHash: Hex;
  readonly weight: number;
  /** By seat, as the shares were sealed to them; the zero word for a seat that had none when the round opened. */
  readonly roundKeys: readonly Hex[];
}

export interface JournalEntry extends SubmissionTarget {
  readonly submission: Submission;
}

/** Names a vector that this client drew. */
export interface VectorName {
  /** Number of the base model. */
  readonly base: bigint;
  /**
   * Submissions of its base for this round and later ones share it. Of two vectors with one base, the later one takes
   * the earlier one's place.
   */
  readonly firstRound: bigint;
  readonly baseModelDigest: Hex;
}

/** What this client shares of a base model: quantised coordinates, the noise in them. Secret. */
export interface PrivateVector extends VectorName {
  readonly coordinates: Int32Array;
}

/** What a submission is named by. */
export type SubmissionName = Pick<SubmissionTarget, "round"> & {
  /** Undefined in a record of version 1 of the directory, which may be of any. */
  readonly baseModelDigest: Hex | undefined;
  /** It is known from the chain alone, and so is not which vector it was of. */
  readonly isLost?: boolean;
};

export interface Journal {
  /** Every vector that was drawn, by ascending base and round; readable or not. */
  vectors(): Promise<readonly VectorName[]>;
  /** @throws ROUND_RECORD_DAMAGED if it was erased, or cannot be read: nothing is drawn in its place */
  vector(name: VectorName): Promise<PrivateVector>;
  /**
   * Keeps a vector before anything is made of it, and erases what older ones hold.
   * @throws ROUND_EQUIVOCATION if one is kept under this name
   */
  keepVector(vector: PrivateVector): Promise<void>;
  /** Counts a vector as drawn and lost: another copy of this directory may have it. */
  loseVector(name: VectorName): Promise<void>;
  /**
   * What was made for this round and this base model, whether it still fits or not: nothing else is ever made for them.
   * @throws ROUND_RECORD_DAMAGED if something was made and cannot be read
   */
  find(round: bigint, baseModelDigest: Hex): Promise<JournalEntry | undefined>;
  /**
   * Keeps a submission before its first byte leaves. @throws ROUND_EQUIVOCATION if one is kept for the same round and
   * base model
   */
  keep(entry: JournalEntry): Promise<void>;
  /** Counts a submission as made and lost: the chain has it, and this directory came back from before it. */
  loseSubmission(name: Pick<SubmissionTarget, "round" | "baseModelDigest">): Promise<void>;
  /** Every submission that was made, by ascending round. */
  submissions(): Promise<readonly SubmissionName[]>;
  /**
   * Notes that this round's noise did not fit. It is never drawn again, also not after a restart: its exit is counted
   * in delta once.
   */
  sitOut(round: bigint): Promise<void>;
  satOut(round: bigint): Promise<boolean>;
  /** The last model of the task with these parameters that this client audited; undefined before the first. */
  audited(parametersHash: Hex): Promise<AuditedRound | undefined>;
  setAudited(record: AuditedRound & { readonly parametersHash: Hex }): Promise<void>;
}

/** One file for each round and base model, under one directory per (chain, contract, account). */
export function openJournal(state: StateDirectory, scope: string): Journal {
  const entryPath = (round: bigint, baseModelDigest: Hex): string => {
    const base = baseModelDigest.slice(2);
    return state.file(scope, `submission-${round}-${base}.json`);
  };
  const lostPath = (round: bigint, baseModelDigest: Hex): string => {
    const base = baseModelDigest.slice(2);
    return state.file(scope, `submission-${round}-${base}-lost.json`);
  };
  const satOutPath = (round: bigint): string => state.file(scope, `sat-out-${round}.json`);
  const vectorPath = ({ base, firstRound, baseModelDigest }: VectorName): string => {
    const digest = baseModelDigest.slice(2);
    return state.file(scope, `vector-${base}-${firstRound}-${digest}.json`);
  };
  const auditPath = state.file(scope, "audited-model.json");
  const folder = dirname(auditPath);
  const vectors: Journal["vectors"] = async () => {
    const names = await listDirectory(folder);
    const drawn = names.flatMap((name): readonly VectorName[] => {
      const [, base, round, digest] = /^vector-([0-9]+)-([0-9]+)-([0-9a-f]{64})\.json$/.exec(name) ?? [];
      if (base === undefined || round === undefined) return [];
      return [{ base: BigInt(base), firstRound: BigInt(round), baseModelDigest: `0x${digest!}` }];
    });
    return drawn.sort((a, b) => Number(a.base - b.base) || Number(a.firstRound - b.firstRound));
  };
  const find: Journal["find"] = async (round, baseModelDigest) => {
    // Version 1 of the directory named records by the round alone, and did not say which keys they were made for.
    const paths = [entryPath, lostPath].map((pathOf) => pathOf(round, baseModelDigest));
    for (const path of [...paths, state.file(scope, `submission-${round}.json`)]) {
      const value = await readRecordOrNull(path);
      if (value === undefined) continue;
      const { data } = entrySchema.safeParse(value);
      if (data?.round === round && data.baseModelDigest === baseModelDigest) return data;
      // What was sent is not known, and a second submission would reveal more than δ and ε count.
      throw new VerisumError(
        "ROUND_RECORD_DAMAGED",
        `${path} is damaged: this client sends nothing in round ${round}`,
        { round, path },
      );
    }
    return undefined;
  };
  return {
    find,
    keep: async (entry) => {
      const { round, baseModelDigest } = entry;
      if ((await find(round, baseModelDigest)) !== undefined)
        throw new VerisumError("ROUND_EQUIVOCATION", `round ${round} has a submission already`, { round });
      await writeDurably(entryPath(round, baseModelDigest), encodeRecord(plain(entry)));
    },
    loseSubmission: ({ round, baseModelDigest }) => writeDurably(lostPath(round, baseModelDigest), ""),
    submissions: async () => {
      const names = await listDirectory(folder);
      const made = names.flatMap((name): readonly SubmissionName[] => {
        const [, round, base, lost] = /^submission-([0-9]+)(?:-([0-9a-f]{64})(-lost)?)?\.json$/.exec(name) ?? [];
        if (round === undefined) return [];
        const baseModelDigest: Hex | undefined = base === undefined ? undefined : `0x${base}`;
        return [{ round: BigInt(round), baseModelDigest, ...(lost === undefined ? {} : { isLost: true }) }];
      });
      return made.sort((a, b) => Number(a.round - b.round));
    },
    vectors,
    vector: async (name) => {
      const { base, firstRound, baseModelDigest } = name;
      const path = vectorPath(name);
      const { data } = vectorSchema.safeParse(await readRecordOrNull(path));
      const isNamed = data?.base === base && data.firstRound === firstRound && data.baseModelDigest === baseModelDigest;
      if (isNamed) return data;
      throw new VerisumError(
        "ROUND_RECORD_DAMAGED",
        `${path} is damaged or was erased: this client draws no second vector of model ${base}`,
        { base, path },
      );
    },
    keepVector: async (vector) => {
      const drawn = await vectors();
      const path = vectorPath(vector);
      if (drawn.some((name) => vectorPath(name) === path))
        throw new VerisumError("ROUND_EQUIVOCATION", `model ${vector.base} has a vector already`, {
          base: vector.base,
        });
      await writeDurably(path, encodeRecord(plain({ ...vector, coordinates: [...vector.coordinates] })));
      for (const old of [...drawn, vector].slice(0, -READABLE)) await forget(vectorPath(old));
    },
    loseVector: (name) => writeDurably(vectorPath(name), ""),
    sitOut: (round) => writeDurably(satOutPath(round), encodeRecord(round.toString())),
    satOut: async (round) => (await readIfPresent(satOutPath(round))) !== undefined,
    audited: async (parametersHash) => {
      // Damaged, or of another task, it only costs an audit from the start.
      const parsed = auditedSchema.safeParse(await readRecordOrNull(auditPath));
      if (!parsed.success || parsed.data.parametersHash !== parametersHash) return undefined;
      const { round, modelDigest } = parsed.data;
      return { round, modelDigest };
    },
    setAudited: (record) => writeDurably(auditPath, encodeRecord(plain(record))),
  };
}

/** Leaves the name alone, which says that something was drawn. */
async function forget(path: string): Promise<void> {
  if ((await readIfPresent(path))?.length !== 0) await writeDurably(path, "");
}
