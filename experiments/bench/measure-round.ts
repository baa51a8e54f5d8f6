/**
 * A complete round of one model size on a chain, with real proofs: what clients, members, the aggregator and the chain
 * spend.
 */
import type { JsonRpcProvider } from "ethers";
import type { ReleaseStatement, SeatSignature, TaskWriter } from "../../chain/task-chain.ts";
import { newRoundKeyPair } from "../../protocol/bundle.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { hashVerificationKeys } from "../../protocol/verification-key.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { submissionVerifier } from "../../proving/groth16/submission-batch.ts";
import { measureAggregator } from "./aggregator-run.ts";
import { measureAudit } from "./audit-run.ts";
import { benchTask } from "./bench-task.ts";
import type { BenchTask, Cohort } from "./bench-task.ts";
import type { Calibration } from "./calibration.ts";
import { measureClient } from "./client-fork.ts";
import type { ClientReport } from "./client-job.ts";
import { GasMeter } from "./gas-meter.ts";
import type { GasByFunction } from "./gas-meter.ts";
import { measureMembers } from "./member-run.ts";
import { openFirstRound } from "./open-round.ts";
import type { RoundEnvironment } from "./open-round.ts";

export interface RoundMeasurement {
  readonly task: BenchTask;
  readonly client: ClientReport;
  /** Processor milliseconds of a client's audit of all submissions, one value for each repeat. */
  readonly audits: readonly number[];
  /** Milliseconds, one value for each share that was checked. */
  readonly memberChecks: readonly number[];
  /** Milliseconds, one value for each repeat. */
  readonly aggregatorRounds: readonly number[];
  /** Of the process in which members and aggregator were measured, beside them. */
  readonly calibrations: readonly Calibration[];
  readonly gas: GasByFunction;
  /** Of one client's bundle: the mean over seats, some of which get a seed in place of a share. */
  readonly bytesPerMember: number;
}

/** One measured round. */
export interface Scenario extends Cohort {
  readonly dimension: number;
}

/**
 * @param repeats timed client submissions after the first, and timed aggregations
 * @throws chain, key and protocol errors: a round that fails is not measured
 */
export async function measureRound(
  scenario: Scenario,
  repeats: number,
  environment: RoundEnvironment,
): Promise<RoundMeasurement> {
  const { keys, random } = environment;
  const onStep = (step: string): void =>
    environment.onStep(`d = ${scenario.dimension}, ${scenario.clients} clients: ${step}`);
  const task = benchTask(scenario.dimension, scenario, toHex(hashVerificationKeys(keys.verificationKeys)));
  const allClients = (1n << BigInt(scenario.clients)) - 1n;
  const gas = new GasMeter();
  const { operator, members, clients, roundKeys, contexts, provider, reader } = await openFirstRound(
    task,
    environment,
    gas,
  );
  try {
    onStep(`submissions, ${task.layout.chunks.length} chunk(s) each`);
    const client = await measureClient(
      {
        keyDirectory: keys.directory,
        parameters: task.parameters,
        contexts,
        roundKeys: roundKeys.map(({ publicKey }) => publicKey),
        submissions: Math.max(scenario.clients, 1 + repeats),
      },
      onStep,
    );
    for (const [i, { submission }] of client.outputs.entries())
      await gas.measure("submit", clients[i]!.submit(1n, submission));

    onStep("a client's audit");
    const verifier = submissionVerifier(await openCurve(), random);
    const audits = await measureAudit(task, keys.verificationKeys, reader, verifier, repeats);

    onStep("members and aggregator");
    const calibrations = [await environment.calibrate()];
    const { checkMs, shareSums } = await measureMembers(task.layout, roundKeys, contexts, client.outputs);
    calibrations.push(await environment.calibrate());
    const { intake } = await operator.round();
    const attestation = { round: 1n, intake, good: allClients, refused: 0n };
    const { quorum, threshold } = task.committee;
    const attestations = await Promise.all(
      members.slice(0, quorum).map(async (member, i) => ({
        ...attestation,
        seat: i + 1,
        signature: await member.signAttestation(attestation),
      })),
    );
    await gas.measure("settle", operator.settle(1n, attestations, (1n << BigInt(quorum)) - 1n, []));
    const { sum, settlement } = await operator.round();
    const settled = { ...operator.context, round: 1n, settlement, totalWeight: scenario.clients, sum };
    const aggregate = await measureAggregator(task, settled, shareSums, environment.committer, repeats);
    calibrations.push(await environment.calibrate());
    const [releases, signatures] = [[] as ReleaseStatement[], [] as SeatSignature[]];
    for (const [i, member] of members.slice(0, threshold).entries()) {
      const seat = i + 1;
      const release = { round: 1n, settlement, releaseCid: aggregate.releaseCids[i]! };
      releases.push({ ...release, seat, signature: await member.signRelease(release) });
      signatures.push({ seat, signature: await member.signResult({ round: 1n, settlement, ...aggregate.result }) });
    }
    // With the next round's keys there, the result opens it as well.
    for (const member of members) await member.registerRoundKeys(2n, [await freshPublicKey(random)]);
    const { result, evaluation, opening } = aggregate;
    await gas.measure("finalize", operator.finalize(1n, result, evaluation, opening, releases, signatures));
    await leaveToDeadline(operator, provider, gas);

    return {
      task,
      client,
      audits,
      memberChecks: checkMs,
      aggregatorRounds: aggregate.roundMs,
      calibrations,
      gas: gas.result(),
      bytesPerMember: meanLength(client.outputs[0]!.sealed),
    };
  } finally {
    provider.destroy();
  }
}

/** A second round in which nobody submits, aborted when its deadline has passed. */
async function leaveToDeadline(operator: TaskWriter, provider: JsonRpcProvider, gas: GasMeter): Promise<void> {
  const { deadline } = await operator.round();
  await provider.send("evm_increaseTime", [deadline - (await operator.blockTime())]);
  await provider.send("evm_mine", []);
  await gas.measure("abort", operator.abort(2n));
}

async function freshPublicKey(random: RandomBytes): Promise<Hex> {
  return toHex((await newRoundKeyPair(random)).publicKey);
}

function meanLength(files: readonly Uint8Array[]): number {
  return Math.round(files.reduce((sum, file) => sum + file.length, 0) / files.length);
}
