/** A node that prunes, and the rounds of a task that it sees. For tests only. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RoundRecords, RoundResult } from "../../chain/task-chain.ts";
import { cidFromDigest, digestHexOfCid } from "../../content/cid.ts";
import { createContentStore } from "../../content/store.ts";
import type { ContentStore } from "../../content/store.ts";
import { readRecordOrNull } from "../../storage/durable-file.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { createPruner } from "../../task/pruning.ts";
import type { PruningDependencies } from "../../task/pruning.ts";
import type { Statement } from "../../task/statements.ts";
import { createResultRecord } from "../../task/result-record.ts";
import type { ResultRecord } from "../../task/result-record.ts";
import { createRecorder } from "./round-recorder.ts";

export const KEEP = 3;
const NO_RECORDS = { submitted: [], released: [] } as unknown as RoundRecords;

/** What of a round is kept for good, if it becomes final. */
export interface PlayedRound {
  readonly round: bigint;
  readonly checkpoint: string;
  readonly aggregate: string;
}

export class PruningBench {
  readonly directory: string;
  readonly state: StateDirectory;
  readonly store: ContentStore;
  readonly reporter = createRecorder();
  present = 0n;
  /** The last round that is over for good; the one before the present one unless told. */
  closed: bigint | undefined;
  readonly records = new Map<bigint, RoundRecords>();
  readonly results: RoundResult[] = [];
  /** What members said besides, of whose sums no result is made. */
  readonly said = new Map<bigint, readonly Statement[]>();
  /** CIDs that an audit reads besides results. */
  readonly audited: string[] = [];

  private constructor(directory: string, state: StateDirectory, store: ContentStore) {
    this.directory = directory;
    this.state = state;
    this.store = store;
  }

