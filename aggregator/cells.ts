/** How a cell's members and aggregator keep step with their siblings (docs/scale.md, section 4). */
import { requireSameModel, requireTimeToFinalise } from "../task/cells.ts";
import type { SiblingRound } from "../task/cells.ts";
import { loadCheckpointConfig } from "../task/checkpoint.ts";
import { isSignedBySeat } from "../chain/statement-signatures.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { enoughOf } from "../content/straggling.ts";
import { fetchProposal } from "../task/proposal-exchange.ts";

/** Longest wait for a sibling's nodes in one look, in milliseconds. */
const NODES_PATIENCE_MS = 5000;

export interface SiblingNodes {
  /** Base URLs of a sibling's nodes. */
  readonly nodesOf: (contract: Hex) => readonly string[];
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Before a result is finalised: each sibling's nodes show enough of its members' signatures over the same model, with
 * time left to use them, or some sibling has finalised.
 * @throws CELLS_DIVERGED if one finalised another model; CELLS_INCOMPLETE
 */
export async function requireReadySiblings(
  { nodesOf, fetch }: SiblingNodes,
  siblings: readonly SiblingRound[],
  modelDigest: Hex,
): Promise<void> {
  requireSameModel(siblings, modelDigest);
  if (siblings.some(({ records }) => records.finalised !== undefined)) return;
  await requireTimeToFinalise(siblings);
  for (const sibling of siblings) {
    const { contract } = sibling.task.chain.context;
    const { threshold } = sibling.task.parameters;
    let most = 0;
    const counts = nodesOf(contract).map(async (node) => {
      const count = await countSignatures(node, sibling, modelDigest, fetch);
      most = Math.max(most, count);
    });
    await enoughOf(counts, { isEnough: () => most >= threshold, graceMs: 0, patienceMs: NODES_PATIENCE_MS });
    if (most < threshold)
      throw new VerisumError(
        "CELLS_INCOMPLETE",
        `cell ${contract} shows ${most} of ${threshold} signatures over the common model`,
        { contract },
      );
  }
}

/** Members of the sibling whose signatures over the common model a node shows. */
async function countSignatures(
  node: string,
  { task: { chain }, records: { settled } }: SiblingRound,
  modelDigest: Hex,
  fetch: typeof globalThis.fetch,
): Promise<number> {
  const offer = await fetchProposal(node, settled.round, fetch);
  if (offer?.result.modelDigest !== modelDigest) return 0;
  const members = await chain.members(settled.round);
  const signed = { ...offer.result, round: settled.round, settlement: settled.settlement };
  const seats = offer.signatures.filter((given) =>
    isSignedBySeat(chain.context, members, "Result", { ...signed, ...given }),
  );
  return new Set(seats.map(({ seat }) => seat)).size;
}

/**
 * Before a round is opened: every sibling has finalised as many steps as this cell, the last with the same model.
 * @throws CELLS_INCOMPLETE while a sibling is behind and can catch up; CELLS_DIVERGED if it never will
 */
export async function requireSameStep(task: OpenTask): Promise<void> {
  if (task.cells === undefined) return;
  const { chain } = task;
  const [step, latest] = [(await chain.finalisedRoundNumbers()).length, await chain.latestModel()];
  for (const sibling of task.cells.siblings) {
    const { contract } = sibling.context;
    const diverged = (why: string): VerisumError =>
      new VerisumError("CELLS_DIVERGED", `cell ${contract} ${why}`, { contract });
    const finalised = await sibling.finalisedRoundNumbers();
    // It took a round of this cell that is over: this cell can finalise no other one with the same model.
    if (finalised.length > step)
      throw diverged(`has finalised step ${step + 1} with a round of this cell that did not finalise`);
    if (finalised.length === step) {
      if (step > 0 && (await sibling.latestModel()).digest !== latest.digest)
        throw diverged(`finalised step ${step} with another model`);
      continue;
    }
    const config = await loadCheckpointConfig(task.store, latest.cid, task.cells.cells.length);
    const taken = config.cells?.find((cell) => cell.contract === contract)?.round;
    if (taken === undefined || (await sibling.records(BigInt(taken))).aborted)
      throw diverged(`did not finalise the round that step ${step} took of it`);
    throw new VerisumError("CELLS_INCOMPLETE", `cell ${contract} has finalised ${finalised.length} of ${step} steps`, {
      contract,
    });
  }
}
