/**
 * A whole task in one process: chain, operator, committee, aggregator and clients, through the functions that the
 * commands use, with real proofs, stores on disk and HTTP between them. Roles act when the test steps them; time passes
 * when it says so. For tests only.
 */
import { randomFillSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wallet } from "ethers";
import type { FastifyInstance } from "fastify";
import type { RoundRecords, RoundState, TaskWriter } from "../../chain/task-chain.ts";
import { outlive } from "../../command/run.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { loadProvingKeys } from "../../task/keys.ts";
import { bundleCopies, MIN_COPIES } from "../../task/peer-network.ts";
import { openReadingNode, openWritingNode } from "../../task/node.ts";
import type { NodeOptions, ReadingNode, WritingNode } from "../../task/node.ts";
import { openStatements } from "../../task/node-statements.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import { resultsOf } from "../../task/pruning.ts";
import { roundNow } from "../../task/round-now.ts";
import type { TaskDocument } from "../../task/document.ts";
import type { CommittingTask } from "../../task/opened-task.ts";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import type { CoordinatorDependencies } from "../../aggregator/coordinator.ts";
import { openEndpoint, taskGateway } from "../../task/endpoint.ts";
import { createMemberStep } from "../../member/member-loop.ts";
import type { MemberLoopDependencies } from "../../member/member-loop.ts";
import { addRelayRoute, createRelay } from "../../aggregator/relay.ts";
import type { Relay } from "../../aggregator/relay.ts";
import { addProposalRoutes } from "../../aggregator/proposal.ts";
import { signatureCheck } from "../../aggregator/signature-check.ts";
import type { SubmissionVerifier } from "../../protocol/batch-verification.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { openRoundKeys } from "../../member/round-keys.ts";
import { verifySubmission } from "../../auditor/audit-submission.ts";
import { auditTask } from "../../auditor/audit-task.ts";
import { continuedAudit } from "../../auditor/continued-audit.ts";
import type { TaskAudit } from "../../auditor/audit-task.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies, ClientProgress } from "../../client/client-loop.ts";
import { openJournal } from "../../client/journal.ts";
import { openWorkTimes } from "../../client/work-times.ts";
import { createLearner } from "../../client/learner.ts";
import { engineTrainer } from "../../client/trainers/engine.ts";
import type { LocalLearner } from "../../client/make-submission.ts";
import type { ChunkProver, VectorCommitter } from "../../protocol/ports.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import { prepareTask } from "../../operator/prepare-task.ts";
import type { PreparedTask } from "../../operator/prepare-task.ts";
import { scriptedLearner } from "./round-faults.ts";
import { startRoundChain } from "./round-chain.ts";
import type { RoundChain } from "./round-chain.ts";
import { createRecorder } from "./round-recorder.ts";
import type { Recorder } from "./round-recorder.ts";
import { TINY_SPECIFICATION } from "./tiny-specification.ts";
import type { Alter } from "./round-roles.ts";

/** Tests take every step themselves. */
const NO_EFFECT = (): void => undefined;

/** Keys and masks outlive no test, but they are secrets in every other respect. */
export const csprng = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

export interface HarnessOptions {
  readonly specification?: unknown;
  readonly clients: number;
  /** Weight of each client; 1 by default. */
  readonly weights?: readonly number[];
  /**
   * `digits`: each client trains on its shard and audits; `scripted` saves the time: a fixed update, and only the first
   * client audits.
   */
  readonly learning?: "digits" | "scripted";
  /** A safetensors file with the first weights, for a model that needs one. */
  readonly initial?: string;
  /** RPC URLs of the Kubo nodes that keep the content of these roles, by name: `aggregator`, `member-1`, `client-1`. */
  readonly ipfsApis?: Readonly<Record<string, string>>;
  /** What the aggregator claims of its models; nothing unless given. */
  readonly evaluate?: NonNullable<CoordinatorDependencies["evaluate"]>;
  /** A contract that is deployed already, of a group on one chain: its roles only. */
  readonly cell?: DeployedCell;
}

/** A cell of a group, its members and clients registered. */
export interface DeployedCell {
  readonly chain: RoundChain;
  readonly contract: Hex;
  readonly committeeSize: number;
  /** The operator's account; members' and clients' follow. */
  readonly firstAccount: number;
  /** Of this cell; the aggregator of the first one has the task's content. */
  readonly directory: string;
  /** Nodes of other cells. */
  readonly peers: readonly string[];
}

