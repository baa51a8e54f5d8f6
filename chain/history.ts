/**
 * A contract's past, as far as it can be believed: its events from its deployment on, kept as long as the chain still
 * has the block up to which they were read, and never without those that the contract itself counts.
 */
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { missingEvent } from "./agreement.ts";
import { isAnnouncement, superfluousAnnouncements } from "./announcements.ts";
import { FinalBlock } from "./final-block.ts";
import type { TaggedBlock } from "./final-block.ts";
import { LogPages, parseTaskLog, placeOf } from "./logs.ts";
import type { RawLog, TaskLog, Thinning } from "./logs.ts";
import { deploymentBlock } from "./origin.ts";
import type { BlockReference } from "./origin.ts";
import { firstBlockOfRound, wrongSeat } from "./present-round.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { Endpoint } from "./rpc.ts";
import type { Counters } from "./task-chain.ts";
import { earlierBlock, isEarlierBlock } from "./timing.ts";
import type { SeenBlocks, TimedBlock } from "./timing.ts";

/** What is kept between starts. */
export interface KeptEvents {
  /** Where the contract was deployed, or the first block that was read. */
  readonly origin: BlockReference;
  /** The last block of which the events are kept: final when it was read. */
  readonly upTo: BlockReference;
  readonly logs: readonly RawLog[];
}

/** Where events are kept between starts. What it gives back may be anything. */
export interface EventStore {
  load(contract: string): Promise<KeptEvents | undefined>;
  save(contract: string, kept: KeptEvents): Promise<void>;
}

export interface HistoryOptions {
  /** Blocks on top that make a block final; undefined for the chain's `finalized` tag. */
  readonly depth: number | undefined;
  /** The first block to read; found if absent. */
  readonly fromBlock?: number;
  readonly store?: EventStore;
  /** How long one look at the chain answers every question, in milliseconds; 0 if absent: each looks for itself. */
  readonly lookMs?: number;
  /** The contract's own counts at a block. */
  readonly counters: (block: number) => Promise<Counters>;
  /** The present round's members at a block, by the contract, seat 1 first. */
  readonly members: (block: number) => Promise<readonly Hex[]>;
  readonly costPerRound: () => Promise<bigint>;
  readonly operator: () => Promise<Hex>;
}

/** The contract at one block: its counts, and all of its events up to there. */
export interface TaskPast {
  readonly logs: readonly TaskLog[];
  readonly counters: Counters;
  readonly latest: BlockReference;
  readonly finalBlock: number;
  /** The timestamps of the same look. */
  readonly blocks: SeenBlocks;
}

/** What was read of the present round may be wrong. */
interface Doubt {
  /** The block from which on what is kept is read again. */
  readonly from: number;
  /** Models before the round's own whose openings are among it. */
  readonly modelsBefore: number;
}

/** Blocks, and events, that are read before they are kept on the disk once more. */
const BLOCKS_BEFORE_SAVING = 5_000;
const EVENTS_BEFORE_SAVING = 64;

export class TaskHistory {
  readonly #endpoint: Endpoint;
  readonly #contract: string;
  readonly #options: HistoryOptions;
  readonly #pages: LogPages;
  readonly #final: FinalBlock;
  #kept: KeptEvents | undefined;
  #parsed: TaskLog[] = [];
  #saved = { upTo: -1, count: 0 };
  #isLoaded = false;
  #asksOldStates = true;
  #last: TaskPast | undefined;
  #doubt: Doubt | undefined;
  #lookedAt = -Infinity;
  #earlier: TimedBlock | undefined;
  #previous: Promise<unknown> = Promise.resolve();

  constructor(endpoint: Endpoint, contract: string, options: HistoryOptions) {
    this.#endpoint = endpoint;
    this.#contract = contract;
    this.#options = options;
    this.#pages = new LogPages(endpoint, contract);
    this.#final = new FinalBlock(endpoint);
  }

  /**
   * The contract's past up to the latest block. Calls run one after the other, or each would read the same blocks.
   * @throws CHAIN_EVENTS_MISSING if events are missing that the contract counts, also when all are read anew
   */
  read(): Promise<TaskPast> {
    return this.#inTurn(() => this.#read());
  }

