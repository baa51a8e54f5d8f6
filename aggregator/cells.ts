/** How a cell's members and aggregator keep step with their siblings (docs/scale.md, section 4). */
import { requireSameModel } from "../task/cells.ts";
import type { SiblingRound } from "../task/cells.ts";
import { loadCheckpointConfig } from "../task/checkpoint.ts";
import { recoverResultSigner } from "../chain/result-signature.ts";
import type { TaskSession } from "../task/session.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { fetchProposal } from "./proposal.ts";

/**
 * While less than this part of a sibling's last phase is left, nothing that could leave it behind is signed or
 * finalised.
 */
const LAST_PART = 8;

export interface SiblingNodes {
  /** Base URLs of a sibling's nodes. */
  readonly nodesOf: (contract: Hex) => readonly string[];
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Before a result is signed: every sibling can still finalise its own. Once one has finalised, the others can only
 * follow.
 * @throws CELLS_INCOMPLETE
 */
export async function requireTimeToFinalise(siblings: readonly SiblingRound[]): Promise<void> {
  if (siblings.some(({ records }) => records.finalised !== undefined)) return;
  for (const {
    session: { chain, parameters },
    records: { settled },
  } of siblings) {
    const round = await chain.round();
    const left = round.deadline - (await chain.blockTime());
    if (
      round.number === settled.round &&
      round.phase === "Aggregating" &&
      left >= parameters.aggregateSeconds / LAST_PART
    )
      continue;
    const { contract } = chain.context;
    throw new VerisumError(
      "CELLS_INCOMPLETE",
      `cell ${contract} has too little time left to finalise round ${settled.round}`,
      { contract },
    );
  }
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
    const { contract } = sibling.session.chain.context;
    const signed = await Promise.all(
      nodesOf(contract).map((node) => countSignatures(node, sibling, modelDigest, fetch)),
    );
    const most = Math.max(0, ...signed);
    const { threshold } = sibling.session.parameters;
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
  { session: { chain }, records: { settled } }: SiblingRound,
  modelDigest: Hex,
  fetch: typeof globalThis.fetch,
): Promise<number> {
  const offer = await fetchProposal(node, settled.round, fetch);
  if (offer?.result.modelDigest !== modelDigest) return 0;
  const members = await chain.members();
  const seats = offer.signatures.filter(
    ({ seat, signature }) =>
      signer(chain.context, { ...settled, ...offer.result }, signature) === members[seat - 1]?.toLowerCase(),
  );
  return new Set(seats.map(({ seat }) => seat)).size;
}

/** The account that signed, in lower case; undefined if the signature is malformed. */
function signer(...signed: Parameters<typeof recoverResultSigner>): string | undefined {
  try {
    return recoverResultSigner(...signed).toLowerCase();
  } catch {
    return undefined;
  }
}

/**
 * Before a round is opened: every sibling has finalised as many steps as this cell, the last with the same model.
 * @throws CELLS_INCOMPLETE while a sibling is behind and can catch up; CELLS_DIVERGED if it never will
 */
export async function requireSameStep(session: TaskSession): Promise<void> {
  if (session.cells === undefined) return;
  const { chain } = session;
  const [step, latest] = [(await chain.finalisedRoundNumbers()).length, await chain.latestModel()];
  for (const sibling of session.cells.siblings) {
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
    const config = await loadCheckpointConfig(session.store, latest.cid, session.cells.cells.length);
    const taken = config.cells?.find((cell) => cell.contract === contract)?.round;
    if (taken === undefined || (await sibling.records(BigInt(taken))).aborted)
      throw diverged(`did not finalise the round that step ${step} took of it`);
    throw new VerisumError("CELLS_INCOMPLETE", `cell ${contract} has finalised ${finalised.length} of ${step} steps`, {
      contract,
    });
  }
}