export interface ClientRole {
  readonly account: Hex;
  readonly node: WritingNode;
  readonly reporter: Recorder;
  deps: ClientLoopDependencies;
  step(): Promise<ClientProgress>;
  /** What a new process would be: the same state directory, nothing else. */
  restart(alter?: Alter<ClientLoopDependencies>): void;
  /** While false, `play` does not step this role. */
  running: boolean;
}

export interface MemberRole {
  readonly seat: number;
  readonly node: WritingNode;
  readonly reporter: Recorder;
  deps: MemberLoopDependencies;
  step(): Promise<boolean>;
  restart(alter?: Alter<MemberLoopDependencies>): void;
  running: boolean;
}

export interface AggregatorRole {
  /** Takes submissions at its URL; sends them when the test steps it. */
  readonly relay: Relay;
  readonly url: string;
  readonly node: WritingNode;
  readonly reporter: Recorder;
  step(): Promise<boolean>;
}

export interface RoundHarness {
  readonly chain: RoundChain;
  readonly contract: Hex;
  readonly operator: TaskWriter;
  /** As any role would have it; shares the engine of all roles. */
  readonly task: CommittingTask;
  readonly prover: ChunkProver;
  /** Verifies submissions together, as clients and auditors do. */
  readonly verifier: SubmissionVerifier;
  readonly aggregator: AggregatorRole;
  readonly members: readonly MemberRole[];
  readonly clients: readonly ClientRole[];
  readonly directory: string;
  /** A node for an account that has, or will have, the seat; its role is stepped with the others. */
  addMember(seat: number, wallet: Wallet): Promise<MemberRole>;
  /** The operator's aggregator on another machine, with an empty directory. The old one acts no more. */
  swapAggregator(): Promise<void>;
  /** Steps each running role once, until the state is as wanted. */
  turn(
    until: (state: RoundState) => boolean,
  ): Promise<{ readonly state: RoundState; readonly acted: boolean; readonly reached: boolean }>;
  /** Lets time pass to where the next role can act. */
  passTime(state: RoundState): Promise<void>;
  /**
   * Steps the roles in turn, and lets deadlines pass when nobody acts, until the current or next round reaches the
   * phase.
   */
  play(until: readonly RoundState["phase"][], fromRound?: bigint): Promise<RoundState>;
  /** Plays the next round to its end: the current one if it is open and nobody submitted yet. */
  playRound(): Promise<{ readonly state: RoundState; readonly records: RoundRecords }>;
  /** An auditor with an empty store; only the aggregator is named to it. */
  auditor(): Promise<ReadingNode>;
  audit(): Promise<TaskAudit>;
  close(): Promise<void>;
}

const MAX_TURNS = 400;
/** Submissions in one transaction of the aggregator. */
export const RELAY_BATCH = 3;

const ipfsApiOf = ({ ipfsApis = {} }: HarnessOptions, role: string): { readonly ipfsApi?: string } =>
  ipfsApis[role] === undefined ? {} : { ipfsApi: ipfsApis[role] };

/** A task of its own on a chain of its own. */
async function deployAlone(options: HarnessOptions): Promise<DeployedCell> {
  const directory = await mkdtemp(join(tmpdir(), "verisum-round-"));
  const chain = await startRoundChain();
  const prepared = await prepareTask(
    options.specification ?? TINY_SPECIFICATION,
    join(directory, "aggregator", "ipfs"),
    csprng,
    () => undefined,
    { ...ipfsApiOf(options, "aggregator"), ...(options.initial === undefined ? {} : { initial: options.initial }) },
  );
  return { ...(await deployCell(chain, prepared, options, 0)), directory, peers: [] };
}

/** Deploys a task with members and clients from the accounts after the operator's. */
export async function deployCell(
  chain: RoundChain,
  prepared: PreparedTask,
  options: Pick<HarnessOptions, "clients" | "weights">,
  firstAccount: number,
  groupWallet?: Wallet,
): Promise<Omit<DeployedCell, "directory" | "peers">> {
  const { committeeSize } = prepared.parameters;
  const addresses = Array.from(
    { length: committeeSize + options.clients },
    (_, i) => chain.wallet(firstAccount + 1 + i).address.toLowerCase() as Hex,
  );
  const roster = {
    members: addresses.slice(0, committeeSize),
    clients: addresses.slice(committeeSize).map((account, i) => ({ account, weight: options.weights?.[i] ?? 1 })),
  };
  const { contract } = await deployPreparedTask(
    chain.rpc,
    chain.wallet(firstAccount),
    prepared,
    roster,
    () => undefined,
    { groupWallet },
  );
  return { chain, contract, committeeSize, firstAccount };
}

