/** The contract's events, fetched once per final block and decoded into records. */
import type { G1 } from "../protocol/points.ts";
import type { ChunkProof } from "../protocol/submission.ts";
import type { Hex } from "../protocol/transcript.ts";
import { decodeChunks, decodePoint, decodeResult, decodeSubmission } from "./codec.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type {
  ChunkStep,
  FinalisedRecord,
  OpenedRecord,
  ReleasedRecord,
  RoundRecords,
  RoundResult,
  SettledRecord,
  SubmittedRecord,
} from "./task-chain.ts";

/** Arguments of the contract's events, as ethers decodes them by the ABI; each event has some of them. */
export interface EventArguments {
  readonly round: bigint;
  readonly account: Hex;
  readonly endpoint: string;
  readonly client: Hex;
  readonly baseModelCid: Hex;
  readonly baseModelDigest: Hex;
  readonly deadline: bigint;
  readonly keyMask: bigint;
  readonly index: bigint;
  readonly weight: bigint;
  readonly submission: Parameters<typeof decodeSubmission>[0];
  readonly head: ChunkStep["head"];
  readonly progress: ChunkStep["progress"];
  readonly chunks: Parameters<typeof decodeChunks>[0];
  readonly seat: bigint;
  readonly bitmap: bigint;
  readonly included: bigint;
  readonly members: bigint;
  readonly totalWeight: bigint;
  readonly sum: G1;
  readonly releaseCid: Hex;
  readonly result: RoundResult;
  readonly evaluation: bigint;
  readonly opening: G1;
  readonly signers: bigint;
  readonly signatures: Iterable<readonly [Hex, Hex]>;
}

/** One event with its place in the chain. */
export interface TaskLog {
  readonly name: string;
  readonly args: EventArguments;
  readonly blockNumber: number;
  readonly index: number;
  readonly transactionHash: Hex;
}

/** Blocks asked for at once; halved when an endpoint refuses. */
const LARGEST_PAGE = 50_000;

/** Keeps the logs of final blocks; later ones are fetched anew each time, since a reorganisation may change them. */
export class TaskLogs {
  readonly #endpoint: Endpoint;
  readonly #address: string;
  #final: TaskLog[] = [];
  #nextBlock = 0;
  #page = LARGEST_PAGE;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(endpoint: Endpoint, address: string) {
    this.#endpoint = endpoint;
    this.#address = address;
  }

  /**
   * All events up to the latest block, in chain order, each once. Calls run one after the other, or both would fetch
   * the same blocks.
   */
  all(latest: number, finalBlock: number): Promise<readonly TaskLog[]> {
    const result = this.#previous.then(() => this.#upTo(latest, finalBlock));
    this.#previous = result.catch(() => undefined);
    return result;
  }

  async #upTo(latest: number, finalBlock: number): Promise<readonly TaskLog[]> {
    if (finalBlock >= this.#nextBlock) {
      this.#final.push(...(await this.#fetch(this.#nextBlock, finalBlock)));
      this.#nextBlock = finalBlock + 1;
    }
    return this.#nextBlock > latest ? this.#final : [...this.#final, ...(await this.#fetch(this.#nextBlock, latest))];
  }

  async #fetch(from: number, to: number): Promise<TaskLog[]> {
    const logs = new Map<string, TaskLog>();
    for (let start = from; start <= to;) {
      const end = Math.min(start + this.#page - 1, to);
      try {
        const page = await this.#endpoint.request(() =>
          this.#endpoint.provider.getLogs({ address: this.#address, fromBlock: start, toBlock: end }),
        );
        for (const log of page) {
          const parsed = VERISUM_INTERFACE.parseLog(log);
          if (parsed === null || log.removed) continue;
          logs.set(`${log.blockNumber}:${log.index}`, {
            name: parsed.name,
            args: parsed.args as unknown as EventArguments,
            blockNumber: log.blockNumber,
            index: log.index,
            transactionHash: log.transactionHash as Hex,
          });
        }
        start = end + 1;
      } catch (error) {
        if (this.#page <= 100) throw error;
        this.#page = Math.floor(this.#page / 2);
      }
    }
    return [...logs.values()].sort((a, b) => a.blockNumber - b.blockNumber || a.index - b.index);
  }
}

