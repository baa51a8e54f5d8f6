/** A task of its own on the chain, with everybody registered and its first round open. */
import { JsonRpcProvider, NonceManager, parseEther } from "ethers";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import type { TaskReader, TaskWriter } from "../../chain/task-chain.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { newRoundKeyPair } from "../../protocol/bundle.ts";
import type { RoundKeyPair } from "../../protocol/bundle.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { SubmissionContext } from "../../protocol/submission.ts";
import { toHex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys } from "../../protocol/verification-key.ts";
import type { DemoChain } from "../../demo/chain.ts";
import type { BenchTask } from "./bench-task.ts";
import type { Calibrate } from "./calibration.ts";
import type { GasMeter } from "./gas-meter.ts";

export interface RoundEnvironment {
  readonly chain: DemoChain;
  readonly keys: KeySet;
  readonly committer: VectorCommitter;
  readonly calibrate: Calibrate;
  readonly random: RandomBytes;
  readonly onStep: (step: string) => void;
}

/** Round 1 of a new task, collecting. */
export interface OpenRound {
  readonly operator: TaskWriter;
  readonly members: readonly TaskWriter[];
  readonly clients: readonly TaskWriter[];
  /** By seat, 1 first. */
  readonly roundKeys: readonly RoundKeyPair[];
  /** By client. */
  readonly contexts: readonly SubmissionContext[];
  /** For what no role does: time and snapshots. To be destroyed. */
  readonly provider: JsonRpcProvider;
  /** The task anew, with no memory of its events. */
  reader(): Promise<TaskReader>;
  /** The operator anew, with no memory of its transactions: for use after the chain went back to a snapshot. */
  reconnectOperator(): Promise<TaskWriter>;
}

/** Accounts that Hardhat's node funds. */
const FUNDED_ACCOUNTS = 20;
const FUNDING = parseEther("1");

/** Notes the gas of each call. @throws chain errors */
export async function openFirstRound(
  task: BenchTask,
  environment: RoundEnvironment,
  gas: GasMeter,
): Promise<OpenRound> {
  const { chain, keys, random } = environment;
  const provider = new JsonRpcProvider(chain.rpc, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
  const wallet = chain.wallet(0);
  const signer = new NonceManager(wallet.connect(provider));
  for (let index = FUNDED_ACCOUNTS; index <= task.cohort.members + task.cohort.clients; index++) {
    await (await signer.sendTransaction({ to: chain.wallet(index).address, value: FUNDING })).wait();
  }
  const deployment = await deployTask(
    signer,
    task.parameters,
    encodeVerificationKeys(keys.verificationKeys),
    wallet.address,
  );
  gas.note("deploy", deployment.gasUsed);
  const writer = (index: number): Promise<TaskWriter> =>
    connectWriter({ rpc: chain.rpc, contract: deployment.contract, wallet: chain.wallet(index), confirmations: 0 });
  const reader = (): Promise<TaskReader> =>
    connectReader({ rpc: chain.rpc, contract: deployment.contract, confirmations: 0 });
  const writers = (first: number, count: number): Promise<TaskWriter[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => writer(first + i)));
  const operator = await writer(0);
  const members = await writers(1, task.cohort.members);
  const clients = await writers(1 + task.cohort.members, task.cohort.clients);
  for (const { account } of members) await gas.measure("registerMember", operator.registerMember(account));
  for (const { account } of clients) await gas.measure("registerClient", operator.registerClient(account, 1));
  await gas.measure("announce", operator.announce("https://aggregator.example:8443"));
  const roundKeys = await Promise.all(members.map(() => newRoundKeyPair(random)));
  for (const [i, member] of members.entries())
    await gas.measure("registerRoundKeys", member.registerRoundKeys(1n, [toHex(roundKeys[i]!.publicKey)]));
  await gas.measure("openRound", operator.openRound());
  const contexts = clients.map((client): SubmissionContext => ({
    ...client.context,
    round: 1n,
    client: client.account,
    weight: 1,
    baseModelDigest: task.parameters.genesisDigest,
    base: 0n,
    normBoundSquared: task.parameters.normBoundSquared,
  }));
  return { operator, members, clients, roundKeys, contexts, provider, reader, reconnectOperator: () => writer(0) };
}
