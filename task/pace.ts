/** When a role looks at its task again: soon while the task moves, ever later while it does not. */
import type { Phase, RoundState, TaskReader } from "../chain/task-chain.ts";
import type { Sleep } from "../protocol/ports.ts";

/** No look follows another one sooner, in milliseconds. */
const SHORTEST_MS = 100;
/** A pause is this part of the time in which nothing moved: what moves then is seen that much later, not more. */
const PART = 1 / 4;

export interface PaceDependencies {
  readonly chain: Pick<TaskReader, "latestBlock" | "round">;
  /** Longest time between two steps, in milliseconds. */
  readonly pollMs: number;
  readonly sleep: Sleep;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Phases in which a step also asks other nodes, of whose answers no block tells. */
  readonly asksNodesIn?: readonly Phase[];
}

export interface Pace {
  /** The role did something, so that more is likely to come soon. */
  moved(): void;
  /** Ends a pause: something came that no block tells of. */
  wake(): void;
  /**
   * Waits until there may be something to do: after a new block, a `wake`, or `pollMs`. Until then it asks for the
   * latest block's number only. @throws what the chain and `sleep` throw
   */
  pause(): Promise<void>;
}

export function createPace({ chain, pollMs, sleep, clock, asksNodesIn = [] }: PaceDependencies): Pace {
  let movedAt = clock();
  let block: number | undefined;
  let round: RoundState | undefined;
  let isWoken = false;
  let endPause = (): void => undefined;

  /** Looks for a block that was not there at the last look. Blocks are others' as well: only a round's state moves. */
  const isNewBlock = async (): Promise<boolean> => {
    const latest = await chain.latestBlock();
    if (latest === block) return false;
    const now = await chain.round();
    if (round === undefined || !isSameState(round, now)) movedAt = clock();
    [block, round] = [latest, now];
    return true;
  };
  /** One short pause and one look; true if a step may have something to do. */
  const pauseAndLook = async (leftMs: number): Promise<boolean> => {
    const pauseMs = Math.max(SHORTEST_MS, (clock() - movedAt) * PART);
    const woken = new Promise<void>((resolve) => (endPause = resolve));
    if (!isWoken) await Promise.race([sleep(Math.min(pauseMs, leftMs)), woken]);
    if (isWoken) return true;
    const isNew = await isNewBlock();
    return isNew || (round !== undefined && asksNodesIn.includes(round.phase));
  };

  return {
    moved: () => void (movedAt = clock()),
    wake: () => {
      isWoken = true;
      movedAt = clock();
      endPause();
    },
    pause: async () => {
      const until = clock() + pollMs;
      let isDue = false;
      while (!isDue) isDue = (await pauseAndLook(Math.max(0, until - clock()))) || clock() >= until;
      isWoken = false;
    },
  };
}

/** Compares all that changes within a round. */
function isSameState(a: RoundState, b: RoundState): boolean {
  return (
    a.number === b.number &&
    a.phase === b.phase &&
    a.submitted === b.submitted &&
    a.included === b.included &&
    a.proposedMembers === b.proposedMembers
  );
}
