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
import { createSumOpener } from "./opening.ts";
import type { Confirms } from "./second-readings.ts";

/**
 * Results that a member judges for one account in one settlement, whatever nodes that announces meanwhile: each costs
 * the whole computation, and one that is signed is kept.
 */
const RESULTS_PER_ACCOUNT = 8;
/** The same for an account that is neither a member's nor the operator's. */
const RESULTS_PER_STRANGER = 2;

export interface SignerDependencies extends MemberDependencies {
  readonly fetch: typeof globalThis.fetch;
  /** Nodes that may have a proposal. */
  readonly nodes: () => readonly string[];
  /** Others' nodes, which may have one where nobody else aggregates. */
  readonly strangers: () => readonly string[];
  /** Who announces a node. */
  readonly announcersOf: (node: string) => readonly string[];
}

/**
 * One look at every node's proposal, and at strangers' where the round is late. Returns whether it signed something
 * new.
 */
export type Signer = (round: bigint, records: RoundRecords, confirms: Confirms, isLate: boolean) => Promise<boolean>;

/** What proposals are judged by. */
interface Grounds {
  /** Who announced the node when it was asked: it may announce another one before it answers. */
  readonly accounts: readonly string[];
  /** Results judged for each of these. */
  readonly most: number;
  readonly records: RoundRecords;
  /**
   * Names what there is to judge by besides this round's sum, which is one and the same whichever releases open it; a
   * proposal that was refused is judged again when there is more.
   */
  readonly basis: string;
  readonly confirms: Confirms;
}

/**
 * Signs what nodes propose, each proposal judged for itself: one that is wrong, a node that takes no signature, or
 * releases that are not here yet must not keep a member from the right one. A signature is sent at each look, since a
 * restarted aggregator has forgotten it.
 */
export function createSigner(deps: SignerDependencies): Signer {
  const { reporter, seat } = deps;
  let current: Hex | undefined;
  const signatures = new Map<string, CompactSignature>();
  /** Proposals that were signed or refused, by who announced their node, with what they were compared with. */
  const judged = new Map<string, Set<string>>();
  const openSum = createSumOpener(deps);

  const signatureFor = async (
    node: string,
    { accounts, most, records, basis, confirms }: Grounds,
    { round, result, metrics }: Proposal,
  ): Promise<CompactSignature | undefined> => {
    const of = current;
    const kept = signatures.get(result.modelCid);
    if (kept !== undefined) return kept;
    const name = JSON.stringify([result, metrics, basis]);
    const payers = accounts.map((account) => ({ account, of: judged.get(account) ?? new Set() }));
    if (payers.some(({ of: known }) => known.has(name))) return undefined;
    const payer = payers.find(({ of: known }) => known.size < most);
    if (payer === undefined) return undefined;
    const judge = (): void => void judged.set(payer.account, payer.of.add(name));
    try {
      const signature = await signProposal(deps, records, result, metrics, confirms, openSum);
      // A reorganisation may have settled the round otherwise meanwhile.
      if (current !== of) return undefined;
      signatures.set(result.modelCid, signature);
      judge();
      reporter.say("good", "signed", `round ${round}: recomputed the result and signed it`, { round, seat });
      return signature;
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about !== "input" || error.entry.role === "end") throw error;
      // Too few good releases have come yet, or the chain is to be read again before a node is blamed.
      if (current !== of || error.entry.role === "again" || !confirms(`proposals of ${current} by ${basis}`))
        return undefined;
      judge();
      reporter.say(
        "warn",
        "proposal-refused",
        `round ${round}: the proposal of ${node} is refused: ${error.code}: ${error.message}`,
        { round, node, code: error.code },
      );
      return undefined;
    }
  };

  const [askNodes, askStrangers] = [createNodeAsker(), createNodeAsker()];
  /** One result is computed at a time. */
  const inTurn = pLimit(1);

  const exchange = async (node: string, round: bigint, known: Omit<Grounds, "accounts">): Promise<void> => {
    const grounds = { ...known, accounts: deps.announcersOf(node) };
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

  return async (round, records, confirms, isLate) => {
    const { settlement } = requireSettled(records);
    if (current !== settlement) {
      current = settlement;
      signatures.clear();
      judged.clear();
    }
    reporter.wait(`round ${round}: waiting for a proposed result to become final`, { round });
    const before = signatures.size;
    const basis = basisOf(await siblingRounds(deps.task, records));
    const known = { records, basis, confirms };
    await askNodes(settlement, deps.nodes(), (node) => exchange(node, round, { ...known, most: RESULTS_PER_ACCOUNT }));
    if (isLate)
      await askStrangers(settlement, deps.strangers(), (node) =>
        exchange(node, round, { ...known, most: RESULTS_PER_STRANGER }),
      );
    return signatures.size > before;
  };
}
