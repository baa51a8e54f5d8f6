/** A member's part once it has released: it recomputes what nodes propose, and signs it. */
import pLimit from "p-limit";
import type { CompactSignature, RoundRecords } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { createNodeAsker } from "../task/ask-nodes.ts";
import { basisOf, siblingRounds } from "../task/cells.ts";
import { fetchProposal, sendSignature } from "../task/proposal-exchange.ts";
import type { Proposal } from "../task/proposal-exchange.ts";
import { requireSettled } from "../task/round-records.ts";
import { signProposal } from "./member.ts";
import type { MemberDependencies } from "./member.ts";
import type { Confirms } from "./second-readings.ts";

/** Results that a member signs for one node in one round; each costs the whole computation. */
const RESULTS_PER_NODE = 8;

export interface SignerDependencies extends MemberDependencies {
  readonly fetch: typeof globalThis.fetch;
  /** Nodes that may have a proposal. */
  readonly nodes: () => readonly string[];
}

/** One look at every node's proposal. Returns whether it signed something new. */
export type Signer = (round: bigint, records: RoundRecords, confirms: Confirms) => Promise<boolean>;

/** What proposals are judged by. */
interface Grounds {
  readonly records: RoundRecords;
  /** Names what there is to judge by; a proposal that was refused is judged again when there is more. */
  readonly basis: string;
  readonly confirms: Confirms;
}

/**
 * Signs what nodes propose, each node's proposals judged for themselves: one that is wrong, or a node that takes no
 * signature, must not keep a member from the right one. A signature is sent at each look, since a restarted aggregator
 * has forgotten it.
 */
export function createSigner(deps: SignerDependencies): Signer {
  const { reporter, seat } = deps;
  let current: Hex | undefined;
  const signatures = new Map<string, CompactSignature>();
  const computedFor = new Map<string, number>();
  /** Proposals that were wrong, by node, with what they were compared with. */
  const refused = new Map<string, string>();

  const signatureFor = async (
    node: string,
    { records, basis, confirms }: Grounds,
    { round, result, metrics }: Proposal,
  ): Promise<CompactSignature | undefined> => {
    const kept = signatures.get(result.modelCid);
    const computed = computedFor.get(node) ?? 0;
    if (kept !== undefined || refused.get(node) === basis || computed === RESULTS_PER_NODE) return kept;
    try {
      const signature = await signProposal(deps, records, result, metrics, confirms);
      signatures.set(result.modelCid, signature);
      computedFor.set(node, computed + 1);
      reporter.say("good", "signed", `round ${round}: recomputed the result and signed it`, { round, seat });
      return signature;
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about !== "input" || error.entry.role === "end") throw error;
      // Too few releases have come yet, or the chain is to be read again before a node is blamed.
      if (error.code === "SHARE_COUNT" || !confirms(`proposals of round ${round} by ${basis}`)) return undefined;
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

  const askNodes = createNodeAsker();
  /** One result is computed at a time. */
  const inTurn = pLimit(1);

  const exchange = async (node: string, round: bigint, grounds: Grounds): Promise<void> => {
    const { settlement } = requireSettled(grounds.records);
    const proposal = await fetchProposal(node, round, deps.fetch);
    if (proposal === undefined || current !== settlement) return;
    const signature = await inTurn(async () =>
      current === settlement ? signatureFor(node, grounds, proposal) : undefined,
    );
    if (signature === undefined) return;
    await sendSignature(node, round, { seat, signature }, deps.fetch).catch((error: unknown) => {
      if (!isVerisumError(error, "SIGNATURE_NOT_TAKEN")) throw error;
      reporter.wait(`round ${round}: ${error.message}`, { round });
    });
  };

  return async (round, records, confirms) => {
    const { settlement } = requireSettled(records);
    if (current !== settlement) {
      current = settlement;
      signatures.clear();
      computedFor.clear();
      refused.clear();
    }
    reporter.wait(`round ${round}: waiting for a proposed result to become final`, { round });
    const before = signatures.size;
    const basis = `${records.released.length};${basisOf(await siblingRounds(deps.task, records))}`;
    await askNodes(settlement, deps.nodes(), (node) => exchange(node, round, { records, basis, confirms }));
    return signatures.size > before;
  };
}
