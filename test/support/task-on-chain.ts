/** A task on an in-process chain, with parties that can make every call. For contract tests. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import type {
  BaseContract,
  ContractRunner,
  ContractTransactionReceipt,
  ContractTransactionResponse,
  Wallet,
} from "ethers";
import {
  encodeAttestation,
  encodeParameters,
  encodeRelease,
  encodeSigned,
  encodeSubmission,
  intakeRecordOf,
} from "../../chain/codec.ts";
import type { Encodable } from "../../chain/fields.ts";
import type { Attestation as OnChain, Release, SubmittedEvent } from "../../chain/generated/verisum.ts";
import { signStatement } from "../../chain/statement-signatures.ts";
import type { StatementKind, StatementKinds } from "../../chain/statement-signatures.ts";
import { signSubmission } from "../../chain/submission-signature.ts";
import type {
  Attestation,
  CompactSignature,
  RoundResult,
  SignedSubmission,
  SubmissionHead,
  TaskContext,
} from "../../chain/task-chain.ts";
import { randomElement, toField } from "../../protocol/field.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { FIRST_ACCUMULATOR_HASH } from "../../protocol/groth16.ts";
import { G1_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import type { G1 } from "../../protocol/points.ts";
import { chunkBound } from "../../protocol/submission.ts";
import type { ChunkProof, Submission } from "../../protocol/submission.ts";
import type { Hex, IntakeRecord } from "../../protocol/transcript.ts";
import {
  challengeOfHead,
  challengePoints,
  resultPoint,
  sharesDigest,
  toHex,
  wiresDigest,
} from "../../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../../protocol/verification-key.ts";
import { seededRandom, word } from "./random.ts";
import { TINY_TASK } from "./tiny-task.ts";
import { drawSecrets, keysOf, simulateOpening, simulateProof, simulateSubmission } from "./trapdoor-keys.ts";
import type { SimulatedSubmission } from "./trapdoor-keys.ts";

/** The tiny preset's keys, shared by all tests. */
export const SECRETS = drawSecrets(PRESETS.tiny, seededRandom("contract keys"));
export const KEYS = keysOf(SECRETS);
export const KEYS_BLOB = toHex(encodeVerificationKeys(KEYS));

/** The tiny task with keys. */
export const PARAMETERS: TaskParameters = { ...TINY_TASK, keysHash: toHex(hashVerificationKeys(KEYS)) };

// Calls by name: the ABI is checked by the chain, the wrappers below by the compiler.
type Method = ((...args: unknown[]) => Promise<ContractTransactionResponse>) & {
  readonly staticCall: (...args: unknown[]) => Promise<unknown>;
};
export type VerisumInstance = BaseContract & Record<string, Method>;

export interface TaskOnChain {
  readonly connection: NetworkConnection;
  readonly verisum: VerisumInstance;
  readonly address: Hex;
  /** What is signed for this contract and no other. */
  readonly context: TaskContext;
  readonly parameters: TaskParameters;
  readonly operator: HardhatEthersSigner;
  readonly members: readonly HardhatEthersSigner[];
  readonly clients: readonly HardhatEthersSigner[];
  /** Belongs to nobody. */
  readonly stranger: HardhatEthersSigner;
}

/** An account on chain or off. */
interface HasAddress {
  readonly address: string;
}

/** A chain of its own, in memory. Close `connection` after the test file. */
export async function openChain(): Promise<NetworkConnection> {
  return network.create("node");
}

/** Deploys with these parameters instead of the defaults; registers nobody. */
export async function deployTask(
  connection: NetworkConnection,
  overrides: Partial<TaskParameters> = {},
): Promise<TaskOnChain> {
  const signers = await connection.ethers.getSigners();
  const parameters = { ...PARAMETERS, ...overrides };
  const factory = await connection.ethers.getContractFactory("Verisum");
  const verisum = (await factory.deploy(
    encodeParameters(parameters),
    KEYS_BLOB,
    signers[0]!.address,
  )) as unknown as VerisumInstance;
  const seats = parameters.committeeSize;
  return {
    connection,
    verisum,
    address: (await verisum.getAddress()) as Hex,
    context: {
      chainId: (await connection.ethers.provider.getNetwork()).chainId,
      contract: (await verisum.getAddress()) as Hex,
      deployment: (await verisum["deployment"]!()) as unknown as Hex,
    },
    parameters,
    operator: signers[0]!,
    members: signers.slice(1, 1 + seats),
    clients: signers.slice(1 + seats, -1),
    stranger: signers.at(-1)!,
  };
}

