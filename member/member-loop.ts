/** What a member does next, given the state of the chain. */
import { basisOf, siblingRounds } from "../task/cells.ts";
import type { CompactSignature, RoundRecords, RoundState } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { equalG1 } from "../protocol/points.ts";
import { checkShares, releaseSum, signProposal } from "./member.ts";
import type { MemberDependencies, ShareChecks } from "./member.ts";
import { enoughOf } from "../content/straggling.ts";
import pLimit from "p-limit";
import { leaveOldCopy, noteAttested } from "./old-copy.ts";
import { fetchProposal, sendSignature } from "../task/proposal-exchange.ts";
import type { Proposal } from "../task/proposal-exchange.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";

export interface MemberLoopDependencies extends MemberDependencies {
  readonly random: RandomBytes;
  readonly fetch: typeof globalThis.fetch;
  /** Nodes that may have a proposal. */
  readonly nodes: () => readonly string[];
}

/** Results that a member signs for one node in one round; each costs the whole computation. */
const RESULTS_PER_NODE = 8;

/** Longest wait for nodes' proposals in one look, in milliseconds; an answer that comes later is used when it comes. */
const EXCHANGE_PATIENCE_MS = 3000;

/** One look at the chain and at most one action. Returns whether it acted. */
export function createMemberStep(deps: MemberLoopDependencies): () => Promise<boolean> {
  let checks: { readonly round: bigint; readonly result: ShareChecks } | undefined;
  let attested: { readonly round: bigint; readonly bitmap: bigint } | undefined;
  const released = new Set<bigint>();
  const sign = createSigner(deps);
  let toppedUpFor: bigint | undefined;
  let knowsItsPast = false;

  const attest = async (round: RoundState): Promise<boolean> => {
    const { chain, task, reporter, seat } = deps;
    const records = await chain.records(round.number);
    const onChain = records.attested.get(seat) ?? 0n;
    const known = (checks?.round === round.number ? checks.result.bitmap : 0n) | onChain;
    const slow = checks?.round === round.number ? checks.result.unavailable : [];
    const result = await checkShares(deps, records, known, slow);
    for (const [client, code] of result.wrong) {
      if (checks?.round !== round.number || !checks.result.wrong.has(client))
        reportShare(deps.reporter, round.number, client, code);
    }
    checks = { round: round.number, result };
    const left = round.deadline - (await chain.blockTime());
    // Bundles that cannot be fetched yet may come: wait for them for half of the phase.
    const waiting = result.unavailable.length > 0 && left > task.parameters.attestSeconds / 2;
    const posted = attested?.round === round.number ? attested.bitmap : onChain;
    if (waiting || result.bitmap === 0n || result.bitmap === posted || left <= 0) {
      reporter.wait(
        `round ${round.number}: ${waiting ? `waiting for the shares of ${result.unavailable.length} clients` : "waiting for the other members"}`,
        { round: round.number },
      );
      return false;
    }
    await noteAttested(deps.state, deps.scope, round.number);
    await chain.attest(round.number, result.bitmap);
    attested = { round: round.number, bitmap: result.bitmap };
    reporter.say(
      "good",
      "attested",
      `round ${round.number}: attested the shares of ${records.submitted.length - result.unavailable.length - result.wrong.size} clients`,
      { round: round.number, seat },
    );
    return true;
  };

  const aggregate = async (round: RoundState): Promise<boolean> => {
    const { chain, reporter, seat } = deps;
    const records = await chain.records(round.number);
    if (!agrees(records, round)) {
      reporter.wait(`round ${round.number}: the endpoint's events and state come from different blocks`, {
        round: round.number,
      });
      return false;
    }
    if (released.has(round.number)) return sign(round.number, records);
    const mine = records.attested.get(seat) ?? 0n;
    if (records.released.some((release) => release.seat === seat) || (mine & round.included) !== round.included) {
      released.add(round.number);
      return false;
    }
    // A sum of a step that no sibling completes would be opened for nothing.
    await siblingRounds(deps.task, records);
    try {
      if (!(await releaseSum(deps, records))) {
        reporter.wait(`round ${round.number}: waiting until the settlement is final`, { round: round.number });
        return false;
      }
    } catch (error) {
      if (!isVerisumError(error) || error.entry.role !== "sit-out") throw error;
      reporter.say("warn", "no-release", `round ${round.number}: ${error.code}: ${error.message}`, {
        round: round.number,
        code: error.code,
      });
    }
    released.add(round.number);
    return true;
  };

  return async () => {
    const { chain, reporter, seat } = deps;
    if (!knowsItsPast) await leaveOldCopy(deps);
    knowsItsPast = true;
    const round = await chain.round();
    const nextRound = round.number + 1n;
    const added = toppedUpFor === nextRound ? 0 : await deps.keys.topUp(chain, seat, nextRound, deps.random);
    if (toppedUpFor !== nextRound) await deps.keys.eraseBefore(round.number);
    toppedUpFor = nextRound;
    if (added > 0) {
      reporter.say("info", "keys-registered", `registered one-time keys for ${added} rounds`, {
        seat,
        from: nextRound,
        count: added,
      });
      return true;
    }
    const hasKey = ((round.keyMask >> BigInt(seat - 1)) & 1n) === 1n;
    if (!hasKey && (round.phase === "Attesting" || round.phase === "Aggregating")) {
      reporter.wait(`round ${round.number} opened before this seat had a key for it`, { round: round.number });
      return false;
    }
    try {
      if (round.phase === "Attesting") return await attest(round);
      if (round.phase === "Aggregating") return await aggregate(round);
    } catch (error) {
      // A round that this member cannot take part in must not keep it from the next one.
      if (!isVerisumError(error) || error.entry.role !== "sit-out") throw error;
      reporter.wait(`round ${round.number}: ${error.code}: ${error.message}`, {
        round: round.number,
        code: error.code,
      });
      return false;
    }
    reporter.wait(await whatIsWaitedFor(deps, round), { round: round.number });
    return false;
  };
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

/**
 * Signs what nodes propose, each node's proposals judged for themselves: one that is wrong, or a node that takes no
 * signature, must not keep a member from the right one. A signature is sent at each look, since a restarted aggregator
 * has forgotten it.
 */
function createSigner(deps: MemberLoopDependencies): (round: bigint, records: RoundRecords) => Promise<boolean> {
  const { reporter, seat } = deps;
  let current = -1n;
  const signatures = new Map<string, CompactSignature>();
  const computedFor = new Map<string, number>();
  /** Proposals that were wrong, by node, with what they were compared with. */
  const refused = new Map<string, string>();

  const signatureFor = async (
    node: string,
    records: RoundRecords,
    basis: string,
    { round, result, metrics }: Proposal,
  ): Promise<CompactSignature | undefined> => {
    const kept = signatures.get(result.modelCid);
    const computed = computedFor.get(node) ?? 0;
    if (kept !== undefined || refused.get(node) === basis || computed === RESULTS_PER_NODE) return kept;
    try {
      const signature = await signProposal(deps, records, result, metrics);
      signatures.set(result.modelCid, signature);
      computedFor.set(node, computed + 1);
      reporter.say("good", "signed", `round ${round}: recomputed the result and signed it`, { round, seat });
      return signature;
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about !== "input" || error.entry.role === "end") throw error;
      // Judged again when there are more releases: too few good ones may be there yet.
      refused.set(node, basis);
      reporter.say(
        "warn",
        "proposal-refused",
        `round ${round}: the proposal of ${node} is refused: ${error.code}: ${error.message}`,
        { round, node, code: error.code },
      );
      return undefined;
    }
  };

  /** Nodes that have not answered yet: each is asked once at a time, and holds up no other. */
  const asking = new Set<string>();
  const failures: { readonly cause: unknown }[] = [];
  /** One result is computed at a time. */
  const inTurn = pLimit(1);

  const exchange = async (node: string, round: bigint, records: RoundRecords, basis: string): Promise<void> => {
    const proposal = await fetchProposal(node, round, deps.fetch);
    if (proposal === undefined || current !== round) return;
    const signature = await inTurn(async () =>
      current === round ? signatureFor(node, records, basis, proposal) : undefined,
    );
    if (signature === undefined) return;
    await sendSignature(node, round, { seat, signature }, deps.fetch).catch((error: unknown) => {
      if (!isVerisumError(error, "SIGNATURE_NOT_TAKEN")) throw error;
      reporter.wait(`round ${round}: ${error.message}`, { round });
    });
  };
  const exchangeWith = async (...[node, round, ...rest]: Parameters<typeof exchange>): Promise<void> => {
    asking.add(node);
    try {
      await exchange(node, round, ...rest);
    } catch (cause) {
      if (current === round) failures.push({ cause });
    } finally {
      asking.delete(node);
    }
  };

  return async (round, records) => {
    if (current !== round) {
      current = round;
      signatures.clear();
      computedFor.clear();
      refused.clear();
      failures.length = 0;
    }
    reporter.wait(`round ${round}: waiting for a proposed result to become final`, { round });
    const before = signatures.size;
    const basis = `${records.released.length};${basisOf(await siblingRounds(deps.task, records))}`;
    const exchanges = deps
      .nodes()
      .filter((node) => !asking.has(node))
      .map((node) => exchangeWith(node, round, records, basis));
    await enoughOf(exchanges, { isEnough: () => false, graceMs: 0, patienceMs: EXCHANGE_PATIENCE_MS });
    const failed = failures.shift();
    if (failed !== undefined) throw failed.cause;
    return signatures.size > before;
  };
}

/**
 * True if the events and the contract's state name the same settlement; a lagging endpoint or a reorganisation parts
 * them.
 */
function agrees({ opened, settled }: RoundRecords, round: RoundState): boolean {
  return (
    opened !== undefined &&
    settled !== undefined &&
    settled.included === round.included &&
    equalG1(settled.sum, round.sum)
  );
}

/** Until there is something to do: in words. */
async function whatIsWaitedFor(
  { chain, task: { parameters } }: MemberLoopDependencies,
  { number, phase, submitted, expected }: RoundState,
): Promise<string> {
  if (phase === "Collecting") return `round ${number}: collecting, ${submitted}/${expected}`;
  const { maxRounds } = parameters;
  const isComplete = maxRounds > 0 && phase === "Finalised" && (await chain.finalisedRounds()) >= maxRounds;
  return isComplete ? `the task is complete: all ${maxRounds} rounds are final` : `waiting for round ${number + 1n}`;
}