/** What the events say of one round. */
export function recordsOf(logs: readonly TaskLog[], round: bigint): RoundRecords {
  const submitted: SubmittedRecord[] = [];
  const proven = new Map<Hex, ChunkProof[]>();
  const attested = new Map<number, bigint>();
  const released: ReleasedRecord[] = [];
  let opened: OpenedRecord | undefined;
  let settled: SettledRecord | undefined;
  let finalised: FinalisedRecord | undefined;
  let aborted = false;
  let settledRounds = 0;
  for (const { name, args, transactionHash, blockNumber } of logs) {
    if (name === "Settled" && args.round <= round) settledRounds++;
    if (args.round !== round) continue;
    if (name === "RoundOpened")
      opened = {
        round,
        baseModelCid: args.baseModelCid,
        baseModelDigest: args.baseModelDigest,
        deadline: Number(args.deadline),
        keyMask: args.keyMask,
      };
    else if (name === "ChunksProven") {
      const chunks = decodeChunks(args.chunks);
      // A client that started again counts from there: `count` is the contract's own.
      const before = Number(args.progress.count) - chunks.length;
      proven.set(args.client, [...(proven.get(args.client) ?? []).slice(0, before), ...chunks]);
    } else if (name === "Submitted") {
      const submission = decodeSubmission(args.submission);
      const chunks = submission.chunks.length > 0 ? submission.chunks : (proven.get(args.client) ?? []);
      submitted.push({
        round,
        client: args.client.toLowerCase() as Hex,
        index: Number(args.index),
        weight: Number(args.weight),
        submission: { ...submission, chunks },
        transactionHash,
      });
    } else if (name === "Attested") attested.set(Number(args.seat), args.bitmap);
    else if (name === "Settled")
      settled = {
        round,
        included: args.included,
        members: args.members,
        totalWeight: Number(args.totalWeight),
        sum: decodePoint(args.sum),
        blockNumber,
      };
    else if (name === "Released") released.push({ round, seat: Number(args.seat), releaseCid: args.releaseCid });
    else if (name === "Finalised")
      finalised = {
        round,
        result: decodeResult(args.result),
        evaluation: args.evaluation,
        opening: decodePoint(args.opening),
        signers: signersOf(args.signers, args.signatures),
        transactionHash,
      };
    else if (name === "Aborted") aborted = true;
  }
  return {
    submitted,
    attested,
    released,
    aborted,
    settledRounds,
    ...(opened === undefined ? {} : { opened }),
    ...(settled === undefined ? {} : { settled }),
    ...(finalised === undefined ? {} : { finalised }),
  };
}

/** The account's last step of a large submission in this round; undefined if it made none. */
export function lastStepOf(logs: readonly TaskLog[], round: bigint, account: Hex): ChunkStep | undefined {
  const last = logs.findLast(
    ({ name, args }) => name === "ChunksProven" && args.round === round && args.client.toLowerCase() === account,
  );
  return last === undefined ? undefined : stepOf(last.args);
}

/** A step without ethers' wrappers. */
export function stepOf({ head, progress }: Pick<EventArguments, "head" | "progress">): ChunkStep {
  const { count, wires, h, y, zPower } = progress;
  const { commitment, sharesDigest, sharesCid, wiresDigest } = head;
  return {
    head: { commitment: decodePoint(commitment), sharesDigest, sharesCid, wiresDigest },
    progress: { count, wires, h, y, zPower },
  };
}

/** Signatures go with the set bits of the mask, lowest seat first. */
function signersOf(mask: bigint, signatures: Iterable<readonly [Hex, Hex]>): FinalisedRecord["signers"] {
  const seats: number[] = [];
  for (let seat = 1, rest = BigInt(mask); rest > 0n; seat++, rest >>= 1n) if ((rest & 1n) === 1n) seats.push(seat);
  return [...signatures].map(([r, vs], i) => ({ seat: seats[i] ?? 0, signature: { r, vs } }));
}
