/** A member's part until a round settles: it checks the shares, and signs which are good and which are not. */
import { submissionHash } from "../chain/submission-signature.ts";
import type { Attestation, RoundRecords, RoundState, SubmittedRecord, TaskLook } from "../chain/task-chain.ts";
import { hasClient } from "../protocol/committee.ts";
import { smallestInclusion } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { isSaid } from "../task/statement-board.ts";
import { ownStatements } from "./member.ts";
import type { MemberDependencies } from "./member.ts";
import { noteAttested } from "./old-copy.ts";
import type { Confirms } from "./second-readings.ts";
import { checkShares } from "./shares.ts";

/**
 * One look at a round that collects or attests: shares are checked as they come. Once the intake is complete, what is
 * known of them is signed, and signed again as more is. Returns whether it acted, or has to look again.
 */
export type Attester = (look: TaskLook, round: RoundState, confirms: Confirms) => Promise<boolean>;

/** What is known of a round's shares. It holds for a submission, whichever index a reorganisation gives it. */
interface Known {
  readonly round: bigint;
  /** Names of submissions. */
  readonly good: Set<string>;
  readonly wrong: Set<string>;
  /** Clients whose bundle an earlier look waited for. */
  slow: readonly Hex[];
}

export function createAttester(deps: MemberDependencies): Attester {
  const { chain, task, reporter, seat, board, localMinimum } = deps;
  let known: Known = nothingOf(0n);
  let saidTooFew = 0n;

  /** Whoever attests helps to settle on any set that the contract takes: one that stays shut is charged for nothing. */
  const mayBeTooFew = ({ submitted }: RoundRecords, round: bigint): boolean => {
    const least = smallestInclusion(task.parameters, submitted.length);
    if (least >= localMinimum) return false;
    const text = `round ${round}: not attesting: it can settle on ${least} of ${submitted.length} clients, and this member opens no sum of fewer than ${localMinimum}`;
    if (saidTooFew !== round) reporter.say("warn", "not-attesting", text, { round, least, minimum: localMinimum });
    saidTooFew = round;
    reporter.wait(text, { round });
    return true;
  };

  /** Judges what is not known yet. Returns whether somebody is suspected, and judged again at the next look. */
  const judge = async (records: RoundRecords, confirms: Confirms): Promise<boolean> => {
    const { round, good, wrong } = known;
    const isKnown = (record: SubmittedRecord): boolean => good.has(nameOf(record)) || wrong.has(nameOf(record));
    if (records.submitted.every(isKnown)) return false;
    const passedOver = bitsOf(records.submitted.filter(isKnown));
    const result = await checkShares(deps, records, passedOver, known.slow);
    let isSuspected = false;
    for (const record of records.submitted) {
      const code = result.wrong.get(record.client);
      if (hasClient(result.bitmap & ~passedOver, record.index)) good.add(nameOf(record));
      if (code === undefined) continue;
      if (confirms(`share ${nameOf(record)}`)) {
        wrong.add(nameOf(record));
        reportShare(reporter, round, record.client, code);
      } else isSuspected = true;
    }
    known.slow = result.unavailable;
    return isSuspected;
  };

  return async (look, { number, phase, deadline, intake }, confirms) => {
    const records = look.records(number);
    if (known.round !== number) known = nothingOf(number);
    // One suspect keeps no good share from being attested: what is said of it in the end is signed besides.
    const isSuspected = await judge(records, confirms);
    if (phase === "Collecting" || mayBeTooFew(records, number)) return isSuspected;
    const left = deadline - (await chain.blockTime());
    // Bundles that cannot be fetched yet may come: wait for them for half of the phase.
    const waiting = known.slow.length > 0 && left > task.parameters.attestSeconds / 2;
    const good = records.submitted.filter((record) => known.good.has(nameOf(record)));
    const wrong = records.submitted.filter((record) => known.wrong.has(nameOf(record)));
    // Whoever can open nobody's share has the wrong key, and refuses nobody.
    const refused = good.length === 0 ? 0n : bitsOf(wrong);
    const attestation: Attestation = { round: number, intake, good: bitsOf(good), refused };
    if (waiting || good.length === 0 || left <= 0 || isSaid(board.of(number), seat, attestation)) {
      const what = waiting ? `waiting for the shares of ${known.slow.length} clients` : "waiting for a settlement";
      reporter.wait(`round ${number}: ${what}`, { round: number });
      return isSuspected;
    }
    await noteAttested(deps.state, deps.scope, number);
    const signature = await chain.signAttestation(attestation);
    await board.add({ kind: "attestation", ...attestation, seat, signature });
    await deps.exchange.tell(number, ownStatements(deps, number));
    reporter.say("good", "attested", `round ${number}: attested the shares of ${good.length} clients`, {
      round: number,
      seat,
    });
    return true;
  };
}

function nothingOf(round: bigint): Known {
  return { round, good: new Set(), wrong: new Set(), slow: [] };
}

const NAMES = new WeakMap<SubmittedRecord, string>();

/** Names a client's submission by all that the chain says of it but its place. */
function nameOf(record: SubmittedRecord): string {
  let name = NAMES.get(record);
  if (name === undefined) {
    name = `${record.client} ${record.weight} ${submissionHash(record.submission)}`;
    NAMES.set(record, name);
  }
  return name;
}

function bitsOf(records: readonly SubmittedRecord[]): bigint {
  return records.reduce((bits, { index }) => bits | (1n << BigInt(index)), 0n);
}

/**
 * A bundle without a file for this seat is nobody's fault that one could name: after a reorganisation its client may
 * have sealed it before the seat had this key.
 */
function reportShare(reporter: Reporter, round: bigint, client: string, code: string): void {
  const [event, what] =
    code === "IPFS_NOT_FOUND"
      ? ["share-missing", `the bundle of ${client} has no share for this seat`]
      : ["share-refused", `the share of ${client} is wrong: ${code}`];
  reporter.say("warn", event, `round ${round}: ${what}`, { round, client, code });
}
