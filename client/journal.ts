/**
 * What a client keeps between starts: the one submission it made for a round and a base model, byte for byte, the
 * rounds it sits out, and how far it audited.
 */
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { AuditedRound } from "../auditor/continued-audit.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Submission } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeRecord, readIfPresent, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import { plain, submissionSchema } from "../task/signed-submission.ts";
import type { StateDirectory } from "../storage/state-directory.ts";

const hex = z.custom<Hex>((value) => typeof value === "string" && /^0x[0-9a-f]*$/.test(value));
const integer = z
  .string()
  .regex(/^[0-9]+$/)
  .transform(BigInt);
const entrySchema = z.strictObject({
  round: integer,
  baseModelDigest: hex,
  parametersHash: hex,
  weight: z.int(),
  roundKeys: z.array(hex),
  submission: submissionSchema,
});

const auditedSchema = z.strictObject({ round: integer, modelDigest: hex, parametersHash: hex });

/** What a submission is made for: it fits nothing else. */
export interface SubmissionTarget {
  readonly round: bigint;
  readonly baseModelDigest: Hex;
  readonly parametersHash: Hex;
  readonly weight: number;
  /** By seat, as the shares were sealed to them; the zero word for a seat that had none when the round opened. */
  readonly roundKeys: readonly Hex[];
}

export interface JournalEntry extends SubmissionTarget {
  readonly submission: Submission;
}

export interface Journal {
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
  /** Every round that a submission was made for, ascending. */
  rounds(): Promise<readonly bigint[]>;
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
  const satOutPath = (round: bigint): string => state.file(scope, `sat-out-${round}.json`);
  const auditPath = state.file(scope, "audited-model.json");
  const find: Journal["find"] = async (round, baseModelDigest) => {
    // Version 1 of the directory named records by the round alone, and did not say which keys they were made for.
    for (const path of [entryPath(round, baseModelDigest), state.file(scope, `submission-${round}.json`)]) {
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
    rounds: async () => {
      const names = await readdir(dirname(auditPath)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      const rounds = names.flatMap((name) => /^submission-([0-9]+)(-[0-9a-f]+)?\.json$/.exec(name)?.[1] ?? []);
      return [...new Set(rounds)].map(BigInt).sort((a, b) => (a < b ? -1 : 1));
    },
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