/** Fills every seat and registers clients with these weights. */
export async function registerAll(task: TaskOnChain, weights: readonly number[]): Promise<void> {
  for (const member of task.members) await task.verisum["registerMember"]!(member.address);
  for (const [i, weight] of weights.entries()) await task.verisum["registerClient"]!(task.clients[i]!.address, weight);
}

/** Registers keys of all (or the given) seats for one round and opens it. */
export async function openRound(task: TaskOnChain, seats?: readonly number[]): Promise<bigint> {
  const round = (await roundOf(task)).number + 1n;
  const chosen = seats ?? task.members.map((_, i) => i + 1);
  for (const seat of chosen)
    await as(task, task.members[seat - 1]!)["registerRoundKeys"]!(round, [word(`key ${round} ${seat}`)]);
  await task.verisum["openRound"]!();
  return round;
}

/** The contract with this account as sender. */
export function as(task: TaskOnChain, account: ContractRunner): VerisumInstance {
  return task.verisum.connect(account) as VerisumInstance;
}

export interface RoundOnChain {
  readonly number: bigint;
  readonly phase: bigint;
  readonly deadline: bigint;
  readonly expected: bigint;
  readonly submitted: bigint;
  readonly keyMask: bigint;
  readonly totalWeight: bigint;
  readonly included: bigint;
  readonly proposedMembers: bigint;
  readonly sum: G1;
  readonly intake: Hex;
  readonly settlement: Hex;
}

export async function roundOf(task: TaskOnChain): Promise<RoundOnChain> {
  return (await view(task, "round")) as RoundOnChain;
}

/** Result of a view function. */
export async function view(task: TaskOnChain, name: string, ...args: unknown[]): Promise<unknown> {
  return task.verisum[name]!(...args);
}

/** The model that a submission says it starts from. */
export interface Base {
  readonly base: bigint;
  readonly baseModelDigest: Hex;
}

/** A submission that the contract accepts from this client in the current round, on the latest model or another one. */
export async function makeSubmission(
  task: TaskOnChain,
  client: HasAddress,
  seed: string,
  from?: Base,
): Promise<SimulatedSubmission> {
  const round = (await roundOf(task)).number;
  const [weight] = (await view(task, "clientOf", client.address)) as [bigint];
  const model = (await view(task, "latestModel")) as { digest: Hex };
  const base = (await view(task, "finalisedRounds")) as bigint;
  return simulateSubmission(
    SECRETS,
    {
      layout: layoutOfTask(task.parameters),
      committeeSize: task.parameters.committeeSize,
      threshold: task.parameters.threshold,
    },
    {
      ...task.context,
      round,
      client: client.address as Hex,
      weight: Number(weight),
      ...(from ?? { base, baseModelDigest: model.digest }),
      normBoundSquared: task.parameters.normBoundSquared,
    },
    seededRandom(`${seed} ${round} ${client.address}`),
  );
}

/** Makes and sends a submission of the client with this index. */
export async function submitAs(
  task: TaskOnChain,
  clientIndex: number,
  seed = "submission",
): Promise<SimulatedSubmission & { readonly receipt: ContractTransactionReceipt }> {
  const client = task.clients[clientIndex]!;
  const simulated = await makeSubmission(task, client, seed);
  const response = await sendSubmission(task, client, simulated.submission);
  return { ...simulated, receipt: (await response.wait())! };
}

export async function sendSubmission(
  task: TaskOnChain,
  client: ContractRunner,
  submission: Submission,
  round?: bigint,
): Promise<ContractTransactionResponse> {
  return as(task, client)["submit"]!(round ?? (await roundOf(task)).number, encodeSubmission(submission));
}

