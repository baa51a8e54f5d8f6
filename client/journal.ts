/**
 * What a client keeps between starts: the one submission it made for a round, byte for byte, the rounds it sits out,
 * and how far it audited.
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
  submission: submissionSchema,
});

const auditedSchema = z.strictObject({ round: integer, modelDigest: hex, parametersHash: hex });

/** A submission with the inputs of its challenge that could change. */
export interface JournalEntry {
  readonly round: bigint;
  readonly baseModelDigest: Hex;
  readonly parametersHash: Hex;
  readonly weight: number;
  readonly submission: Submission;
}

export interface Journal {
  /**
   * The submission made for this round, if its challenge would still be the same; otherwise undefined.
   * @throws ROUND_RECORD_DAMAGED if one was made and cannot be read
   */
  find(expected: Omit<JournalEntry, "submission">): Promise<Submission | undefined>;
  /**
   * Keeps a submission before its first byte leaves. @throws ROUND_EQUIVOCATION if another one is kept for the same
   * challenge inputs
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

/** One file per round, under one directory per (chain, contract, account). */
export function openJournal(state: StateDirectory, scope: string): Journal {
  const entryPath = (round: bigint): string => state.file(scope, `submission-${round}.json`);
  const satOutPath = (round: bigint): string => state.file(scope, `sat-out-${round}.json`);
  const auditPath = state.file(scope, "audited-model.json");
  const read = async (round: bigint): Promise<JournalEntry | undefined> => {
    const path = entryPath(round);
    const value = await readRecordOrNull(path);
    if (value === undefined) return undefined;
    const parsed = entrySchema.safeParse(value);
    // What was sent is not known, and a second submission would reveal more than δ and ε count.
    if (!parsed.success)
      throw new VerisumError(
        "ROUND_RECORD_DAMAGED",
        `${path} is damaged: this client sends nothing in round ${round}`,
        {
          round,
          path,
        },
      );
    return parsed.data;
  };
  const find: Journal["find"] = async (expected) => {
    const entry = await read(expected.round);
    if (entry === undefined) return undefined;
    const same =
      entry.baseModelDigest === expected.baseModelDigest &&
      entry.parametersHash === expected.parametersHash &&
      entry.weight === expected.weight;
    return same ? entry.submission : undefined;
  };
  return {
    find,
    keep: async (entry) => {
      if ((await find(entry)) !== undefined) {
        throw new VerisumError("ROUND_EQUIVOCATION", `round ${entry.round} has a submission already`, {
          round: entry.round,
        });
      }
      await writeDurably(entryPath(entry.round), encodeRecord(plain(entry)));
    },
    rounds: async () => {
      const names = await readdir(dirname(auditPath)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      return names
        .flatMap((name) => /^submission-([0-9]+)\.json$/.exec(name)?.[1] ?? [])
        .map(BigInt)
        .sort((a, b) => (a < b ? -1 : 1));
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
