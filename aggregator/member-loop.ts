/** What a member does next, given the state of the chain. */
import type { RoundState } from "../adapters/chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { checkShares, releaseSum, signProposal } from "./member.ts";
import type { MemberDependencies, ShareChecks } from "./member.ts";
import { fetchProposal, sendSignature } from "./proposal.ts";
import type { RandomBytes } from "../protocol/random.ts";

export interface MemberLoopDependencies extends MemberDependencies {
  readonly random: RandomBytes;
  readonly fetch: typeof globalThis.fetch;
  /** Nodes that may have a proposal. */
  readonly nodes: () => readonly string[];
}

/** One look at the chain and at most one action. Returns whether it acted. */
export function createMemberStep(deps: MemberLoopDependencies): () => Promise<boolean> {
  let checks: { readonly round: bigint; readonly result: ShareChecks } | undefined;
  let attested: { readonly round: bigint; readonly bitmap: bigint } | undefined;
  const released = new Set<bigint>();
  const signed = new Set<bigint>();
  const givenUp = new Set<bigint>();
  let toppedUpFor: bigint | undefined;

  const attest = async (round: RoundState): Promise<boolean> => {
    const { chain, session, reporter, seat } = deps;
    const records = await chain.records(round.number);
    const onChain = records.attested.get(seat) ?? 0n;
    const known = (checks?.round === round.number ? checks.result.bitmap : 0n) | onChain;
    const result = await checkShares(deps, records, known);
    for (const [client, code] of result.wrong) {
      if (checks?.round !== round.number || !checks.result.wrong.has(client)) {
        reporter.say("warn", "share-refused", `round ${round.number}: the share of ${client} is wrong: ${code}`, { round: round.number, client, code });
      }
    }
    checks = { round: round.number, result };
    const left = round.deadline - (await chain.blockTime());
    // Bundles that cannot be fetched yet may come: wait for them for half of the phase.
    const waiting = result.unavailable.length > 0 && left > session.parameters.attestSeconds / 2;
    const posted = attested?.round === round.number ? attested.bitmap : onChain;
    if (waiting || result.bitmap === 0n || result.bitmap === posted || left <= 0) {
      reporter.wait(`round ${round.number}: ${waiting ? `waiting for the shares of ${result.unavailable.length} clients` : "waiting for the other members"}`, { round: round.number });
      return false;
    }
    await chain.attest(round.number, result.bitmap);
    attested = { round: round.number, bitmap: result.bitmap };
    reporter.say("good", "attested", `round ${round.number}: attested the shares of ${records.submitted.length - result.unavailable.length - result.wrong.size} clients`, { round: round.number, seat });
    return true;
  };

  const aggregate = async (round: RoundState): Promise<boolean> => {
    const { chain, reporter, seat } = deps;
    if (givenUp.has(round.number)) return false;
    const records = await chain.records(round.number);
    const mine = records.attested.get(seat) ?? 0n;
    if (!released.has(round.number)) {
      if (records.released.some((release) => release.seat === seat) || (mine & round.included) !== round.included) {
        released.add(round.number);
        return false;
      }
      if (!(await releaseSum(deps, records))) {
        reporter.wait(`round ${round.number}: waiting until the settlement is final`, { round: round.number });
        return false;
      }
      released.add(round.number);
      return true;
    }
    if (signed.has(round.number)) return false;
    reporter.wait(`round ${round.number}: waiting for a proposed result`, { round: round.number });
    for (const node of deps.nodes()) {
      const proposal = await fetchProposal(node, round.number, deps.fetch);
      if (proposal === undefined) continue;
      const signature = await signProposal(deps, records, proposal.result, proposal.metrics);
      await sendSignature(node, round.number, { seat, signature }, deps.fetch);
      signed.add(round.number);
      reporter.say("good", "signed", `round ${round.number}: recomputed the result and signed it`, { round: round.number, seat });
      return true;
    }
    return false;
  };

  return async () => {
    const { chain, reporter, seat } = deps;
    const round = await chain.round();
    const nextRound = round.number + 1n;
    const added = toppedUpFor === nextRound ? 0 : await deps.keys.topUp(chain, seat, nextRound, deps.random);
    toppedUpFor = nextRound;
    if (added > 0) {
      reporter.say("info", "keys-registered", `registered one-time keys for ${added} rounds`, { seat, from: nextRound, count: added });
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
      if (!isVerisumError(error) || error.code.startsWith("CHAIN_UNREACHABLE") || error.code.startsWith("STORAGE")) throw error;
      if (error.code === "IPFS_UNAVAILABLE" || error.code === "SHARE_COUNT") {
        reporter.wait(`round ${round.number}: ${error.message}`, { round: round.number, code: error.code });
        return false;
      }
      givenUp.add(round.number);
      reporter.say("warn", "step-failed", `round ${round.number}: ${error.code}: ${error.message}`, { round: round.number, code: error.code });
      return false;
    }
    reporter.wait(round.phase === "Collecting" ? `round ${round.number}: collecting, ${round.submitted}/${round.expected}` : `waiting for round ${nextRound}`, { round: round.number });
    return false;
  };
}
