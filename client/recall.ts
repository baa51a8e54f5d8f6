/**
 * What the chain has of this client and its directory lacks. A directory that came back from a backup knows nothing of
 * what was shared since, and an image of a whole disk does not even show that it came back: without this a vector that
 * is in a sum would be shared a second time (docs/protocol.md, section 4).
 */
import type { TaskLook } from "../chain/task-chain.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Journal } from "./journal.ts";
import { ownSubmission } from "./own-submission.ts";

interface RecallDependencies {
  readonly chain: { readonly account: Hex };
  readonly journal: Pick<Journal, "submissions" | "loseSubmission">;
  readonly reporter: Reporter;
}

/**
 * Notes, at each look, the client's submissions that the chain has and the journal lacks, as made and lost: they count
 * towards the budget, and decide whether a vector of their base may be shared again. The first look goes through all
 * rounds, later ones through those that are not over for good: a chain's endpoint that came back from the same backup
 * catches up while the client runs.
 * @throws CHAIN_EVENTS_MISSING; storage errors
 */
export function createRecall({ chain, journal, reporter }: RecallDependencies): (look: TaskLook) => Promise<void> {
  let closed: bigint | undefined;
  return async (look) => {
    const rounds =
      closed === undefined ? submittedRounds(look, chain.account) : roundsBetween(closed + 1n, look.round.number);
    const made = await journal.submissions();
    for (const round of rounds) {
      const own = ownSubmission(look, chain.account, round);
      if (own === undefined) continue;
      const baseModelDigest = look.records(round).bases.get(own.submission.base);
      if (baseModelDigest === undefined)
        throw new VerisumError("CHAIN_EVENTS_MISSING", `the base of a submission of round ${round} is not there yet`, {
          round,
        });
      const isKnown = made.some(
        (known) =>
          known.round === round && (known.baseModelDigest === baseModelDigest || known.baseModelDigest === undefined),
      );
      if (isKnown) continue;
      await journal.loseSubmission({ round, baseModelDigest });
      const text = `round ${round} has a submission of this client that its state directory does not know: it counts as made, and nothing of it is shared again`;
      reporter.say("warn", "recalled", text, { round });
    }
    closed = look.closedRound;
  };
}

/** The rounds that have a submission of this account, by ascending number. */
function submittedRounds(look: TaskLook, account: Hex): readonly bigint[] {
  return look
    .events()
    .flatMap(({ name, account: by, round }) =>
      name === "Submitted" && by === account && round !== undefined ? [round] : [],
    );
}

function roundsBetween(first: bigint, last: bigint): readonly bigint[] {
  return Array.from({ length: Math.max(0, Number(last - first) + 1) }, (_, i) => first + BigInt(i));
}
