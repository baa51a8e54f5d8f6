/** One load run: chain, committee and auditor as processes of their own, all clients together in another one. */
import { join } from "node:path";
import type { Wallet } from "ethers";
import { parseEther } from "ethers";
import type { RandomBytes } from "../../protocol/random.ts";
import { presetOf } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { startChain } from "../../demo/chain.ts";
import type { Processes, RoleEvent } from "../../demo/processes.ts";
import { buildContracts } from "../../operator/build-contracts.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import { assertEnoughClients, prepareTask } from "../../operator/prepare-task.ts";
import { startLightClients } from "./light-fork.ts";
import type { LightJob, LightMessage } from "./light-job.ts";
import { MemoryWatch } from "./memory.ts";
import { loadSpecification, ownSpecification } from "./specification.ts";
import type { LoadPlan } from "./specification.ts";
import { Timeline } from "./timeline.ts";
import type { LoadEvent, RoundFigures } from "./timeline.ts";
import { VerisumError } from "../../protocol/errors.ts";

export interface LoadOptions extends LoadPlan {
  readonly atOnce: number;
  /** Submissions in one relayed transaction; absent, each client sends its own. */
  readonly batch?: number;
  /** A parsed tasks/*.json on the digits, in place of the plan's own. */
  readonly task?: unknown;
}

/** What `--json` writes: seconds, milliseconds, megabytes and gas. */
export interface LoadResult {
  readonly d: number;
  readonly chunks: number;
  readonly clients: number;
  readonly members: number;
  readonly preset: string;
  readonly atOnce: number;
  /** Null if each client sent its own submission. */
  readonly batch: number | null;
  readonly seconds: {
    readonly prepare: number;
    readonly deployAndRegister: number;
    readonly openClients: number;
    readonly rounds: number;
    readonly verify: number;
  };
  readonly rounds: readonly RoundFigures[];
  readonly proveMedianMs: number | null;
  readonly peakRssMb: Readonly<Record<string, number>>;
  readonly refusals: readonly string[];
  /** Processor time of `fl verify` from its first check on, all threads; null if it did not say. */
  readonly verifyProcessorMs: number | null;
  /** True if `fl verify`, with an empty store, found every check green. */
  readonly verified: boolean;
}

export interface LoadEnvironment {
  readonly processes: Processes;
  /** Holds the roles' state and logs. */
  readonly directory: string;
  readonly random: RandomBytes;
  readonly onStep: (step: string) => void;
  /** Lines that no role meant for people. */
  readonly onNoise: (line: string) => void;
}

/** The chain's accounts in order: operator, relayer, members, clients. */
const OPERATOR = 0;
const RELAYER = 1;
const FIRST_MEMBER = 2;
/** What each account is given for gas. */
const FUNDING = parseEther("1");
/** Accepted submissions between two lines about them. */
const PROGRESS_EVERY = 10;

