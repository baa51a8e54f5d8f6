/** The block that the chain's `finalized` tag names, by the word of all endpoints: one alone may lie, or be behind. */
import type { RpcRequest } from "./answer-forms.ts";
import type { BlockReference } from "./origin.ts";
import type { Endpoint } from "./rpc.ts";
import type { TimedBlock } from "./timing.ts";

export interface TaggedBlock extends BlockReference, TimedBlock {}

/** Seconds by which honest endpoints' final blocks are apart at most: the tag moves on in steps of several minutes. */
const MOST_APART_SECONDS = 600;

const REQUEST: RpcRequest = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["finalized", false] };

/**
 * The middle one of what endpoints say; of an even number, the older of the two in the middle, since what is final
 * cannot be taken back. Endpoints that say nothing have no voice.
 */
export function middleBlock(told: readonly (TaggedBlock | undefined)[]): TaggedBlock | undefined {
  const sorted = told.filter((block) => block !== undefined).sort((a, b) => a.number - b.number);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Remembers what was agreed: it stays final, whatever an endpoint says later. */
export class FinalBlock {
  readonly #transport: Endpoint["transport"];
  #agreed: TaggedBlock | undefined;

  constructor({ transport }: Pick<Endpoint, "transport">) {
    this.#transport = transport;
  }

  /** The chain may be another one. */
  forget(): void {
    this.#agreed = undefined;
  }

  /**
   * What is final now. All endpoints are asked when the one in use says something new, and it is set aside where it is
   * far from what they agree on.
   * @param tagged what the endpoint in use says; undefined if it calls no block final
   */
  async agreed(tagged: TaggedBlock | undefined): Promise<TaggedBlock | undefined> {
    const known = this.#agreed;
    if (this.#transport.size === 1) return tagged;
    // A hash that is known says nothing of the number that one endpoint tells with it.
    if (known !== undefined && tagged?.hash === known.hash) return known;
    const middle = middleBlock(await this.#askEach());
    const agreed = known !== undefined && (middle?.number ?? -1) < known.number ? known : middle;
    if (tagged !== undefined && agreed !== undefined && isFar(tagged, agreed))
      this.#transport.distrust(`it says that block ${tagged.number} is final, the endpoints agree on ${agreed.number}`);
    this.#agreed = agreed;
    return agreed;
  }

  async #askEach(): Promise<readonly (TaggedBlock | undefined)[]> {
    return (await this.#transport.askEach(REQUEST)).map((answer) => {
      if (answer === undefined || !("result" in answer) || answer.result === null) return undefined;
      const { number, hash, timestamp } = answer.result as { number: string; hash: string; timestamp: string };
      return { number: Number(number), hash, timestamp: Number(timestamp) };
    });
  }
}

function isFar(a: TimedBlock, b: TimedBlock): boolean {
  return Math.abs(a.timestamp - b.timestamp) > MOST_APART_SECONDS;
}