  /** What was read last; read now if nothing was. */
  async last(): Promise<TaskPast> {
    return this.#last ?? this.read();
  }

  /** Forgets what is kept, and the endpoint that it came from if there is another one. */
  reread(why: string): Promise<void> {
    return this.#inTurn(async () => this.#forget(why));
  }

  /**
   * Forgets what is kept of the present round, and the endpoint that it came from if there is another one. What was
   * kept of earlier rounds stays: one client or node that does wrong in each round would have every member read the
   * whole past each time.
   *
   * If the endpoint lied about that as well, and it matters in this round, the next one shows it, and everything is
   * read again from that one. Where all was kept of another branch, its block has another hash. Events that were left
   * out, or put in, disagree with its counts (`missingEvent`), and seats with its contract (`wrongSeat`); the models
   * that submissions start from are read again with the round. What may stay wrong are clients, results and
   * submissions of earlier rounds: nobody is blamed by these in the present one, and whoever audits them, or would end
   * by them, reads everything (`reread`). So only an endpoint that lies, or leaves something out twice in a row, can
   * cause a reading of the whole past.
   * @param modelsBefore models before the round's own whose openings are read again as well
   */
  rereadRound(why: string, modelsBefore: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#endpoint.transport.distrust(why);
      const from = firstBlockOfRound(this.#last?.logs ?? this.#parsed, modelsBefore) ?? 0;
      this.#doubt = {
        from: Math.min(from, this.#doubt?.from ?? Infinity),
        modelsBefore: Math.max(modelsBefore, this.#doubt?.modelsBefore ?? 0),
      };
      this.#last = undefined;
      this.#final.forget();
    });
  }

  /** Where the contract was deployed, as far as the endpoint knows. */
  async origin(): Promise<BlockReference> {
    await this.last();
    return this.#kept!.origin;
  }

  /** Keeps on the disk what is not there yet. */
  save(): Promise<void> {
    return this.#inTurn(async () => {
      const { store } = this.#options;
      const kept = this.#kept;
      if (store === undefined || kept === undefined || kept.upTo.number === this.#saved.upTo) return;
      await store.save(this.#contract, kept);
      this.#saved = { upTo: kept.upTo.number, count: kept.logs.length };
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#previous.then(work);
    this.#previous = result.catch(() => undefined);
    return result;
  }

  #forget(why: string): void {
    this.#endpoint.transport.distrust(why);
    this.#forgetKept();
  }

  #forgetKept(): void {
    const { origin } = this.#kept ?? {};
    this.#kept = undefined;
    this.#last = undefined;
    this.#parsed = [];
    this.#final.forget();
    if (origin !== undefined) this.#kept = { origin, upTo: { number: origin.number - 1, hash: "" }, logs: [] };
  }