/** Chunks that the contract verifies as the first step, under a head that commits to their D and no others. */
export async function makeFirstStep(
  task: TaskOnChain,
  client: HasAddress,
  count: number,
  of: Pick<Submission, "commitment" | "sharesCid" | "shareHashes">,
): Promise<{ readonly head: SubmissionHead; readonly chunks: readonly ChunkProof[] }> {
  const random = seededRandom(`step of ${count} ${client.address}`);
  const { parameters } = task;
  const layout = layoutOfTask(parameters);
  const wires = Array.from({ length: count }, () => randomElement(random));
  const head = {
    base: 0n,
    commitment: of.commitment,
    sharesDigest: sharesDigest(of.shareHashes),
    sharesCid: of.sharesCid,
    wiresDigest: wiresDigest(wires.map((wire) => multiplyG1(G1_GENERATOR, wire))),
  };
  const { number } = await roundOf(task);
  const [weight] = (await view(task, "clientOf", client.address)) as [bigint];
  const { alpha, z } = challengePoints(
    challengeOfHead({
      ...head,
      ...task.context,
      round: number,
      client: client.address as Hex,
      weight: Number(weight),
      baseModelDigest: parameters.genesisDigest,
      shareEvaluationCount: parameters.threshold - 1,
      chunkCount: layout.chunks.length,
    }),
  );
  let hPrevious = FIRST_ACCUMULATOR_HASH;
  const chunks = wires.map((wire, i): ChunkProof => {
    const [y, h] = [randomElement(random), randomElement(random)];
    const inputs = [y, h, alpha, z, chunkBound(i, layout.chunks.length, parameters.normBoundSquared), hPrevious];
    hPrevious = h;
    return {
      d: multiplyG1(G1_GENERATOR, wire),
      ...simulateProof(SECRETS, layout.chunks[i]!.kindIndex, wire, inputs, random),
      y,
      h,
    };
  });
  return { head, chunks };
}

/** Makes a submission of the client with this index and signs it for a relayer. */
export async function signAs(
  task: TaskOnChain,
  clientIndex: number,
  seed = "submission",
): Promise<SimulatedSubmission & { readonly signed: SignedSubmission }> {
  const client = task.clients[clientIndex]!;
  const simulated = await makeSubmission(task, client, seed);
  return { ...simulated, signed: await signFor(task, client, simulated.submission) };
}

/** This account's signature over a submission in the current round, whoever made it. */
export async function signFor(
  task: TaskOnChain,
  client: HardhatEthersSigner | Wallet,
  submission: Submission,
  context: Partial<TaskContext & { readonly round: bigint }> = {},
): Promise<SignedSubmission> {
  const round = (await roundOf(task)).number;
  return signSubmission(client as unknown as Wallet, { ...task.context, round, ...context }, submission);
}

/** A stranger relays these submissions. */
export async function sendBatch(
  task: TaskOnChain,
  signed: readonly SignedSubmission[],
  round?: bigint,
): Promise<ContractTransactionResponse> {
  return as(task, task.stranger)["submitBatch"]!(round ?? (await roundOf(task)).number, signed.map(encodeSigned));
}

/** The next block will have this timestamp. */
export async function setNextTime(connection: NetworkConnection, timestamp: bigint): Promise<void> {
  await connection.provider.request({ method: "evm_setNextBlockTimestamp", params: [`0x${timestamp.toString(16)}`] });
}

/** Takes a snapshot; the returned function goes back to it and may be called again. */
export async function snapshot(connection: NetworkConnection): Promise<() => Promise<void>> {
  let id = await connection.provider.request({ method: "evm_snapshot" });
  return async () => {
    await connection.provider.request({ method: "evm_revert", params: [id] });
    id = await connection.provider.request({ method: "evm_snapshot" });
  };
}

/** Submissions of the first `count` clients; returns the exponents of their commitments. */
export async function submitAll(task: TaskOnChain, count: number): Promise<bigint[]> {
  const scalars: bigint[] = [];
  for (let i = 0; i < count; i++) scalars.push((await submitAs(task, i)).commitmentScalar);
  return scalars;
}

/** The seat's signature over a statement, for this contract or another one. */
export function signAsSeat<K extends StatementKind>(
  task: TaskOnChain,
  seat: number,
  kind: K,
  statement: StatementKinds[K],
  context: Partial<TaskContext> = {},
): Promise<CompactSignature> {
  return signStatement(task.members[seat - 1]! as unknown as Wallet, { ...task.context, ...context }, kind, statement);
}

/** What a seat says of the present intake, or of another one, as `settle` takes it. */
export async function statementOf(
  task: TaskOnChain,
  seat: number,
  good: bigint,
  refused = 0n,
  change: Partial<Attestation> = {},
): Promise<Encodable<OnChain>> {
  const { number: round, intake } = await roundOf(task);
  const signature = await signAsSeat(task, seat, "Attestation", { round, intake, good, refused, ...change });
  return encodeAttestation({ round, intake, seat, good, refused, signature });
}

