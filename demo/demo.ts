/**
 * The main job, on one machine: a chain, a committee of four, an aggregator and five clients on the handwritten digits,
 * five verified rounds with a cheat, a crash and a stopped member, and the auditor's verdict. Or with a model and
 * trainers of one's own (docs/bring-your-own-model.md), or with slow clients that no round waits for (--async).
 *
 *   npm run demo
 *   npm run demo -- --task tasks/fashion-cnn.json --data /usr/share/datasets/fashion-mnist --samples 4000 --plain
 */
import { join } from "node:path";
import type { Wallet } from "ethers";
import pc from "picocolors";
import { platformRandom as random } from "../command/platform-random.ts";
import { userRecords } from "../command/user-records.ts";
import { privacyStatement } from "../task/privacy.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { createAccount } from "./account.ts";
import {
  demoDealing,
  demoProgram,
  demoSpecification,
  flagsFrom,
  headline,
  MEMBERS,
  trainingArguments,
} from "./flags.ts";
import { printSummary } from "./summary.ts";
import { createStopwatch } from "./stopwatch.ts";
import { createTimeline } from "./timeline.ts";
import { runAuditor } from "./auditor.ts";
import { chainAt, startChain } from "./chain.ts";
import type { Role, RoleEvent } from "./processes.ts";
import { withProcesses } from "./with-processes.ts";
import type { ProcessRun } from "./with-processes.ts";
import { centralAccuracy } from "./central.ts";
import { wholeSpecification } from "./shards.ts";
import { startPages } from "./pages.ts";
import { buildContracts } from "../operator/build-contracts.ts";
import { deployPreparedTask } from "../operator/deploy-task.ts";
import { assertEnoughClients, prepareTask } from "../operator/prepare-task.ts";
import { readSpecification } from "../operator/read-specification.ts";

const BOOST_ROUND = 2;
const CRASH_ROUND = 3;
const STOP_MEMBER_ROUND = 4;
const TIMES_SLOWER = 10;

const flags = flagsFrom(await demoProgram().parseAsync());
const dealing = demoDealing(flags);
/** Counted from 0; none in a plain run. */
const CHEAT = flags.plain ? -1 : dealing.clients - 1;
const CRASHING_CLIENT = flags.plain ? -1 : dealing.clients - 2;

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const say = (text: string): void => write(`        ${pc.yellow("demo".padEnd(11))} ${pc.yellow(text)}`);

await withProcesses("demo", write, run);

