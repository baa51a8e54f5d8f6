/**
 * All roles of a task as processes, each with its own way to the chain: a proxy that may disturb whatever it asks.
 * Rounds follow one another until the fleet is stopped.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { keccak256 } from "ethers";
import { connectReader } from "../../chain/connect.ts";
import type { Phase, TaskReader } from "../../chain/task-chain.ts";
import { runAuditor } from "../../demo/auditor.ts";
import { developmentWallet } from "../../demo/development-wallet.ts";
import { Processes } from "../../demo/processes.ts";
import type { Role, RoleEvent } from "../../demo/processes.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { serveRpc } from "../support/rpc-server.ts";
import type { Misbehaviour, RpcRequest, RpcServer, Upstream } from "../support/rpc-server.ts";
import { freePort, startAnvil } from "./anvil.ts";
import type { Anvil } from "./anvil.ts";
import { Departures } from "./departures.ts";
import type { NodeProxy } from "./node-proxy.ts";
import { showStatements } from "./statement-proxy.ts";
import type { Tally } from "./tally.ts";
import { CLIENTS, MEMBERS } from "./task.ts";
import type { AdversarialTask } from "./task.ts";

export type RoleKind = "aggregator" | "member" | "client";

/** What a role is doing: starting, or what its round's phase asks of it. */
export type Stage = "Starting" | Phase;

/** A request on its way from a role to the chain. */
export interface Asked {
  readonly kind: RoleKind;
  readonly name: string;
  readonly stage: Stage;
  readonly request: RpcRequest;
}

export interface FleetOptions {
  readonly task: AdversarialTask;
  /** For state and logs. */
  readonly directory: string;
  readonly tally: Tally;
  /** Blocks that make a block final for the roles. */
  readonly confirmations?: number;
  /** Mines a block in so many milliseconds even if nobody sends anything, and calls this after it. */
  readonly blocks?: { readonly everyMs: number; readonly mined: (fleet: Fleet, phase: Phase) => Promise<void> };
  /** Comes in place of an answer. */
  readonly fault?: (asked: Asked) => Misbehaviour | undefined;
  /** Changes a result on its way to a role. */
  readonly alter?: (asked: Asked, result: unknown) => unknown;
  /** Added to a role's environment. */
  readonly env?: (name: string, stateDirectory: string) => Readonly<Record<string, string>>;
  /** The URL by which others reach a member that listens at this one; what comes back goes on chain. */
  readonly reachedAt?: (name: string, url: string) => Promise<string>;
  /** The URL by which a role reaches the aggregator, which listens at this one. */
  readonly reaches?: (name: string, url: string) => Promise<string>;
  /** Called before the first role starts. */
  readonly prepare?: (names: readonly string[]) => void;
  readonly onEvent?: (event: RoleEvent) => void;
  /** Told of a role that a signal ended; without it such a role counts as dead. It starts again in any case. */
  readonly onKilled?: (name: string) => void;
}

interface Place {
  readonly kind: RoleKind;
  readonly account: number;
  readonly script: string;
  readonly args: readonly string[];
  readonly proxy: RpcServer;
}

/** `member` of `member 2`. */
export const kindOf = (name: string): RoleKind => name.split(" ")[0] as RoleKind;

/** A role takes part from this event on. */
const STARTED: Readonly<Record<RoleKind, string>> = {
  aggregator: "listening",
  member: "listening",
  client: "registered",
};
const LOOK_MS = 100;
/** Seldom enough for two fleets of seven roles, and schedules beside them, on two cores. */
const POLL_MS = 500;
/** Roles that ended by themselves after which nobody waits any more. */
const MOST_DEATHS = 10;

/** Of fleets that were not stopped yet: nothing outlives the test, however it ends. */
const RUNNING = new Set<Processes>();
process.once("exit", () => RUNNING.forEach((processes) => void processes.stopAll()));

