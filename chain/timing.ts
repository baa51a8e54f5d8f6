/** How long a chain takes, measured on the chain itself: by its blocks' timestamps, never by this machine's clock. */
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Endpoint } from "./rpc.ts";

/** Chains of one process that never reorganise, and that mine on demand: Hardhat's and Ganache's. */
const DEVELOPMENT_CHAINS: readonly bigint[] = [31337n, 1337n];

/** Blocks whose timestamps give the time of one. */
const MEASURED_BLOCKS = 64;
/** The largest finality of this long counts, in seconds: the `finalized` tag moves on in steps of several minutes. */
const REMEMBERED_SECONDS = 3600;

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

/**
 * Looks once. A look just after the `finalized` tag has moved sees less than one before: by a third on Ethereum.
 * @param depth as `finalityDepth` has it
 * @throws CHAIN_UNREACHABLE, INTERRUPTED
 */
export async function measureTiming(
  endpoint: Endpoint,
  chainId: bigint,
  depth: number | undefined,
): Promise<ChainTiming> {
  return timingOf(await lookAt(endpoint, chainId, depth));
}

/** Looks whenever it is asked, and tells the longest finality of the last hour. @throws as `measureTiming` */
export function timingGauge(
  endpoint: Endpoint,
  chainId: bigint,
  depth: number | undefined,
): () => Promise<ChainTiming> {
  let seen: readonly Look[] = [];
  return async () => {
    const look = await lookAt(endpoint, chainId, depth);
    // Where no block is final now, the next look may see one: an endpoint that fails says the same.
    const finite = [...seen, look].filter(({ finalitySeconds }) => Number.isFinite(finalitySeconds));
    seen = finite.filter(({ at }) => look.at - at <= REMEMBERED_SECONDS);
    const longest = Math.max(look.finalitySeconds, ...seen.map(({ finalitySeconds }) => finalitySeconds));
    return timingOf({ ...look, finalitySeconds: longest });
  };
}

interface Look extends ChainTiming {
  /** The latest block's timestamp, in Unix seconds. */
  readonly at: number;
}

function timingOf({ secondsPerBlock, finalitySeconds }: Look): ChainTiming {
  return { secondsPerBlock, finalitySeconds };
}

async function lookAt(endpoint: Endpoint, chainId: bigint, depth: number | undefined): Promise<Look> {
  const [latest, final] = await Promise.all([
    blockAt(endpoint, "latest"),
    depth === undefined ? blockAt(endpoint, "finalized") : undefined,
  ]);
  if (latest === undefined) throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint knows no latest block");
  const { number, timestamp: at } = latest;
  // A chain that mines on demand has gaps as long as nobody sends anything.
  if (DEVELOPMENT_CHAINS.includes(chainId)) return { at, secondsPerBlock: 0, finalitySeconds: 0 };
  // The genesis may have any timestamp.
  const earlier = number > 1 ? await blockAt(endpoint, Math.max(1, number - MEASURED_BLOCKS)) : undefined;
  const secondsPerBlock = earlier === undefined ? 0 : (at - earlier.timestamp) / (number - earlier.number);
  if (depth !== undefined) return { at, secondsPerBlock, finalitySeconds: depth * secondsPerBlock };
  const finalitySeconds = final === undefined || final.number === 0 ? Infinity : Math.max(0, at - final.timestamp);
  return { at, secondsPerBlock, finalitySeconds };
}

interface TimedBlock {
  readonly number: number;
  /** Unix seconds. */
  readonly timestamp: number;
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