async function run({ processes, directory, noise, untilInterrupted }: ProcessRun): Promise<boolean> {
  const specification = demoSpecification(await readSpecification(flags.task), flags);
  write(pc.bold("Verisum demo") + pc.dim(`  ${headline(specification, dealing, flags.data)}`));
  const pages = startPages(processes);
  await buildContracts((child) => processes.adopt(child));
  const onStep = (step: string): void => write(pc.dim(`  set-up  ${step}`));
  const prepared = await prepareTask(specification, join(directory, "aggregator", "ipfs"), random, onStep, {
    records: userRecords(),
    ...(flags.initial === undefined ? {} : { initial: flags.initial }),
  });
  assertEnoughClients(prepared, dealing.clients);
  const chain =
    flags.rpc === undefined ? await startChain(processes, (line) => noise.push(line)) : await chainAt(flags.rpc);
  const wallets = Array.from({ length: 1 + MEMBERS + dealing.clients }, (_, i) => chain.wallet(i));
  const [operator, ...others] = wallets as [Wallet, ...Wallet[]];
  const members = others.slice(0, MEMBERS);
  const clients = others.slice(MEMBERS);
  const addressOf = (wallet: Wallet): Hex => wallet.address.toLowerCase() as Hex;
  const { contract } = await deployPreparedTask(
    chain.rpc,
    operator,
    prepared,
    { members: members.map(addressOf), clients: clients.map((wallet) => ({ account: addressOf(wallet), weight: 1 })) },
    onStep,
  );

  const started = performance.now();
  const gateway = `http://127.0.0.1:${chain.port + 1}`;
  const dashboard = `http://127.0.0.1:${chain.port + 2 + MEMBERS}/`;
  const account = createAccount(write, () => (performance.now() - started) / 1000, gateway);
  const { rounds } = account;
  const running = new Map<string, number>(chain.pid === undefined ? [] : [["chain", chain.pid]]);
  const timeline = createTimeline(() => running);
  const stopwatch = createStopwatch();
  let firstOpening: number | undefined;
  const note = (event: RoleEvent): void => {
    account.note(event);
    timeline.note(event);
    stopwatch.note(event);
    if (event.event === "round-opened") firstOpening ??= performance.now();
  };
  const common = ["--contract", contract, "--rpc", chain.rpc, "--confirmations", "0", "--format", "json"];
  const startRole = (
    name: string,
    script: string,
    args: readonly string[],
    wallet: Wallet,
    onEvent: (event: RoleEvent) => void = note,
  ): Role => {
    const role = processes.start(name, script, [...args, ...common, "--state", join(directory, name)], {
      key: wallet.privateKey,
      logFile: join(directory, `${name}.log`),
      onEvent,
      onNoise: (line) => noise.push(`${name}: ${line}`),
    });
    if (role.process.pid !== undefined) running.set(name, role.process.pid);
    return role;
  };

  const startSlowClient = (index: number, seconds: number): Role =>
    startRole(
      `client ${index + 1}`,
      "demo/throttled-client.ts",
      ["--training-seconds", seconds.toFixed(1), ...trainingArguments(flags, index, dealing), "--peer", gateway],
      clients[index]!,
    );
  const startClient = (index: number, onEvent?: (event: RoleEvent) => void): Role => {
    const boosting = index === CHEAT;
    const script = boosting ? "demo/boosting-client.ts" : "client/cli.ts";
    const args = [
      ...(boosting ? ["--boost-round", String(BOOST_ROUND)] : ["join"]),
      ...trainingArguments(flags, index, dealing),
      "--peer",
      gateway,
    ];
    return startRole(`client ${index + 1}`, script, args, clients[index]!, onEvent);
  };

  await pages;
  let served = (): void => undefined;
  const serving = new Promise<void>((resolve) => (served = resolve));
  const complete = new Promise<void>((resolve, reject) => {
    const onAggregator = (event: RoleEvent): void => {
      note(event);
      if (event.event === "listening") served();
      if (event.event === "dashboard") say(event.text);
      if (event.event === "round-opened" && !flags.plain && Number(event.facts.round) === STOP_MEMBER_ROUND) {
        memberRoles.at(-1)!.process.kill("SIGTERM");
        say("member 4 is stopped; three of four go on");
      }
      if (
        event.event === "finalised" &&
        rounds.size >= specification.maxRounds &&
        rounds.get(specification.maxRounds)?.modelCid !== undefined
      )
        resolve();
    };
    const aggregator = startRole(
      "aggregator",
      "aggregator/cli.ts",
      [
        "serve",
        "--listen",
        `127.0.0.1:${chain.port + 1}`,
        "--dashboard",
        `127.0.0.1:${chain.port + 2 + MEMBERS}`,
        ...(flags.data === undefined ? [] : ["--data", wholeSpecification(flags.data)]),
      ],
      operator,
      onAggregator,
    );
    void aggregator.ended.then((status) =>
      reject(new VerisumError("PROCESS_ENDED", `the aggregator ended with status ${String(status)}`)),
    );
  });
  const startCrashingClient = (): Role => {
    const crashing = startClient(CRASHING_CLIENT, (event) => {
      note(event);
      if (event.event === "accepted" && Number(event.facts.round) === CRASH_ROUND) {
        crashing.process.kill("SIGKILL");
        say(`client ${CRASHING_CLIENT + 1} is killed after it submitted: its update still counts, and it starts again`);
        startClient(CRASHING_CLIENT);
      }
    });
    return crashing;
  };
  // A client that finds nobody at its peer's address says so, and tries again later.
  await Promise.race([complete, serving]);
  const fast = clients.slice(0, clients.length - flags.slow);
  const clientRoles = fast.map((_, i) => (i === CRASHING_CLIENT ? startCrashingClient() : startClient(i)));
  await Promise.race([complete, Promise.all(clientRoles.map(({ ready }) => ready))]);
  // No round opens without the committee's keys: none begins before every client can take part.
  const memberRoles = members.map((wallet, i) =>
    startRole(
      `member ${i + 1}`,
      "aggregator/cli.ts",
      ["member", "--listen", `127.0.0.1:${chain.port + 2 + i}`, "--peer", gateway],
      wallet,
    ),
  );

  if (flags.slow > 0) {
    const slowSeconds = TIMES_SLOWER * (await Promise.race([stopwatch.seconds, complete.then(() => 0)]));
    say(
      `the last ${flags.slow} clients train for ${slowSeconds.toFixed(0)} s: ten times what one update took a fast one`,
    );
    for (let i = fast.length; i < clients.length; i++) startSlowClient(i, slowSeconds);
  }

  await complete;
  const opening = firstOpening ?? started;
  const [startSeconds, seconds] = [(opening - started) / 1000, (performance.now() - opening) / 1000];
  write("");
  if (flags.timeline) await timeline.print(write);
  const verified = await runAuditor(
    processes,
    [
      "--contract",
      contract,
      "--rpc",
      chain.rpc,
      "--confirmations",
      "0",
      "--peer",
      gateway,
      "--state",
      join(directory, "auditor"),
    ],
    write,
  );
  printSummary(write, rounds, {
    startSeconds,
    seconds,
    central:
      flags.central && flags.data !== undefined
        ? await centralAccuracy(specification, rounds.size, flags.data, dealing)
        : undefined,
    verified,
    keysSay: prepared.keysSay,
    privacy: privacyStatement({ document: specification.document, parameters: prepared.parameters }, rounds.size),
  });
  if (flags.stay) {
    write(pc.dim(`the dashboard stays at ${dashboard}`));
    write(
      pc.dim(
        `the gateway stays at ${gateway} and the chain at ${chain.rpc}, where the contract is ${contract}; Ctrl-C ends the demo`,
      ),
    );
    await untilInterrupted();
  }
  return verified;
}