/** One statement of each of these seats: the same clients are good, all others of the intake missed. */
export async function statementsOf(
  task: TaskOnChain,
  good: bigint,
  seats: readonly number[] = task.members.map((_, i) => i + 1),
): Promise<Encodable<OnChain>[]> {
  return Promise.all(seats.map((seat) => statementOf(task, seat, good)));
}

/** These seats attest the bitmap: that settles the round if it is of everybody, and is a proposal otherwise. */
export async function settleOn(task: TaskOnChain, good: bigint, seats?: readonly number[]): Promise<void> {
  const statements = await statementsOf(task, good, seats);
  const members = maskOf(statements.map(({ seat }) => Number(seat)));
  await task.verisum["settle"]!((await roundOf(task)).number, statements, members, []);
}

/** A client that a settlement leaves out. */
interface Excluded {
  readonly index: number;
  readonly record: IntakeRecord;
}

/** Executes the standing proposal. */
export async function settleStanding(
  task: TaskOnChain,
  excluded: readonly Excluded[] = [],
): Promise<ContractTransactionResponse> {
  return task.verisum["settle"]!((await roundOf(task)).number, [], 0n, excluded);
}

/** These clients of the present round, as a settlement excludes them, from the chain's own events. */
export async function excludedOf(task: TaskOnChain, indexes: readonly number[]): Promise<Excluded[]> {
  const { number } = await roundOf(task);
  const logs = await task.verisum.queryFilter("Submitted");
  const events = logs.map((log) => (log as unknown as { readonly args: SubmittedEvent }).args);
  return indexes.map((index) => {
    const { client, weight, submission } = events.find(
      (event) => event.round === number && Number(event.index) === index,
    )!;
    return { index, record: intakeRecordOf({ client, weight: Number(weight), submission }) };
  });
}

/** Bit j − 1 for each seat j. */
export function maskOf(seats: readonly number[]): bigint {
  return seats.reduce((mask, seat) => mask | (1n << BigInt(seat - 1)), 0n);
}

/** The arguments of `finalize`, in order. */
export interface Finalisation {
  readonly round: bigint;
  readonly result: RoundResult;
  readonly evaluation: bigint;
  readonly opening: G1;
  readonly releases: readonly Encodable<Release>[];
  readonly signers: bigint;
  readonly signatures: readonly (readonly [Hex, Hex])[];
}

/** A seat's release for the present settlement, or another one. */
export async function releaseOf(
  task: TaskOnChain,
  seat: number,
  change: Partial<StatementKinds["Release"]> = {},
): Promise<Encodable<Release>> {
  const { number: round, settlement } = await roundOf(task);
  const release = { round, settlement, releaseCid: word(`release ${round} ${seat}`) };
  const signature = await signAsSeat(task, seat, "Release", { ...release, ...change });
  return encodeRelease({ ...release, seat, signature });
}

/** A valid result for the settled round, released and signed by these seats. `sumScalar` is the exponent of the sum. */
export async function makeFinalisation(
  task: TaskOnChain,
  sumScalar: bigint,
  seats: readonly number[],
): Promise<Finalisation> {
  const { number: round, settlement } = await roundOf(task);
  const result: RoundResult = {
    aggregateCid: word(`aggregate cid ${round}`),
    aggregateDigest: word(`aggregate digest ${round}`),
    modelCid: word(`model cid ${round}`),
    modelDigest: word(`model digest ${round}`),
  };
  const z = resultPoint({ ...task.context, round, settlement, ...result });
  const evaluation = randomElement(seededRandom(`evaluation ${round}`));
  const signatures = await Promise.all(
    seats.map(async (seat): Promise<readonly [Hex, Hex]> => {
      const { r, vs } = await signAsSeat(task, seat, "Result", { round, settlement, ...result });
      return [r, vs];
    }),
  );
  return {
    round,
    result,
    evaluation,
    opening: simulateOpening(SECRETS, sumScalar, z, evaluation),
    releases: await Promise.all(seats.map((seat) => releaseOf(task, seat))),
    signers: maskOf(seats),
    signatures,
  };
}

export async function sendFinalisation(task: TaskOnChain, f: Finalisation): Promise<ContractTransactionResponse> {
  return task.verisum["finalize"]!(
    ...[f.round, f.result, f.evaluation, f.opening],
    ...[f.releases, f.signers, f.signatures],
  );
}

/** Σ w·s mod r. */
export function weightedScalar(scalars: readonly bigint[], weights: readonly number[]): bigint {
  return scalars.reduce((sum, scalar, i) => toField(sum + scalar * BigInt(weights[i]!)), 0n);
}
