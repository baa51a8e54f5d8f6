/** Waiting for content that only others hold. */
import type { TaskReader } from "../chain/task-chain.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Sleep } from "../protocol/ports.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { PeerNetwork } from "./peer-network.ts";

const RETRY_MS = 500;
const TRIES_BEFORE_REREADING = 60;

export interface AvailabilityDependencies {
  readonly chain: Pick<TaskReader, "reread">;
  readonly network: Pick<PeerNetwork, "peers" | "refresh">;
  readonly reporter: Reporter;
  readonly sleep: Sleep;
}

/**
 * Tries again until a node that has the content is up; says what it waits for. @throws anything but IPFS_UNAVAILABLE at
 * once
 */
export async function whenAvailable<T>(
  work: () => Promise<T>,
  { chain, network, reporter, sleep }: AvailabilityDependencies,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isVerisumError(error, "IPFS_UNAVAILABLE")) throw error;
      const asked = network.peers().join(", ") || "nobody: give --peer";
      reporter.wait(`waiting for a node that has the task's content; asked ${asked}`, {
        missing: error.message,
      });
      await sleep(RETRY_MS);
      // The announcement of the node that has it may be what the endpoint left out.
      if (tries % TRIES_BEFORE_REREADING === 0) await chain.reread("content was not found");
      await network.refresh();
    }
  }
}
