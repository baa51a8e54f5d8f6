/** The first block that can hold an event of a contract. */
import type { Hex } from "../protocol/transcript.ts";
import type { Endpoint } from "./rpc.ts";

/** A block by number and hash: after a reorganisation a number alone may stand for another one. */
export interface BlockReference {
  readonly number: number;
  readonly hash: string;
}

/** What a contract's identity has of the block that it was deployed in (`deploymentOf`). */
export interface DeploymentBlock {
  readonly number: number;
  readonly parentHash: Hex;
  readonly prevRandao: Hex;
}

/** Blocks asked about at once; the answers are short, and go in one request. */
const PROBES = 40;

/**
 * The block that a contract was deployed in, by its transaction count, which is at least 1 from then on (EIP-161): the
 * answer is short, and a contract never loses it. First back from the latest block by powers of two, for tasks are
 * young, then in forty parts each time.
 *
 * @returns undefined if the endpoint keeps no old states, as full nodes do
 */
export async function deploymentBlock(
  endpoint: Endpoint,
  address: string,
  latest: number,
): Promise<number | undefined> {
  const exists = (block: number): Promise<boolean> =>
    endpoint.provider.getTransactionCount(address, block).then((count) => count > 0);
  try {
    const steps = [...powersBelow(latest), latest].map((distance) => latest - distance);
    let { before, at } = boundary(steps.toReversed(), await Promise.all(steps.toReversed().map(exists)), latest);
    while (at - before > 1) {
      const probes = partsOf(before, at);
      ({ before, at } = boundary(probes, await Promise.all(probes.map(exists)), at, before));
    }
    return at;
  } catch {
    return undefined;
  }
}

/** The same with its fields. @returns undefined if the endpoint keeps no old states */
export async function deployedIn(endpoint: Endpoint, address: string): Promise<DeploymentBlock | undefined> {
  const { provider, request } = endpoint;
  const latest = await request(() => provider.getBlockNumber());
  const number = await deploymentBlock(endpoint, address, latest);
  if (number === undefined) return undefined;
  const block = await request(() => provider.getBlock(number));
  if (block === null || block.prevRandao === null) return undefined;
  return { number, parentHash: block.parentHash as Hex, prevRandao: block.prevRandao as Hex };
}

/** 1, 2, 4 … below the bound. */
function powersBelow(bound: number): number[] {
  const powers: number[] = [];
  for (let power = 1; power < bound; power *= 2) powers.push(power);
  return powers;
}

/** Blocks strictly between the two, evenly apart, ascending. */
function partsOf(before: number, at: number): number[] {
  const count = Math.min(PROBES, at - before - 1);
  return Array.from({ length: count }, (_, i) => before + Math.floor(((i + 1) * (at - before)) / (count + 1)));
}

/** Between which probes the contract came to be; probes ascend, and `at` has it. */
function boundary(
  probes: readonly number[],
  found: readonly boolean[],
  at: number,
  before = -1,
): { before: number; at: number } {
  const first = found.indexOf(true);
  if (first === -1) return { before: probes.at(-1) ?? before, at };
  return { before: first === 0 ? before : probes[first - 1]!, at: probes[first]! };
}
