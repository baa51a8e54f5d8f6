/** A complete round of one model size on a chain, with real proofs: what clients, members, the aggregator and the chain spend. */
import { JsonRpcProvider, NonceManager, parseEther } from "ethers";
import { connectWriter } from "../../adapters/chain/connect.ts";
import { deployTask } from "../../adapters/chain/deploy.ts";
import type { TaskWriter } from "../../adapters/chain/task-chain.ts";
import type { KeySet } from "../../adapters/prover/key-set.ts";
import { newRoundKeyPair } from "../../protocol/bundle.ts";
import type { VectorCommitter } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { SubmissionContext } from "../../protocol/submission.ts";
import { parametersHash } from "../../protocol/task.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../../protocol/verification-key.ts";
import type { DemoChain } from "../demo/chain.ts";
import { measureAggregator } from "./aggregator-run.ts";
import { benchTask } from "./bench-task.ts";
import type { BenchTask, Cohort } from "./bench-task.ts";
import type { Calibrate, Calibration } from "./calibration.ts";
import { measureClient } from "./client-fork.ts";
import type { ClientReport } from "./client-fork.ts";
import { GasMeter } from "./gas-meter.ts";
import type { GasByFunction } from "./gas-meter.ts";
import { measureMembers } from "./member-run.ts";

export interface RoundMeasurement {
  readonly task: BenchTask;
  readonly client: ClientReport;
  /** Milliseconds, one value for each share that was checked. */
  readonly memberChecks: readonly number[];
  /** Milliseconds, one value for each repeat. */
  readonly aggregatorRounds: readonly number[];
  /** Of the process in which members and aggregator were measured, beside them. */
  readonly calibrations: readonly Calibration[];
  readonly gas: GasByFunction;
  readonly bytesPerMember: number;
}

export interface RoundEnvironment {
  readonly chain: DemoChain;
  readonly keys: KeySet;
  readonly committer: VectorCommitter;
  readonly calibrate: Calibrate;
  readonly random: RandomBytes;
  readonly onStep: (step: string) => void;
}

/** One measured round. */
export interface Scenario extends Cohort {
  readonly dimension: number;
}

/** Accounts that Hardhat's node funds. */
const FUNDED_ACCOUNTS = 20;
const FUNDING = parseEther("1");

/**
 * @param repeats timed client submissions after the first, and timed aggregations
 * @throws chain, key and protocol errors: a round that fails is not measured
 */