export async function startHarness(options: HarnessOptions): Promise<RoundHarness> {
  const {
    chain,
    contract,
    committeeSize: memberCount,
    firstAccount,
    directory,
    peers: others,
  } = options.cell ?? (await deployAlone(options));
  const { signal } = new AbortController();
  const accounts = Array.from({ length: 1 + memberCount + options.clients }, (_, i) => chain.wallet(firstAccount + i));
  const closers: (() => Promise<unknown>)[] = [];
  const nodeOptions = (name: string, peers: readonly string[]): NodeOptions => ({
    rpc: chain.rpc,
    contract,
    confirmations: 0,
    stateDirectory: join(directory, name),
    peers,
    ...ipfsApiOf(options, name),
  });
  const openNode = async (
    name: string,
    account: number,
    peers: readonly string[],
    ownEndpoint?: string,
  ): Promise<{ node: WritingNode; reporter: Recorder }> => {
    const reporter = createRecorder();
    const node = await openWritingNode(
      {
        ...nodeOptions(name, peers),
        wallet: accounts[account]!,
        ...(ownEndpoint === undefined ? {} : { ownEndpoint }),
      },
      reporter,
      signal,
    );
    closers.push(() => node.close());
    return { node, reporter };
  };
  const openServing = async (
    name: string,
    account: number,
    peers: readonly string[],
  ): Promise<{
    node: WritingNode;
    reporter: Recorder;
    app: FastifyInstance;
    url: string;
    listen: () => Promise<void>;
  }> => {
    const reserved = await reservePort();
    const address = { host: "127.0.0.1", port: reserved.port };
    const url = `http://127.0.0.1:${address.port}`;
    const { node, reporter } = await openNode(name, account, peers, url);
    const app = taskGateway(node, url);
    closers.push(() => app.close());
    const listen = async (): Promise<void> => {
      await reserved.release();
      await openEndpoint(app, address, url, node, reporter);
    };
    return { node, reporter, app, url, listen };
  };

  const serving = await openServing("aggregator", 0, others);
  let active = serving.node;
  const proposals = addProposalRoutes(
    serving.app,
    signatureCheck(serving.node.chain, () => performance.now()),
    NO_EFFECT,
  );
  const statements = statementsOf(serving);
  const relay = createRelay({
    chain: serving.node.chain,
    parameters: serving.node.task.parameters,
    batch: RELAY_BATCH,
    reporter: serving.reporter,
    clock: () => performance.now(),
    onPending: NO_EFFECT,
  });
  addRelayRoute(serving.app, relay, serving.node.task.parameters);
  await serving.listen();
  const keys = await loadProvingKeys(serving.node.task, serving.node.state, csprng, serving.reporter);
  closers.push(() => keys.prover.close());
  const task: CommittingTask = { ...serving.node.task, committer: keys.committer };
  let coordinate = createCoordinator({
    chain: serving.node.chain,
    task,
    proposals,
    ...statements,
    reporter: serving.reporter,
    results: resultsOf(serving.node),
    siblingNodes: { nodesOf: serving.node.network.nodesOf, fetch: globalThis.fetch },
    ...(options.evaluate === undefined ? {} : { evaluate: options.evaluate }),
  });
  const aggregator: AggregatorRole = {
    relay,
    url: serving.url,
    node: serving.node,
    reporter: serving.reporter,
    step: async () => {
      await active.network.refresh();
      return coordinate();
    },
  };

  const members: MemberRole[] = [];
  const openMember = async (name: string, seat: number, account: number): Promise<MemberRole> => {
    const member = await openServing(name, account, [serving.url]);
    const said = statementsOf(member);
    await member.listen();
    const role = createMember(seat, member.node, member.reporter, keys.committer, said);
    members.push(role);
    return role;
  };
  for (let seat = 1; seat <= memberCount; seat++) await openMember(`member-${seat}`, seat, seat);
  const swapAggregator = async (): Promise<void> => {
    const other = await openServing("aggregator-2", 0, [serving.url]);
    const offers = addProposalRoutes(
      other.app,
      signatureCheck(other.node.chain, () => performance.now()),
      NO_EFFECT,
    );
    const said = statementsOf(other);
    await other.listen();
    active = other.node;
    coordinate = createCoordinator({
      chain: active.chain,
      task: { ...active.task, committer: keys.committer },
      proposals: offers,
      ...said,
      reporter: other.reporter,
      results: resultsOf(active),
      siblingNodes: { nodesOf: active.network.nodesOf, fetch: globalThis.fetch },
    });
  };
  const clients: ClientRole[] = [];
  for (let i = 0; i < options.clients; i++) {
    const { node, reporter } = await openNode(`client-${i + 1}`, 1 + memberCount + i, [serving.url]);
    const { document } = node.task;
    const learner =
      options.learning === "scripted"
        ? scriptedLearner(document, i, csprng)
        : await digitsLearner(document, i, options.clients, reporter);
    const audits = options.learning !== "scripted" || i === 0;
    clients.push(createClient(node, reporter, learner, keys, audits));
  }

  const turn = async (
    until: (state: RoundState) => boolean,
  ): Promise<{ readonly state: RoundState; readonly acted: boolean; readonly reached: boolean }> => {
    let acted = false;
    const steps = [
      async () => (await outlive(aggregator.step, aggregator.reporter)) ?? false,
      ...members
        .filter(({ running }) => running)
        .map((member) => async () => (await outlive(member.step, member.reporter)) ?? false),
      ...clients
        .filter(({ running }) => running)
        .map((client) => async () => (await outlive(client.step, client.reporter)) === "acted"),
    ];
    for (const step of steps) {
      acted = (await step()) || acted;
      const state = await stateNow();
      if (until(state)) return { state, acted, reached: true };
    }
    return { state: await stateNow(), acted, reached: false };
  };
  const stateNow = async (): Promise<RoundState> =>
    roundNow(await serving.node.chain.round(), serving.node.chain, serving.node.task.parameters);
  const play: RoundHarness["play"] = async (phases, fromRound) => {
    const first = fromRound ?? (await serving.node.chain.round()).number;
    // A result opens the next round where it can, and then no state says that this one is over.
    const isOver = ({ number }: RoundState): boolean => number > (first || 1n) && phases.includes("Finalised");
    for (let turns = 0; turns < MAX_TURNS; turns++) {
      const { state, acted, reached } = await turn(
        (now) => (now.number >= first && phases.includes(now.phase)) || isOver(now),
      );
      if (reached) return isOver(state) ? { ...state, number: first || 1n, phase: "Finalised" } : state;
      if (!acted) await passTime(chain, serving.node, state);
    }
    throw new Error(`the round did not reach ${phases.join(" or ")}`);
  };
  const auditor = async (): Promise<ReadingNode> => {
    const stateDirectory = await mkdtemp(join(directory, "auditor-"));
    const node = await openReadingNode({ ...nodeOptions("", [serving.url]), stateDirectory }, createRecorder(), signal);
    closers.push(() => node.close());
    return node;
  };
  return {
    chain,
    contract,
    operator: serving.node.chain,
    task,
    prover: keys.prover,
    verifier: keys.verifier,
    aggregator,
    members,
    clients,
    directory,
    swapAggregator,
    addMember: (seat, wallet) => openMember(`member-${seat}-${accounts.push(wallet)}`, seat, accounts.length - 1),
    turn,
    passTime: (state) => passTime(chain, serving.node, state),
    play,
    playRound: async () => {
      const { number, phase, submitted } = await serving.node.chain.round();
      const next = phase === "Collecting" && submitted === 0 ? number : number + 1n;
      const state = await play(["Finalised", "Aborted"], next);
      return { state, records: await serving.node.chain.records(next) };
    },
    auditor,
    audit: async () => auditTask((await auditor()).task, { verifier: keys.verifier }),
    close: async () => {
      for (const close of closers.reverse()) await close();
      if (options.cell !== undefined) return;
      await chain.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A node's statements; it asks the other nodes at every look. */
function statementsOf({ app, node }: { readonly app: FastifyInstance; readonly node: WritingNode }): NodeStatements {
  let looks = 0;
  return openStatements(app, node, { fetch: globalThis.fetch, clock: () => (looks += 60_000) });
}

function createMember(
  seat: number,
  node: WritingNode,
  reporter: Recorder,
  committer: VectorCommitter,
  statements: NodeStatements,
): MemberRole {
  const scope = `${node.scope}-${seat}`;
  const fresh = (): MemberLoopDependencies => ({
    chain: node.chain,
    task: { ...node.task, committer },
    seat,
    keys: openRoundKeys(node.state, scope),
    state: node.state,
    scope,
    localMinimum: node.task.parameters.minClients,
    reporter,
    ...statements,
    results: resultsOf(node),
    replicate: (cid) => node.network.replicate(node.store, cid, () => MIN_COPIES),
    random: csprng,
    fetch: globalThis.fetch,
    nodes: node.network.peers,
    strangers: node.network.strangers,
    announcersOf: node.network.announcersOf,
  });
  let step: () => Promise<boolean>;
  const role: MemberRole = {
    seat,
    node,
    reporter,
    deps: fresh(),
    running: true,
    step: async () => {
      await node.network.refresh();
      return step();
    },
    restart: (alter = (deps) => deps) => {
      role.deps = alter(fresh());
      step = createMemberStep(role.deps);
    },
  };
  role.restart();
  return role;
}

async function digitsLearner(
  document: TaskDocument,
  client: number,
  clients: number,
  reporter: Recorder,
): Promise<LocalLearner> {
  const { train } = await loadDataset(`digits?client=${client}&clients=${clients}&seed=1`);
  const engine = await createTrainer(document.model);
  const tensors = engine.parameterShapes;
  const trainer = engineTrainer({ engine, data: train, document, tensors, random: csprng });
  return createLearner({ trainer, document, tensors, random: csprng, reporter });
}

/** Of a model that a client takes on trust. */
const NO_STATE = { weights: new Int32Array(0), kept: [new Int32Array(0)] };

function createClient(
  node: WritingNode,
  reporter: Recorder,
  learner: LocalLearner,
  keys: {
    readonly committer: VectorCommitter;
    readonly prover: ChunkProver;
    readonly verificationKeys: VerificationKeys;
    readonly verifier: SubmissionVerifier;
  },
  audits: boolean,
): ClientRole {
  const { task, chain, state, network, store } = node;
  const scope = `${node.scope}-${chain.account}`;
  const fresh = (): ClientLoopDependencies => ({
    chain,
    task: { ...task, committer: keys.committer },
    prover: keys.prover,
    verifyOwn: (bases, record) => void verifySubmission(task, keys.verificationKeys, bases, record),
    learner,
    random: csprng,
    journal: openJournal(state, scope),
    times: openWorkTimes({ chain, task, state, scope, reporter }),
    reporter,
    replicate: (cid) => network.replicate(store, cid, (peers) => bundleCopies(peers, task.parameters.threshold)),
    spread: (cid) => network.spread(store, cid),
    clock: () => performance.now(),
    ...continuedAudit(task, keys.verificationKeys, keys.verifier),
    ...(audits
      ? {}
      : {
          audit: async () => ({
            findings: [],
            ok: true,
            model: { record: await chain.latestModel(), state: NO_STATE },
          }),
          verifyAhead: async () => undefined,
        }),
  });
  let step: () => Promise<ClientProgress>;
  const role: ClientRole = {
    account: chain.account,
    node,
    reporter,
    deps: fresh(),
    running: true,
    step: async () => {
      await network.refresh();
      return step();
    },
    restart: (alter = (deps) => deps) => {
      role.deps = alter(fresh());
      step = createClientStep(role.deps);
    },
  };
  role.restart();
  return role;
}

/** To the last quarter of the attesting phase if it lies ahead, otherwise to the deadline. */
async function passTime(chain: RoundChain, node: WritingNode, state: RoundState): Promise<void> {
  const now = await node.chain.blockTime();
  const quarter = state.deadline - Math.floor(node.task.parameters.attestSeconds / 4);
  await chain.mineAt(state.phase === "Attesting" && now < quarter ? quarter : Math.max(state.deadline, now + 1));
}

/** A port that nobody else gets before it is released: other test files open theirs at the same time. */
export function reservePort(): Promise<{ readonly port: number; release(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      resolve({ port, release: () => new Promise((released) => server.close(() => released())) });
    });
  });
}