export class Fleet {
  readonly reader: TaskReader;
  readonly anvil: Anvil;
  readonly contract: Hex;
  readonly #options: FleetOptions;
  /** The chain without a fault. */
  readonly #undisturbed: RpcServer;
  readonly #departures: Departures;
  /** Before members' nodes. */
  readonly #nodeProxies: NodeProxy[] = [];
  readonly #processes: Processes;
  readonly #places = new Map<string, Place>();
  /** By hash. */
  readonly #sent = new Map<string, string>();
  readonly #forwards = new Map<string, Upstream>();
  readonly #running = new Map<string, Role>();
  readonly #started = new Set<string>();
  #phase: Phase = "Idle";
  #finalised = 0;
  /** What failed in the test itself. */
  #defect: unknown;
  #stopping = false;
  #deaths = 0;

  private constructor(
    options: FleetOptions,
    processes: Processes,
    anvil: Anvil,
    undisturbed: RpcServer,
    contract: Hex,
    reader: TaskReader,
  ) {
    this.#options = options;
    this.#undisturbed = undisturbed;
    this.#departures = new Departures(reader, options.confirmations ?? 0);
    this.#processes = processes;
    this.anvil = anvil;
    this.contract = contract;
    this.reader = reader;
  }

  /** Deploys the task on a chain of its own and starts every role. */
  static async launch(options: FleetOptions): Promise<Fleet> {
    const { task, directory, confirmations = 0 } = options;
    const processes = new Processes();
    RUNNING.add(processes);
    const count = 1 + MEMBERS + CLIENTS;
    const anvil = await startAnvil(processes, count);
    const addresses = Array.from({ length: count }, (_, i) => developmentWallet(i).address.toLowerCase() as Hex);
    const roster = {
      members: addresses.slice(1, 1 + MEMBERS),
      clients: addresses.slice(1 + MEMBERS).map((account) => ({ account, weight: 1 })),
    };
    const { contract } = await deployPreparedTask(
      anvil.rpc,
      developmentWallet(0),
      task.prepared,
      roster,
      () => undefined,
    );
    await anvil.mineHere();
    const undisturbed = await serveRpc(anvil.upstream);
    const reader = await connectReader({ rpc: undisturbed.url, contract, confirmations });
    const fleet = new Fleet(options, processes, anvil, undisturbed, contract, reader);
    await task.publishTo(join(directory, "aggregator", "ipfs"));
    await fleet.#place();
    options.prepare?.(fleet.names);
    for (const name of fleet.names) fleet.start(name);
    if (options.blocks !== undefined) void fleet.#mine(options.blocks);
    return fleet;
  }