/** @throws Error if a role ends before the rounds are final; chain, key and content errors */
export async function runLoad(options: LoadOptions, environment: LoadEnvironment): Promise<LoadResult> {
  const { processes, directory, random, onStep, onNoise } = environment;
  const timer = stopwatch();
  await buildContracts((child) => processes.adopt(child));
  const prepared = await prepareTask(
    options.task === undefined ? loadSpecification(options) : ownSpecification(options.task, options.members),
    join(directory, "aggregator", "ipfs"),
    random,
    onStep,
  );
  assertEnoughClients(prepared, options.clients);
  const chain = await startChain(processes, onNoise, 2 + options.members);
  const prepare = timer();

  const operator = chain.wallet(OPERATOR);
  const members = Array.from({ length: options.members }, (_, i) => chain.wallet(FIRST_MEMBER + i));
  const clients = Array.from({ length: options.clients }, (_, i) => chain.wallet(FIRST_MEMBER + options.members + i));
  const roster = {
    members: members.map(accountOf),
    clients: clients.map((wallet) => ({ account: accountOf(wallet), weight: 1 })),
    fundWei: FUNDING,
  };
  const { contract } = await deployPreparedTask(chain.rpc, operator, prepared, roster, onStep);
  const deployAndRegister = timer();

  const memory = new MemoryWatch();
  memory.watch("chain", chain.pid);
  const timeline = new Timeline(() => performance.now());
  let succeed: () => void = () => undefined;
  let fail: (reason: Error) => void = () => undefined;
  const complete = new Promise<void>((resolve, reject) => {
    succeed = resolve;
    fail = reject;
  });
  const note = (event: LoadEvent, text: string): void => {
    timeline.note(event);
    const accepted = timeline.figures().at(-1)?.accepted ?? 0;
    if (event.event === "accepted" && (accepted % PROGRESS_EVERY === 0 || accepted === options.clients))
      onStep(`${accepted} of ${options.clients} submissions accepted`);
    if (
      [
        "round-opened",
        "attested",
        "settled",
        "aggregated",
        "released",
        "finalised",
        "refused",
        "share-refused",
      ].includes(event.event)
    )
      onStep(text);
    if (timeline.finalised === options.rounds) succeed();
  };

  const gateway = `http://127.0.0.1:${chain.port + 1}`;
  const common = ["--contract", contract, "--rpc", chain.rpc, "--confirmations", "0"];
  const startRole = (name: string, role: "member" | "aggregator", args: readonly string[], wallet: Wallet): void => {
    const started = processes.start(
      name,
      "aggregator/cli.ts",
      [...args, ...common, "--poll-ms", "250", "--format", "json", "--state", join(directory, name)],
      {
        key: wallet.privateKey,
        logFile: join(directory, `${name}.log`),
        onEvent: ({ event, facts, text }: RoleEvent) => note({ role, event, facts }, text),
        onNoise,
      },
    );
    memory.watch(name, started.process.pid);
    void started.ended.then((status) =>
      fail(new VerisumError("PROCESS_ENDED", `${name} ended with status ${String(status)}`)),
    );
  };
  startRole(
    "aggregator",
    "aggregator",
    ["serve", "--listen", `127.0.0.1:${chain.port + 1}`, "--data", "digits"],
    operator,
  );
  members.forEach((wallet, i) =>
    startRole(
      `member-${i + 1}`,
      "member",
      ["member", "--listen", `127.0.0.1:${chain.port + 2 + i}`, "--peer", gateway],
      wallet,
    ),
  );

  let openClients = 0;
  const onMessage = (message: LightMessage): void => {
    if (message.kind === "event") note({ role: "client", event: message.event, facts: message.facts }, message.text);
    if (message.kind === "audit") timeline.audited(message.round, message.processorMs);
    if (message.kind === "opened") {
      openClients = message.milliseconds / 1000;
      onStep(`${options.clients} clients are ready after ${openClients.toFixed(1)} s`);
    }
  };
  // A client waits in the relayer's batch until it is full.
  const atOnce = Math.max(options.atOnce, options.batch ?? 0);
  const job: LightJob = {
    rpc: chain.rpc,
    contract,
    privateKeys: clients.map(({ privateKey }) => privateKey),
    directory,
    gateway,
    rounds: options.rounds,
    atOnce,
    ...(options.batch === undefined
      ? {}
      : { relay: { privateKey: chain.wallet(RELAYER).privateKey, size: options.batch } }),
  };
  const light = startLightClients(job, onMessage);
  processes.adopt(light.process);
  memory.watch("light clients", light.process.pid);
  await Promise.all([light.done, complete]);
  const rounds = timer();

  let verifyProcessorMs: number | null = null;
  onStep("verifying from chain and content alone, with an empty store");
  const auditor = processes.start(
    "auditor",
    "auditor/cli.ts",
    ["verify", ...common, "--peer", gateway, "--state", join(directory, "auditor"), "--format", "json"],
    {
      logFile: join(directory, "auditor.log"),
      onEvent: () => undefined,
      onNoise: (line) => {
        verifyProcessorMs = processorMsOf(line) ?? verifyProcessorMs;
        onNoise(line);
      },
    },
  );
  memory.watch("auditor", auditor.process.pid);
  const verified = (await auditor.ended) === 0;
  const verify = timer();

  const { dimension, chunkKinds } = prepared.parameters;
  return {
    d: dimension,
    chunks: chunkKinds.length,
    clients: options.clients,
    members: options.members,
    preset: presetOf(prepared.parameters).name,
    atOnce,
    batch: options.batch ?? null,
    seconds: { prepare, deployAndRegister, openClients: Number(openClients.toFixed(1)), rounds, verify },
    rounds: timeline.figures(),
    proveMedianMs: timeline.proveMedianMs(),
    peakRssMb: memory.stop(),
    refusals: timeline.refusals,
    verifyProcessorMs,
    verified,
  };
}

/** What the verdict of `fl verify` says that it took. */
function processorMsOf(line: string): number | undefined {
  return /^\{"schemaVersion".*"processorMs":([0-9]+)/.exec(line)?.[1] === undefined
    ? undefined
    : (JSON.parse(line) as { readonly data: { readonly processorMs: number } }).data.processorMs;
}

function accountOf(wallet: Wallet): Hex {
  return wallet.address.toLowerCase() as Hex;
}

/** Seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = Number(((now - last) / 1000).toFixed(1));
    last = now;
    return seconds;
  };
}