  /** @param source the store of the one peer, if there is one */
  static async open(source: () => ContentStore | undefined = () => undefined): Promise<PruningBench> {
    const directory = await mkdtemp(join(tmpdir(), "verisum-pruning-"));
    const store = await createContentStore({
      directory: join(directory, "ipfs"),
      peers: () => (source() === undefined ? [] : ["http://peer.example"]),
      fetch: async (input) => {
        const cid = new URL(input instanceof Request ? input.url : input).pathname.split("/").at(-1)!;
        const block = await source()?.getLocalBlock(cid);
        return block === undefined ? new Response("", { status: 404 }) : new Response(Buffer.from(block));
      },
      reporter: createRecorder(),
    });
    return new PruningBench(directory, await openStateDirectory(join(directory, "state")), store);
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.state.release();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A process's pruner. */
  pruner(other: Partial<PruningDependencies> = {}): () => Promise<void> {
    const { store, state, reporter, audited } = this;
    return createPruner({
      ...{ store, state, scope: "scope", committeeSize: 4, keepRounds: KEEP, reporter, audited },
      results: this.record(store),
      ...{ siblings: [], aheadRounds: 0 },
      board: { of: (round) => this.said.get(round) ?? [] },
      chain: {
        look: () =>
          Promise.resolve({
            round: { number: this.present },
            closedRound: this.closed ?? this.present - 1n,
            records: (round: bigint) => this.records.get(round) ?? NO_RECORDS,
            results: () => this.results,
          }),
      } as unknown as PruningDependencies["chain"],
      ...other,
    });
  }

  /** The node's record of results. */
  record(store: Pick<ContentStore, "putDirectory"> = this.store): ResultRecord {
    return createResultRecord(this.state.file("scope", "results.json"), store);
  }

  put(files: Readonly<Record<string, string>>, store = this.store): Promise<string> {
    return store.putDirectory(Object.fromEntries(Object.entries(files).map(([name, label]) => [name, textOf(label)])));
  }

  bundle(label: string, store = this.store): Promise<string> {
    return this.put({ "seat-1.bin": `${label} a`, "seat-3.bin": `${label} b` }, store);
  }

  /** Opens rounds, and lets the node look at each. */
  async pass(rounds: number, prune: () => Promise<void>): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      this.open();
      await prune();
    }
  }

  /** Opens the next round, whose submissions name these. */
  open(...named: readonly string[]): void {
    this.present += 1n;
    this.records.set(this.present, {
      submitted: named.map((cid) => ({ submission: { sharesCid: digestHexOfCid(cid) } })),
      released: [],
    } as unknown as RoundRecords);
  }

  /** A round of three clients and some releases, two of which a result names; the first client may name another CID. */
  async play(forged?: string, released = 2): Promise<PlayedRound> {
    const label = `round ${this.present + 1n}`;
    const bundles = await Promise.all(
      [1, 2, 3].map((client) =>
        this.put({ "seat-1.bin": `${label} ${client} a`, "seat-2.bin": `${label} ${client} b` }),
      ),
    );
    const seats = Array.from({ length: released }, (_, i) => i + 1);
    const sums = await Promise.all(seats.map((seat) => this.put({ "share-sum.bin": `${label} sum ${seat}` })));
    this.open(forged ?? bundles[0]!, ...bundles.slice(1));
    const releases = sums.map((cid) => ({ kind: "release", releaseCid: digestHexOfCid(cid) }));
    this.said.set(this.present, releases as unknown as readonly Statement[]);
    const { submitted } = this.records.get(this.present)!;
    this.records.set(this.present, { submitted, released: releases.slice(0, 2) } as unknown as RoundRecords);
    const checkpoint = await this.put({ "state.bin": label, "config.json": label });
    const aggregate = await this.put({ "aggregate.bin": label });
    const played = { round: this.present, checkpoint, aggregate };
    this.finalise(played);
    return played;
  }

  /** Stores a result of the round as whoever signs it does; its aggregate is the sum of this. */
  async propose(label: string, sum = label, store = this.store): Promise<PlayedRound> {
    const checkpointFiles = { "config.json": textOf(label), "state.bin": textOf(label) };
    const aggregateFiles = { "aggregate.bin": textOf(sum) };
    const [modelCid, aggregateCid] = [await directoryDigest(checkpointFiles), await directoryDigest(aggregateFiles)];
    await this.record(store).store(this.present, {
      signed: { modelCid, aggregateCid },
      ...{ checkpointFiles, aggregateFiles },
    });
    return { round: this.present, checkpoint: cidFromDigest(modelCid), aggregate: cidFromDigest(aggregateCid) };
  }

  /** Makes a result final. */
  finalise({ round, checkpoint, aggregate }: PlayedRound): void {
    const [modelCid, aggregateCid] = [digestHexOfCid(checkpoint), digestHexOfCid(aggregate)];
    const result = { modelCid, aggregateCid } as unknown as RoundResult;
    this.results.push(result);
    this.records.set(round, { ...this.records.get(round)!, finalised: { result } } as unknown as RoundRecords);
  }

  /** Shows a chain on which no round became final. */
  forget(): void {
    this.results.length = 0;
    for (const [round, { finalised: _, ...others }] of this.records) this.records.set(round, others);
  }

  /** The directories that the record lists, by the round in which they were seen. */
  async seen(): Promise<ReadonlyMap<string, readonly string[]>> {
    const record = (await readRecordOrNull(this.recordPath)) as { readonly seen?: Record<string, string[]> } | null;
    return new Map(Object.entries(record?.seen ?? {}));
  }

  /** The results that the record lists, by the round that they are of. */
  async listedResults(): Promise<ReadonlyMap<string, readonly string[]>> {
    const path = this.state.file("scope", "results.json");
    const record = (await readRecordOrNull(path)) as { readonly open?: Record<string, string[]> } | null;
    return new Map(Object.entries(record?.open ?? {}));
  }

  get recordPath(): string {
    return this.state.file("scope", "pruned.json");
  }

  /** CIDs of a round's submissions. */
  named(round: bigint): readonly string[] {
    return this.records.get(round)!.submitted.map(({ submission }) => cidFromDigest(submission.sharesCid));
  }
}

export const textOf = (label: string): Uint8Array => new TextEncoder().encode(label.padEnd(200, "."));
