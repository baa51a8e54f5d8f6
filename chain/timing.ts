/** How long a chain takes, measured on the chain itself: by its blocks' timestamps, never by this machine's clock. */
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Endpoint } from "./rpc.ts";

/** Chains of one process that never reorganise, and that mine on demand: Hardhat's and Ganache's. */
const DEVELOPMENT_CHAINS: readonly bigint[] = [31337n, 1337n];

/** Blocks whose timestamps give the time of one. */
const MEASURED_BLOCKS = 64;
/** The largest finality of this long counts, in seconds: the `finalized` tag moves on in steps of several minutes. */
const REMEMBERED_SECONDS = 3600;
/** How far finality rises between two steps of the tag, as a factor: from 770 to 1,150 s on Ethereum. */
const MOST_ABOVE_NOW = 1.5;

export interface ChainTiming {
  /** Seconds from one block to the next, on average; 0 on a development chain, and before there are two blocks. */
  readonly secondsPerBlock: number;
  /** Seconds from a block until it counts as final; Infinity while the chain calls no block final. */
  readonly finalitySeconds: number;
}

/** Blocks on top that make a block final, undefined for the chain's `finalized` tag. @param confirmations as told */
export function finalityDepth(chainId: bigint, confirmations: number | undefined): number | undefined {
  return confirmations ?? (DEVELOPMENT_CHAINS.includes(chainId) ? 0 : undefined);
}

/** What one look at the chain saw of its blocks. */
export interface SeenBlocks {
  readonly latest: TimedBlock;
  /** A block some way before the latest, and after the genesis, which may have any timestamp. */
  readonly earlier?: TimedBlock;
  /** The block that the chain's tag calls final. */
  readonly finalized?: TimedBlock;
}

export interface TimedBlock {
  readonly number: number;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** The number of the block that gives, with the latest one, the time of a block; undefined before there is one. */
export function earlierBlock(latest: number): number | undefined {
  return latest > 1 ? Math.max(1, latest - MEASURED_BLOCKS) : undefined;
}

/** Whether a block that was read before still does: for as many blocks again. */
export function isEarlierBlock(block: TimedBlock, latest: number): boolean {
  return block.number < latest && latest - block.number <= 2 * MEASURED_BLOCKS;
}

/**
 * What one look's blocks say. A look just after the `finalized` tag has moved sees less than one before: by a third on
 * Ethereum.
 * @param depth as `finalityDepth` has it
 */
function timingOf({ latest, earlier, finalized }: SeenBlocks, chainId: bigint, depth: number | undefined): ChainTiming {
  // A chain that mines on demand has gaps as long as nobody sends anything.
  if (DEVELOPMENT_CHAINS.includes(chainId)) return { secondsPerBlock: 0, finalitySeconds: 0 };
  const secondsPerBlock =
    earlier === undefined ? 0 : (latest.timestamp - earlier.timestamp) / (latest.number - earlier.number);
  if (depth !== undefined) return { secondsPerBlock, finalitySeconds: depth * secondsPerBlock };
  const isFinal = finalized !== undefined && finalized.number !== 0;
  return {
    secondsPerBlock,
    finalitySeconds: isFinal ? Math.max(0, latest.timestamp - finalized.timestamp) : Infinity,
  };
}

/** Looks once. @param depth as `finalityDepth` has it. @throws CHAIN_UNREACHABLE, INTERRUPTED */
export async function measureTiming(
  endpoint: Endpoint,
  chainId: bigint,
  depth: number | undefined,
): Promise<ChainTiming> {
  const [latest, finalized] = await Promise.all([
    blockAt(endpoint, "latest"),
    depth === undefined ? blockAt(endpoint, "finalized") : undefined,
  ]);
  if (latest === undefined) throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint knows no latest block");
  const number = DEVELOPMENT_CHAINS.includes(chainId) ? undefined : earlierBlock(latest.number);
  const earlier = number === undefined ? undefined : await blockAt(endpoint, number);
  const seen = {
    latest,
    ...(earlier === undefined ? {} : { earlier }),
    ...(finalized === undefined ? {} : { finalized }),
  };
  return timingOf(seen, chainId, depth);
}

/**
 * Remembers looks, and tells the longest finality of the last hour; but no more than {@link MOST_ABOVE_NOW} times what
 * the look itself says, so that an endpoint that lied once is soon forgotten.
 */
export function timingGauge(chainId: bigint, depth: number | undefined): (seen: SeenBlocks) => ChainTiming {
  let remembered: readonly { readonly at: number; readonly finalitySeconds: number }[] = [];
  return (seen) => {
    const at = seen.latest.timestamp;
    const { secondsPerBlock, finalitySeconds } = timingOf(seen, chainId, depth);
    // Where no block is final now, the next look may see one: an endpoint that fails says the same.
    const finite = [...remembered, { at, finalitySeconds }].filter((look) => Number.isFinite(look.finalitySeconds));
    remembered = finite.filter((look) => Math.abs(at - look.at) <= REMEMBERED_SECONDS);
    const longest = Math.max(finalitySeconds, ...remembered.map((look) => look.finalitySeconds));
    return { secondsPerBlock, finalitySeconds: Math.min(longest, MOST_ABOVE_NOW * finalitySeconds) };
  };
}

async function blockAt(
  { provider, request }: Endpoint,
  tag: number | "latest" | "finalized",
): Promise<TimedBlock | undefined> {
  const block = await request(() => provider.getBlock(tag)).catch((error: unknown) => {
    // Chains without the tag answer with an error.
    if (tag !== "finalized" || !isVerisumError(error, "CHAIN_UNREACHABLE")) throw error;
    return null;
  });
  return block === null ? undefined : { number: block.number, timestamp: block.timestamp };
}
