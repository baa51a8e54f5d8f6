/** The share sums that members released, as they come: a member that serves its own slowly holds up nobody. */
import type { RoundRecords } from "../chain/task-chain.ts";
import { enoughOf } from "../content/straggling.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Release } from "../protocol/release-agreement.ts";
import { fetchElements, SHARE_SUM_FILE } from "./outcome.ts";
import type { OpenTask } from "./opened-task.ts";

/** Time for the others once as many are here as a result takes: a wrong one among them is then named. */
const GRACE_MS = 1000;
/** Longest time in one look; what has not come goes on coming, and is there at a later look. */
const PATIENCE_MS = 3000;

/**
 * Those that are here, or come in a few seconds, without those whose content is unusable: one member's bad or slow
 * content stops nobody. May be fewer than there are on chain, and fewer than a result takes.
 * @param onUnusable told of each whose content is wrong; one that is away for now is left out silently
 * @throws errors of this machine's store
 */
export async function fetchReleases(
  task: OpenTask,
  { released }: Pick<RoundRecords, "released">,
  onUnusable: (seat: number, code: string) => void,
): Promise<Release[]> {
  const good: Release[] = [];
  const failed: { readonly cause: unknown }[] = [];
  const fetches = released.map(async ({ seat, releaseCid }) => {
    try {
      good.push({ seat, shareSum: await fetchElements(task, releaseCid, SHARE_SUM_FILE) });
    } catch (cause) {
      if (!isVerisumError(cause) || cause.entry.about === "host") failed.push({ cause });
      // What is away may come: its member has done nothing wrong.
      else if (cause.entry.about !== "others") onUnusable(seat, cause.code);
    }
  });
  const isEnough = (): boolean => good.length >= task.parameters.threshold || failed.length > 0;
  await enoughOf(fetches, { isEnough, graceMs: GRACE_MS, patienceMs: PATIENCE_MS });
  if (failed[0] !== undefined) throw failed[0].cause;
  return [...good].sort((a, b) => a.seat - b.seat);
}
