/**
 * A task on a chain in memory, for tests of the roles: `TaskReader` and `TaskWriter` over contracts that keep every
 * rule of the phases, the deadlines, the quorums and the registration, refuse with the contract's own errors and emit
 * its events. Proofs and openings are NOT verified: a submission needs the right form and no truth. Gas is not counted.
 * test/chain/contract-suite.ts holds it to what the compiled contract does.
 */
import { toBeHex, Wallet } from "ethers";
import type {
  Attestation,
  AttestationStatement,
  ReleaseStatement,
  TaskReader,
  TaskWriter,
} from "../../chain/task-chain.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { MemoryChain } from "./memory-chain/chain.ts";
import { memoryReader } from "./memory-chain/reader.ts";
import { memoryWriter } from "./memory-chain/writer.ts";
import { word } from "./random.ts";
import { TINY_TASK } from "./tiny-task.ts";

/** A task whose seats are filled, and whose clients are registered. */
export interface MemoryTask {
  readonly chain: MemoryChain;
  readonly contract: Hex;
  readonly parameters: TaskParameters;
  readonly operator: TaskWriter;
  /** By seat. */
  readonly members: readonly TaskWriter[];
  readonly clients: readonly TaskWriter[];
  /** Somebody without a part in the task. */
  readonly stranger: TaskWriter;
  /** @param confirmations blocks on top that make a block final */
  reader(confirmations: number): TaskReader;
}

/** What a test's task has otherwise than the tiny one with three clients of weight 1. */
export interface MemoryTaskOptions {
  readonly parameters?: Partial<TaskParameters>;
  readonly weights?: readonly number[];
}

/** Accounts: the operator, 4 members or as many as the committee has, the clients, a stranger. */
export async function openMemoryTask({ parameters, weights = [1, 1, 1] }: MemoryTaskOptions = {}): Promise<MemoryTask> {
  const chain = new MemoryChain();
  const task = { ...TINY_TASK, keysHash: word("keys"), ...parameters };
  const operator = memoryWallet(0);
  const contract = chain.deploy(task, operator.address.toLowerCase() as Hex);
  const reader = (confirmations: number): TaskReader => memoryReader(chain, contract, confirmations);
  const as = (index: number): TaskWriter => memoryWriter(chain, reader(0), memoryWallet(index));
  const members = Array.from({ length: task.committeeSize }, (_, i) => as(1 + i));
  const clients = weights.map((_, i) => as(1 + members.length + i));
  const opened = {
    ...{ chain, contract, parameters: task, operator: as(0), members, clients, reader },
    stranger: as(1 + members.length + clients.length),
  };
  for (const { account } of members) await opened.operator.registerMember(account);
  for (const [i, client] of clients.entries())
    await (task.openRegistration ? client.join() : opened.operator.registerClient(client.account, weights[i]!));
  return opened;
}

/** Registers a key of every seat for the next round, and opens it. */
export async function openMemoryRound({ members, operator }: MemoryTask): Promise<bigint> {
  const round = (await operator.round()).number + 1n;
  for (const member of members) await member.registerRoundKeys(round, [word(`${member.account} ${round}`)]);
  await operator.openRound();
  return round;
}

/** A submission of the task's form, with points of the curve in it; there is no update behind it. */
export function memorySubmission({ chain, contract, parameters }: MemoryTask, seed: string): Submission {
  const point = (label: string): Submission["commitment"] =>
    multiplyG1(G1_GENERATOR, BigInt(word(`${seed} ${label}`)) >> 128n);
  const scalar = (label: string): bigint => BigInt(word(`${seed} ${label}`)) >> 8n;
  return {
    base: BigInt(chain.contractAt(contract).state.finalisedRounds),
    commitment: point("commitment"),
    sharesCid: word(`${seed} shares`),
    shareHashes: Array.from({ length: parameters.committeeSize }, (_, i) => word(`${seed} share ${i + 1}`)),
    chunks: parameters.chunkKinds.map((_, i) => ({
      d: point(`d ${i}`),
      a: G1_GENERATOR,
      b: G2_GENERATOR,
      c: G1_GENERATOR,
      y: scalar(`y ${i}`),
      h: scalar(`h ${i}`),
    })),
    shareEvaluations: Array.from({ length: parameters.threshold - 1 }, (_, i) => scalar(`evaluation ${i}`)),
    opening: G1_GENERATOR,
  };
}

/** Every seat's statement over the present intake: all of the clients' shares are good, unless told. */
export async function memoryAttestations(
  { members, operator }: MemoryTask,
  {
    good,
    refused = 0n,
    seats = members.map((_, i) => i + 1),
  }: Partial<Pick<Attestation, "good" | "refused">> & { readonly seats?: readonly number[] } = {},
): Promise<AttestationStatement[]> {
  const { number: round, intake, submitted } = await operator.round();
  const attestation = { round, intake, good: good ?? (1n << BigInt(submitted)) - 1n, refused };
  return Promise.all(
    seats.map(async (seat) => ({
      ...attestation,
      seat,
      signature: await members[seat - 1]!.signAttestation(attestation),
    })),
  );
}

/** Every client submits, every member finds all shares good, and the round settles on them. */
export async function settleMemoryRound(task: MemoryTask, round: bigint): Promise<void> {
  for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
  await task.operator.settle(round, await memoryAttestations(task), (1n << BigInt(task.members.length)) - 1n, []);
}

/** A seat's statement over the present settlement. */
export async function memoryRelease(
  { members, operator }: MemoryTask,
  seat: number,
  releaseCid: Hex = word(`release ${seat}`),
): Promise<ReleaseStatement> {
  const { number: round, settlement } = await operator.round();
  const release = { round, settlement, releaseCid };
  return { ...release, seat, signature: await members[seat - 1]!.signRelease(release) };
}

/** Finalises a settled round with this result, signed by the first `threshold` seats. @param modelDigest of a model */
export async function finalizeMemoryRound(
  task: MemoryTask,
  round: bigint,
  label: string,
  modelDigest = word(`${label} model digest`),
): Promise<void> {
  const { settlement } = await task.operator.round();
  const of = (name: string): Hex => word(`${label} ${name}`);
  const result = {
    aggregateCid: of("aggregate cid"),
    aggregateDigest: of("aggregate digest"),
    modelCid: of("model cid"),
    modelDigest,
  };
  const seats = task.members.slice(0, task.parameters.threshold).map((_, i) => i + 1);
  const releases = await Promise.all(seats.map((seat) => memoryRelease(task, seat)));
  const signatures = await Promise.all(
    seats.map(async (seat) => ({
      seat,
      signature: await task.members[seat - 1]!.signResult({ ...result, round, settlement }),
    })),
  );
  await task.operator.finalize(round, result, 0n, G1_GENERATOR, releases, signatures);
}

/** An account of its own for each index. Its key is public: for tests only. */
function memoryWallet(index: number): Wallet {
  return new Wallet(toBeHex(index + 1, 32));
}