  /** Of every role. */
  get names(): readonly string[] {
    return [...this.#places.keys()];
  }

  async #place(): Promise<void> {
    const asItIs = async (_name: string, url: string): Promise<string> => url;
    const { task, reachedAt = asItIs, reaches = asItIs } = this.#options;
    const gateway = await freePort();
    const local = (port: number): string => `http://127.0.0.1:${port}`;
    const serving = (port: number): string[] => ["--listen", `127.0.0.1:${port}`];
    const peerOf = async (name: string): Promise<string[]> => ["--peer", await reaches(name, local(gateway))];
    await this.#add("aggregator", "aggregator", 0, "aggregator/cli.ts", ["serve", ...serving(gateway)]);
    for (let seat = 1; seat <= MEMBERS; seat++) {
      const name = `member ${seat}`;
      const port = await freePort();
      const reached = await reachedAt(name, await this.#shown(name, local(port)));
      const args = ["member", ...serving(port), "--public-url", reached, ...(await peerOf(name))];
      await this.#add(name, "member", seat, "aggregator/cli.ts", args);
    }
    for (let i = 1; i <= CLIENTS; i++) {
      const name = `client ${i}`;
      const args = ["join", "--data", task.data, ...(await peerOf(name))];
      await this.#add(name, "client", MEMBERS + i, "client/cli.ts", args);
    }
  }

  /** The URL of a member's node whose statements are seen: members tell each other what they release, at one look. */
  async #shown(name: string, url: string): Promise<string> {
    const judge = async (round: bigint, statement: unknown): Promise<void> => {
      const rule = await this.#departures.statement(round, statement);
      if (rule !== undefined) this.#options.tally.break("privacy rules broken", `at ${name}: ${rule}`);
    };
    const proxy = await showStatements(url, (round, statement) =>
      judge(round, statement).catch((error: unknown) => void (this.#defect ??= error)),
    );
    this.#nodeProxies.push(proxy);
    return proxy.url;
  }

  async #add(name: string, kind: RoleKind, account: number, script: string, args: readonly string[]): Promise<void> {
    const { tally, fault, alter, confirmations = 0 } = this.#options;
    const asked = (request: RpcRequest): Asked => ({ kind, name, request, stage: this.#stageOf(name) });
    const forward: Upstream = async (requests) => {
      for (const { method, params } of requests) {
        if (method !== "eth_sendRawTransaction") continue;
        this.#sent.set(keccak256(params[0] as string), params[0] as string);
        const rule = await this.#departures.transaction(params[0] as string);
        if (rule !== undefined) tally.break("privacy rules broken", `${name}: ${rule}`);
      }
      const replies = await this.anvil.upstream(requests);
      if (requests.some(({ method }) => method === "eth_sendRawTransaction")) await this.#look();
      return replies;
    };
    this.#forwards.set(name, forward);
    const proxy = await serveRpc((requests) =>
      forward(requests).catch((error: unknown) => {
        this.#defect ??= error;
        throw error;
      }),
    );
    proxy.fault = (request) => fault?.(asked(request));
    proxy.alter = (request, result) => (alter === undefined ? result : alter(asked(request), result));
    const common = ["--contract", this.contract, "--rpc", proxy.url, "--confirmations", String(confirmations)];
    const all = [...args, ...common, "--format", "json", "--poll-ms", String(POLL_MS), "--state", this.stateOf(name)];
    this.#places.set(name, { kind, account, script, args: all, proxy });
  }

  /** The role's state directory. */
  stateOf(name: string): string {
    return join(this.#options.directory, name.replaceAll(" ", "-"));
  }

  pidOf(name: string): number | undefined {
    return this.#running.get(name)?.process.pid;
  }

  #stageOf(name: string): Stage {
    return this.#started.has(name) ? this.#phase : "Starting";
  }

  async #look(): Promise<void> {
    const { phase } = await this.reader.round();
    // A round may open in the transaction that ends the one before it: no phase shows that end.
    for (const final = await this.reader.finalisedRounds(); this.#finalised < final; this.#finalised++)
      this.#options.tally.roundFinal();
    this.#phase = phase;
  }

  async #mine({ everyMs, mined }: NonNullable<FleetOptions["blocks"]>): Promise<void> {
    try {
      while (!this.#stopping) {
        await delay(everyMs);
        await this.anvil.ask("evm_mine");
        await this.#look();
        await mined(this, this.#phase);
      }
    } catch (error) {
      if (!this.#stopping) this.#defect ??= error;
    }
  }

  /** Replaces the latest blocks by empty ones. @returns the transactions that are gone, in order, as they were sent */
  async reorganise(depth: number): Promise<readonly string[]> {
    const height = await this.reader.latestBlock();
    const gone: string[] = [];
    for (let number = height - depth + 1; number <= height; number++) {
      const block = (await this.anvil.ask("eth_getBlockByNumber", `0x${number.toString(16)}`, false)) as {
        readonly transactions: readonly string[];
      };
      gone.push(...block.transactions.flatMap((hash) => this.#sent.get(hash) ?? []));
    }
    await this.anvil.ask("anvil_reorg", depth, []);
    return gone;
  }

  /** Starts a role, with what it kept. */
  start(name: string): void {
    const { kind, account, script, args } = this.#places.get(name)!;
    const { directory, tally, onEvent, env, onKilled } = this.#options;
    this.#started.delete(name);
    let lastWords = "";
    const role = this.#processes.start(name, script, args, {
      key: developmentWallet(account).privateKey,
      logFile: join(directory, `${name}.log`),
      ...(env === undefined ? {} : { env: env(name, this.stateOf(name)) }),
      onNoise: () => undefined,
      onEvent: (event) => {
        if (event.event === STARTED[kind]) this.#started.add(name);
        if (event.level === "error") lastWords = event.text;
        tally.note(event);
        onEvent?.(event);
      },
    });
    this.#running.set(name, role);
    void role.ended.then((status) => {
      if (this.#stopping || this.#running.get(name) !== role) return;
      if (status === undefined && onKilled !== undefined) onKilled(name);
      else {
        this.#deaths++;
        tally.break("roles dead", `${name} ended with status ${String(status)}: ${lastWords}`);
      }
      this.start(name);
    });
  }

  /** Waits for what is to be met, then for one more final round; judges what came of it, and stops. */
  async conclude(isMet: () => boolean, seconds: number, roundSeconds: number): Promise<void> {
    try {
      await this.until(isMet, seconds);
      if (!(await this.play(1, roundSeconds))) await this.stuck();
      await this.judge();
    } finally {
      await this.stop();
    }
  }

  /** Waits while rounds go on, and roles live. Returns whether it came to that in time. */
  async until(holds: () => boolean, seconds: number): Promise<boolean> {
    const end = performance.now() + 1000 * seconds;
    while (!holds() && performance.now() < end && this.#defect === undefined && this.#deaths < MOST_DEATHS)
      await delay(LOOK_MS);
    if (this.#defect !== undefined) throw new Error("the test's own endpoint fails", { cause: this.#defect });
    return holds();
  }

  /** So many more rounds become final; a round lost otherwise. */
  async play(rounds: number, seconds: number): Promise<boolean> {
    const { tally } = this.#options;
    const goal = tally.roundsFinal + rounds;
    return this.until(() => tally.roundsFinal >= goal, seconds);
  }

  /** No round becomes final, although there is time. */
  async stuck(): Promise<void> {
    const { number, phase } = await this.reader.round();
    this.#options.tally.break("rounds lost that had time left", `round ${number} stays ${phase}`);
  }

  /** Gives the chain a request whose answer is lost. */
  async forward({ name, request }: Asked): Promise<void> {
    await this.#forwards.get(name)!([request]).catch(() => undefined);
  }

  /** Judges what the chain says by now: rounds that were lost, and what `fl verify` finds. */
  async judge(): Promise<void> {
    const { tally, directory, confirmations = 0 } = this.#options;
    if (tally.roundsFinal > 0 && this.#departures.releases === 0)
      throw new Error("no release was seen to leave a member");
    const { number } = await this.reader.round();
    for (let round = 1n; round <= number; round++)
      if ((await this.reader.records(round)).aborted)
        tally.break("rounds lost that had time left", `round ${round} was aborted`);
    const lines: string[] = [];
    const peers = [...this.#places.values()].flatMap(({ args }) => {
      const listen = args[args.indexOf("--listen") + 1]!;
      return args.includes("--listen") ? ["--peer", `http://${listen}`] : [];
    });
    const args = [
      "--contract",
      this.contract,
      "--rpc",
      this.#undisturbed.url,
      "--confirmations",
      String(confirmations),
    ];
    const state = ["--state", join(directory, "auditor"), "--timeout", "60"];
    const verified = await runAuditor(this.#processes, [...args, ...peers, ...state], (line) => lines.push(line));
    if (!verified)
      tally.break("wrong aggregates", `fl verify: ${lines.filter((line) => !line.includes("✓")).join("; ")}`);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#processes.stopAll();
    RUNNING.delete(this.#processes);
    for (const { proxy } of this.#places.values()) await proxy.close();
    for (const proxy of this.#nodeProxies) proxy.close();
    await this.#undisturbed.close();
  }
}
