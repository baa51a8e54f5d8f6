/** One task over real processes, until its model is good enough: how long that takes where some clients are slow. */
import { join } from "node:path";
import type { Wallet } from "ethers";
import { platformRandom as random } from "../../command/platform-random.ts";
import { userRecords } from "../../command/user-records.ts";
import { startChain } from "../../demo/chain.ts";
import type { RoleEvent } from "../../demo/processes.ts";
import { shardSpecification } from "../../demo/shards.ts";
import { createStopwatch } from "../../demo/stopwatch.ts";
import type { ProcessRun } from "../../demo/with-processes.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import { prepareTask } from "../../operator/prepare-task.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { TaskSpecification } from "../../task/create-task.ts";

const MEMBERS = 4;

export interface WallOptions {
  readonly data: string;
  readonly clients: number;
  /** The last so many train `times` as long as a fast one took for training and proving its first update. */
  readonly slow: number;
  readonly times: number;
  readonly seed: number;
  /** Accuracy on the test data, at which the run ends. */
  readonly target: number;
}

export interface WallModel {
  /** From the first round's opening to this model's finality. */
  readonly seconds: number;
  readonly round: number;
  readonly accuracy: number;
  readonly updates: number;
}

export interface WallResult {
  /** Training and proving of a fast client's first update. */
  readonly fastSeconds: number;
  readonly models: readonly WallModel[];
  /** Models that were made while each of the slow clients' updates was trained. */
  readonly staleness: readonly number[];
  /** Updates whose base became too old. */
  readonly dropped: number;
}

/** @throws PROCESS_ENDED if a role that everything needs ends before */
export async function runUntilGood(
  specification: TaskSpecification,
  { data, clients, slow, times, seed, target }: WallOptions,
  { processes, directory, noise }: Pick<ProcessRun, "processes" | "directory" | "noise">,
): Promise<WallResult> {
  const prepared = await prepareTask(specification, join(directory, "aggregator", "ipfs"), random, () => undefined, {
    records: userRecords(),
  });
  const chain = await startChain(processes, (line) => noise.push(line));
  const wallets = Array.from({ length: 1 + MEMBERS + clients }, (_, i) => chain.wallet(i));
  const addressOf = (wallet: Wallet): Hex => wallet.address.toLowerCase() as Hex;
  const [operator, ...others] = wallets as [Wallet, ...Wallet[]];
  const { contract } = await deployPreparedTask(
    chain.rpc,
    operator,
    prepared,
    {
      members: others.slice(0, MEMBERS).map(addressOf),
      clients: others.slice(MEMBERS).map((wallet) => ({ account: addressOf(wallet), weight: 1 })),
    },
    () => undefined,
  );
  const gateway = `http://127.0.0.1:${chain.port + 1}`;
  const stopwatch = createStopwatch();
  const models: WallModel[] = [];
  const staleness: number[] = [];
  const updates = new Map<number, number>();
  const accuracies = new Map<number, number>();
  let opening: number | undefined;
  let dropped = 0;
  let isGood: () => void = () => undefined;
  const good = new Promise<void>((resolve) => (isGood = resolve));
  const note = (event: RoleEvent): void => {
    stopwatch.note(event);
    const { facts } = event;
    const round = Number(facts.round);
    if (event.event === "round-opened") opening ??= event.time;
    if (event.event === "drawn" && Number(facts.staleness) > 0) staleness.push(Number(facts.staleness));
    if (event.event === "dropped") dropped += Number(facts.count);
    if (event.event === "settled") updates.set(round, Number(facts.included));
    if (event.event === "aggregated") accuracies.set(round, Number(facts.accuracy));
    if (event.event !== "finalised") return;
    const accuracy = accuracies.get(round) ?? NaN;
    models.push({
      seconds: (event.time - (opening ?? event.time)) / 1000,
      round,
      accuracy,
      updates: updates.get(round) ?? 0,
    });
    if (accuracy >= target) isGood();
  };
  const common = ["--contract", contract, "--rpc", chain.rpc, "--confirmations", "0", "--format", "json"];
  const start = (
    name: string,
    script: string,
    args: readonly string[],
    wallet: Wallet,
  ): ReturnType<typeof processes.start> =>
    processes.start(name, script, [...args, ...common, "--state", join(directory, name)], {
      key: wallet.privateKey,
      logFile: join(directory, `${name}.log`),
      onEvent: note,
      onNoise: (line) => noise.push(`${name}: ${line}`),
    });
  const dataOf = (client: number): string =>
    shardSpecification(data, client, { clients, seed, alpha: undefined, samples: undefined, testSamples: undefined });
  const aggregator = start(
    "aggregator",
    "aggregator/cli.ts",
    ["serve", "--listen", `127.0.0.1:${chain.port + 1}`, "--data", data],
    operator,
  );
  const ended = aggregator.ended.then((status): never => {
    throw new VerisumError("PROCESS_ENDED", `the aggregator ended with status ${String(status)}`);
  });
  const fast = others.slice(MEMBERS, MEMBERS + clients - slow);
  const joining = fast.map((wallet, i) =>
    start(`client ${i + 1}`, "client/cli.ts", ["join", "--data", dataOf(i), "--peer", gateway], wallet),
  );
  await Promise.race([ended, Promise.all(joining.map(({ ready }) => ready))]);
  for (let seat = 1; seat <= MEMBERS; seat++)
    start(
      `member ${seat}`,
      "aggregator/cli.ts",
      ["member", "--listen", `127.0.0.1:${chain.port + 1 + seat}`, "--peer", gateway],
      others[seat - 1]!,
    );
  const fastSeconds = await Promise.race([ended, stopwatch.seconds]);
  for (let i = clients - slow; i < clients; i++)
    start(
      `client ${i + 1}`,
      "demo/throttled-client.ts",
      ["--training-seconds", String(fastSeconds * times), "--data", dataOf(i), "--peer", gateway],
      others[MEMBERS + i]!,
    );
  await Promise.race([ended, good]);
  return { fastSeconds, models, staleness, dropped };
}