  /** Reads; where something is missing, once more without what is kept, then without where it was found to begin. */
  async #read(): Promise<TaskPast> {
    // The endpoint in use may be right, and what another one told of earlier rounds wrong.
    const isMixed = this.#doubt !== undefined;
    // Once more beside what is kept: leaving an event out of one answer happens to honest endpoints.
    const forget = isMixed ? [() => undefined, () => this.#forgetKept()] : [() => this.#forget("it left out events")];
    for (const retry of [...forget, () => this.#forgetOrigin()]) {
      const past = await this.#attempt();
      if (typeof past !== "string") return past;
      this.#pages.shrink();
      retry();
    }
    const last = await this.#attempt();
    if (typeof last !== "string") return last;
    this.#forget(`it left out ${last}`);
    throw new VerisumError("CHAIN_EVENTS_MISSING", `the endpoint's events lack ${last}`, { missing: last });
  }

  /** The states of the past that an endpoint tells may be as wrong as its events. */
  #forgetOrigin(): void {
    this.#forget("it left out events");
    if (this.#options.fromBlock !== undefined) return;
    this.#kept = undefined;
    this.#asksOldStates = false;
  }

  /** The past, or what is missing of it. */
  async #attempt(): Promise<TaskPast | string> {
    await this.load();
    if (this.#last !== undefined && performance.now() - this.#lookedAt < (this.#options.lookMs ?? 0)) return this.#last;
    const { latest, final, finalized } = await this.#head();
    const lookedAt = performance.now();
    if (this.#last?.latest.hash === latest.hash && this.#last.finalBlock === final) {
      this.#lookedAt = lookedAt;
      return this.#last;
    }
    this.#kept ??= await this.#start(latest.number);
    if (this.#doubt !== undefined) await this.#dropDoubted(this.#kept, this.#doubt);
    const from = this.#kept.upTo.number + 1;
    const upToFinal = Math.max(final, this.#kept.upTo.number);
    const kept = this.#kept.logs;
    const superfluous: Thinning = async (logs) =>
      superfluousAnnouncements([...kept, ...logs], await this.#options.operator());
    const [upTo, earlier, counters, cost, settled, recent] = await Promise.all([
      upToFinal < from ? undefined : upToFinal === latest.number ? latest : this.#block(upToFinal),
      this.#earlierThan(latest.number),
      this.#options.counters(latest.number),
      this.#options.costPerRound(),
      this.#pages.read(from, upToFinal, superfluous),
      this.#pages.read(upToFinal + 1, latest.number, superfluous),
    ]);
    const added = parsed(settled);
    const logs = [...this.#parsed, ...added, ...parsed(recent)];
    const missing = missingEvent(logs, counters, cost) ?? (await this.#wrongBefore(from, logs, counters, latest));
    if (missing !== undefined) return missing;
    this.#doubt = undefined;
    if (upTo !== undefined) await this.#keep(settled, added, { number: upTo.number, hash: upTo.hash });
    const blocks = {
      latest,
      ...(earlier === undefined ? {} : { earlier }),
      ...(finalized === undefined ? {} : { finalized }),
    };
    this.#last = { logs, counters, latest, finalBlock: final, blocks };
    this.#lookedAt = lookedAt;
    return this.#last;
  }

  /** Once the chain is known to have the block up to which all was kept. */
  async #dropDoubted(kept: KeptEvents, doubt: Doubt): Promise<void> {
    const from = Math.max(doubt.from, kept.origin.number);
    if (from > kept.upTo.number) return;
    const before = await this.#block(from - 1);
    const isBefore = ({ blockNumber }: RawLog | TaskLog): boolean => blockNumber < from;
    const upTo = { number: from - 1, hash: before?.hash ?? "" };
    this.#kept = { ...kept, upTo, logs: kept.logs.filter(isBefore) };
    this.#parsed = this.#parsed.filter(isBefore);
  }

  /** What was kept of earlier rounds beside a new reading of the present one, and matters in it, and is wrong. */
  async #wrongBefore(
    from: number,
    logs: readonly TaskLog[],
    { round }: Counters,
    latest: BlockReference,
  ): Promise<string | undefined> {
    if (this.#doubt === undefined) return undefined;
    const first = firstBlockOfRound(logs, this.#doubt.modelsBefore);
    if (first !== undefined && first < from) return "the opening on a model that submissions may start from";
    return wrongSeat(logs, await this.#options.members(latest.number), round.number);
  }

  async #keep(raw: readonly RawLog[], added: readonly TaskLog[], upTo: BlockReference): Promise<void> {
    const kept = this.#kept!;
    const all = [...kept.logs, ...raw];
    const superfluous = raw.some(isAnnouncement)
      ? superfluousAnnouncements(all, await this.#options.operator())
      : new Set<string>();
    const isKept = (log: RawLog | TaskLog): boolean => !superfluous.has(placeOf(log));
    const isWhole = superfluous.size === 0;
    this.#parsed.push(...added);
    if (!isWhole) this.#parsed = this.#parsed.filter(isKept);
    this.#kept = { ...kept, upTo, logs: isWhole ? all : all.filter(isKept) };
    const { store } = this.#options;
    const isDue =
      upTo.number - this.#saved.upTo >= BLOCKS_BEFORE_SAVING ||
      this.#kept.logs.length - this.#saved.count >= Math.max(EVENTS_BEFORE_SAVING, this.#saved.count / 4);
    if (store === undefined || !isDue) return;
    await store.save(this.#contract, this.#kept);
    this.#saved = { upTo: upTo.number, count: this.#kept.logs.length };
  }

  /** What an earlier start kept, read from the disk once. */
  async load(): Promise<void> {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    const kept = await this.#options.store?.load(this.#contract);
    if (kept === undefined) return;
    this.#kept = kept;
    this.#parsed = [...parsed(kept.logs)];
    this.#saved = { upTo: kept.upTo.number, count: kept.logs.length };
  }

  /**
   * The latest block, and the latest final one's number, -1 if none is. Forgets what was read on a branch that the
   * chain has left.
   */
  async #head(): Promise<{
    readonly latest: TaggedBlock;
    readonly final: number;
    readonly finalized: TaggedBlock | undefined;
  }> {
    const { depth } = this.#options;
    const known = this.#kept;
    const [latest, tagged, upTo, origin] = await Promise.all([
      this.#block("latest"),
      depth === undefined ? this.#block("finalized") : undefined,
      known !== undefined && known.upTo.hash !== "" ? this.#block(known.upTo.number) : undefined,
      known === undefined ? undefined : this.#block(known.origin.number),
    ]);
    if (latest === undefined) throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint knows no latest block");
    // An endpoint that is behind does not know the block: that says nothing.
    if (upTo !== undefined && upTo.hash !== known!.upTo.hash) this.#forgetBranch(known!.origin);
    if (origin !== undefined && origin.hash !== known!.origin.hash) this.#forgetBranch(undefined);
    if (depth !== undefined) return { latest, final: Math.max(-1, latest.number - depth), finalized: undefined };
    const finalized = await this.#final.agreed(tagged);
    return { latest, final: Math.min(finalized?.number ?? -1, latest.number), finalized };
  }

  #forgetBranch(origin: BlockReference | undefined): void {
    this.#parsed = [];
    this.#final.forget();
    this.#last = undefined;
    this.#kept = origin === undefined ? undefined : { origin, upTo: { number: origin.number - 1, hash: "" }, logs: [] };
  }

  /** The block that tells, with the latest one, how long a block takes; read once in a while. */
  async #earlierThan(latest: number): Promise<TimedBlock | undefined> {
    if (this.#earlier !== undefined && isEarlierBlock(this.#earlier, latest)) return this.#earlier;
    const number = earlierBlock(latest);
    this.#earlier = number === undefined ? undefined : await this.#block(number);
    return this.#earlier;
  }

  async #block(tag: number | "latest" | "finalized"): Promise<TaggedBlock | undefined> {
    const { provider, request } = this.#endpoint;
    const block = await request(() => provider.getBlock(tag)).catch((error: unknown) => {
      if (tag !== "finalized" || !isVerisumError(error, "CHAIN_UNREACHABLE")) throw error;
      return null;
    });
    if (block === null || block.hash === null) return undefined;
    return { number: block.number, hash: block.hash, timestamp: block.timestamp };
  }

  /** Before anything is read: where to begin. */
  async #start(latest: number): Promise<KeptEvents> {
    const search = (): Promise<number | undefined> => deploymentBlock(this.#endpoint, this.#contract, latest);
    const told = this.#options.fromBlock ?? (this.#asksOldStates ? await search() : undefined);
    const number = told ?? (await this.#oldest(latest));
    const origin = await this.#block(number);
    if (origin === undefined) throw new VerisumError("CHAIN_UNREACHABLE", `the endpoint knows no block ${number}`);
    return { origin: { number, hash: origin.hash }, upTo: { number: number - 1, hash: "" }, logs: [] };
  }

  /** Where an endpoint keeps no old states: back to the first member's registration, which comes before any round. */
  async #oldest(latest: number): Promise<number> {
    const { memberCount } = await this.#options.counters(latest);
    let start = latest + 1;
    for (let found = memberCount === 0; !found && start > 0;) {
      const end = start - 1;
      start = Math.max(0, start - BACKWARD_PAGE);
      const logs = parsed(await this.#pages.read(start, end));
      found = logs.some((log) => log.name === "MemberRegistered" && log.args.seat === 1n && log.args.fromRound === 0n);
    }
    return Math.min(start, latest);
  }
}

/** Blocks read at a time on the way back. */
const BACKWARD_PAGE = 10_000;

function parsed(logs: readonly RawLog[]): readonly TaskLog[] {
  return logs.flatMap((log) => parseTaskLog(log) ?? []);
}