export async function measureRound(scenario: Scenario, repeats: number, environment: RoundEnvironment): Promise<RoundMeasurement> {
  const { keys, random } = environment;
  const onStep = (step: string): void => environment.onStep(`d = ${scenario.dimension}, ${scenario.clients} clients: ${step}`);
  const task = benchTask(scenario.dimension, scenario, toHex(hashVerificationKeys(keys.verificationKeys)));
  const allClients = (1n << BigInt(scenario.clients)) - 1n;
  const allSeats = (1n << BigInt(scenario.members)) - 1n;
  const gas = new GasMeter();
  const { operator, members, clients, provider } = await deployAndRegister(task, environment, gas);
  try {
    const roundKeys = await Promise.all(members.map(() => newRoundKeyPair(random)));
    for (const [i, member] of members.entries()) await gas.measure("registerRoundKeys", member.registerRoundKeys(1n, [toHex(roundKeys[i]!.publicKey)]));
    await gas.measure("openRound", operator.openRound());

    const contexts = clients.map((client): SubmissionContext => ({
      ...client.context,
      round: 1n,
      client: client.account,
      weight: 1,
      parametersHash: parametersHash(task.parameters),
      baseModelDigest: task.parameters.genesisDigest,
      normBoundSquared: task.parameters.normBoundSquared,
    }));
    onStep(`submissions, ${task.layout.chunks.length} chunk(s) each`);
    const client = await measureClient({
      keyDirectory: keys.directory,
      parameters: task.parameters,
      contexts,
      roundKeys: roundKeys.map(({ publicKey }) => publicKey),
      submissions: Math.max(scenario.clients, 1 + repeats),
    }, onStep);
    for (const [i, { submission }] of client.outputs.entries()) await gas.measure("submit", clients[i]!.submit(1n, submission));

    onStep("members and aggregator");
    const calibrations = [await environment.calibrate()];
    const { checkMs, shareSums } = await measureMembers(task.layout, roundKeys, contexts, client.outputs);
    calibrations.push(await environment.calibrate());
    for (const member of members) await gas.measure("attest", member.attest(1n, allClients));
    await gas.measure("propose", operator.propose(1n, allSeats));
    await gas.measure("settle", operator.settle(1n, []));
    const { sum } = await operator.round();
    const settled = { ...operator.context, round: 1n, included: allClients, totalWeight: scenario.clients, sum };
    const aggregate = await measureAggregator(task, settled, shareSums, environment.committer, repeats);
    calibrations.push(await environment.calibrate());
    for (const [i, member] of members.entries()) await gas.measure("release", member.release(1n, aggregate.releaseCids[i]!));
    const signatures = [];
    for (const [i, member] of members.slice(0, task.committee.threshold).entries()) {
      signatures.push({ seat: i + 1, signature: await member.signResult({ ...settled, ...aggregate.result }) });
    }
    await gas.measure("finalize", operator.finalize(1n, aggregate.result, aggregate.evaluation, aggregate.opening, signatures));
    await leaveToDeadline(operator, members, provider, random, gas);

    return { task, client, memberChecks: checkMs, aggregatorRounds: aggregate.roundMs, calibrations, gas: gas.result(), bytesPerMember: client.outputs[0]!.sealed[0]!.length };
  } finally {
    provider.destroy();
  }
}

async function deployAndRegister(task: BenchTask, { chain, keys }: RoundEnvironment, gas: GasMeter): Promise<{ operator: TaskWriter; members: TaskWriter[]; clients: TaskWriter[]; provider: JsonRpcProvider }> {
  const provider = new JsonRpcProvider(chain.rpc, undefined, { polling: true, pollingInterval: 100, cacheTimeout: -1 });
  const wallet = chain.wallet(0);
  const signer = new NonceManager(wallet.connect(provider));
  for (let index = FUNDED_ACCOUNTS; index <= task.cohort.members + task.cohort.clients; index++) {
    await (await signer.sendTransaction({ to: chain.wallet(index).address, value: FUNDING })).wait();
  }
  const deployment = await deployTask(signer, task.parameters, encodeVerificationKeys(keys.verificationKeys), wallet.address);
  gas.note("deploy", deployment.gasUsed);
  const writer = (index: number): Promise<TaskWriter> => connectWriter({ rpc: chain.rpc, contract: deployment.contract, wallet: chain.wallet(index), confirmations: 0 });
  const writers = (first: number, count: number): Promise<TaskWriter[]> => Promise.all(Array.from({ length: count }, (_, i) => writer(first + i)));
  const operator = await writer(0);
  const members = await writers(1, task.cohort.members);
  const clients = await writers(1 + task.cohort.members, task.cohort.clients);
  for (const { account } of members) await gas.measure("registerMember", operator.registerMember(account));
  for (const { account } of clients) await gas.measure("registerClient", operator.registerClient(account, 1));
  await gas.measure("announce", operator.announce("https://aggregator.example:8443"));
  return { operator, members, clients, provider };
}

/** A second round in which nobody submits, pushed on when its deadline has passed. */
async function leaveToDeadline(operator: TaskWriter, members: readonly TaskWriter[], provider: JsonRpcProvider, random: RandomBytes, gas: GasMeter): Promise<void> {
  for (const member of members) await member.registerRoundKeys(2n, [await freshPublicKey(random)]);
  await operator.openRound();
  const { deadline } = await operator.round();
  await provider.send("evm_increaseTime", [deadline - (await operator.blockTime())]);
  await provider.send("evm_mine", []);
  await gas.measure("advance", operator.advance(2n));
}

async function freshPublicKey(random: RandomBytes): Promise<Hex> {
  return toHex((await newRoundKeyPair(random)).publicKey);
}
