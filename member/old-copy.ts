/**
 * A member's directory that came back from a backup holds keys that were erased since, and lacks the records of what
 * was released since: with both it could release a round a second time, for other clients (threats S2). Its one-time
 * keys are erased before anything else happens, so that it sits out every round that the copy could know.
 */
import { z } from "zod";
import { membersIn } from "../chain/lists.ts";
import { isSignedBySeat } from "../chain/statement-signatures.ts";
import type { TaskLook, TaskWriter } from "../chain/task-chain.ts";
import { cidFromDigest } from "../content/cid.ts";
import { hasSeat } from "../protocol/committee.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { encodeRecord, readRecordOrNull, writeDurably } from "../storage/durable-file.ts";
import type { StateDirectory } from "../storage/state-directory.ts";
import type { Statement } from "../task/statements.ts";
import { bindUnknownRelease, knowsRelease } from "./release-record.ts";
import { KEYS_AHEAD } from "./round-keys.ts";
import type { RoundKeys } from "./round-keys.ts";

export interface OldCopyDependencies {
  readonly chain: Pick<TaskWriter, "account" | "context">;
  readonly keys: Pick<RoundKeys, "eraseAll">;
  readonly state: StateDirectory;
  readonly scope: string;
  readonly seat: number;
  readonly reporter: Reporter;
}

const attestedSchema = z.string().regex(/^[0-9]+$/);

/**
 * Notes, before it is signed, that this directory attests the round. An earlier round than the last, after a
 * reorganisation, takes nothing back. @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function noteAttested(state: StateDirectory, scope: string, round: bigint): Promise<void> {
  const last = await lastAttested(state, scope);
  if (last !== undefined && last !== "damaged" && last >= round) return;
  await writeDurably(attestedPath(state, scope), encodeRecord(round.toString()));
}

/**
 * Erases all one-time keys if the directory is a copy, or older than what the chain or other nodes know of the seat. No
 * key comes back: what the seat signed counts at once, and what an endpoint alone says of it once a second reading of
 * the chain says the same.
 * @param said what others know that the seat said in the present round
 * @param confirms whether an earlier reading named these rounds
 * @returns false if nothing but an unconfirmed reading speaks against the directory: it says nothing until another does
 * @throws STORAGE_FULL, STORAGE_FAILED
 */
export async function leaveOldCopy(
  deps: OldCopyDependencies,
  look: TaskLook,
  said: readonly Statement[],
  confirms: (rounds: string) => boolean,
): Promise<boolean> {
  const { state, scope, seat } = deps;
  const { number } = look.round;
  const attested = await lastAttested(state, scope);
  const unknown = await unknownActs(deps, look, said, attested === "damaged" ? undefined : attested);
  const isCertain = state.copied || attested === "damaged" || unknown.attested || unknown.released.length > 0;
  const isSuspected = !isCertain && unknown.recorded.length > 0;
  if (isSuspected && !confirms(unknown.recorded.join())) return false;
  const isOld = isCertain || isSuspected;
  if (isOld) await deps.keys.eraseAll();
  for (const round of unknown.released) await bindUnknownRelease(state, scope, round);
  if (isOld || attested === undefined) await noteAttested(state, scope, number);
  if (!isOld) return true;
  await state.adopt();
  deps.reporter.say(
    "warn",
    "state-copied",
    "the state directory is a copy, or older than what others know of this seat: its one-time keys are erased, and the seat sits out the rounds that they were for",
    { seat, round: number },
  );
  return true;
}

interface UnknownActs {
  /** It signed an attestation of a later round than its directory knows of. */
  readonly attested: boolean;
  /** Later rounds in whose settlement its part is recorded, which no signature shows. */
  readonly recorded: readonly bigint[];
  /** Rounds in which it signed a release. */
  readonly released: readonly bigint[];
}

/** What this seat said, in rounds that kept keys could be of, and its directory has no record of. */
async function unknownActs(
  { chain, state, scope, seat }: OldCopyDependencies,
  look: TaskLook,
  said: readonly Statement[],
  lastAttested: bigint | undefined,
): Promise<UnknownActs> {
  const current = look.round.number;
  const first = current > BigInt(KEYS_AHEAD) ? current - BigInt(KEYS_AHEAD) : 1n;
  // What another member said, who had the seat before, this directory has no record of.
  const isOwn = (round: bigint): boolean => membersIn(look.seats, round)[seat - 1] === chain.account;
  const own = said.filter(({ round }) => isOwn(round));
  const attestedIn = own.flatMap(({ kind, round }) => (kind === "attestation" ? [round] : []));
  const releases = own.flatMap((statement) => (statement.kind === "release" ? [statement] : []));
  const recordedIn: bigint[] = [];
  for (let round = first; round <= current; round += 1n) {
    if (!isOwn(round)) continue;
    const { settled, released } = look.records(round);
    if (settled !== undefined && hasSeat(settled.members, seat)) recordedIn.push(round);
    const members = membersIn(look.seats, round);
    releases.push(
      ...released
        .filter((release) => release.seat === seat && isSignedBySeat(chain.context, members, "Release", release))
        .map((release) => ({ kind: "release" as const, ...release })),
    );
  }
  const unknown = new Set<bigint>();
  for (const { round, releaseCid } of releases)
    if (!(await knowsRelease(state, scope, round, cidFromDigest(releaseCid)))) unknown.add(round);
  const isUnknown = (round: bigint): boolean => lastAttested !== undefined && round > lastAttested;
  return {
    attested: attestedIn.some(isUnknown),
    recorded: recordedIn.filter(isUnknown),
    released: [...unknown],
  };
}

/** The last round that this directory attested; undefined before this version first looked. */
async function lastAttested(state: StateDirectory, scope: string): Promise<bigint | "damaged" | undefined> {
  const value = await readRecordOrNull(attestedPath(state, scope));
  if (value === undefined) return undefined;
  const parsed = attestedSchema.safeParse(value);
  return parsed.success ? BigInt(parsed.data) : "damaged";
}

function attestedPath(state: StateDirectory, scope: string): string {
  return state.file(scope, "last-attested.json");
}
