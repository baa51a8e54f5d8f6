/** One task in the suite of test/chain/contract-suite.ts: its accounts, its clock, and what was seen of it. */
import assert from "node:assert/strict";
import type { VerisumErrors } from "../../chain/generated/verisum.ts";
import type {
  AttestationStatement,
  ReleaseStatement,
  RoundResult,
  TaskReader,
  TaskWriter,
} from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { Submission, SubmissionContext } from "../../protocol/submission.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { resultPoint } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { seededRandom, word } from "./random.ts";
import { maskOf, SECRETS, weightedScalar } from "./task-on-chain.ts";
import { simulateOpening, simulateSubmission } from "./trapdoor-keys.ts";
import type { SimulatedSubmission } from "./trapdoor-keys.ts";

/** A chain that the suite may deploy tasks on. Accounts have indexes; account 0 is the operator. */
export interface SuiteChain {
  deploy(parameters: TaskParameters): Promise<Hex>;
  writer(contract: Hex, account: number): Promise<TaskWriter>;
  /** The next block has this timestamp, in Unix seconds. */
  setNextTime(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** What a submission says it starts from. */
export type ModelNumber = Pick<SubmissionContext, "base" | "baseModelDigest">;

const SEATS = [1, 2, 3, 4];
const CLIENT_ACCOUNTS = [5, 6, 7, 8];
/** The last account of a scene. */
export const STRANGER_ACCOUNT = 9;

/** Proofs take time, and both implementations are shown the same ones. */
const simulated = new Map<string, SimulatedSubmission>();

function simulateOnce(parameters: TaskParameters, seed: string, context: SubmissionContext): SimulatedSubmission {
  const key = [seed, ...Object.values(context)].join(" ");
  const party = { ...parameters, layout: layoutOfTask(parameters) };
  const made = simulated.get(key) ?? simulateSubmission(SECRETS, party, context, seededRandom(key));
  simulated.set(key, made);
  return made;
}

/** One task of a test: its accounts, its clock, and what was seen of it. */
export class Scene {
  readonly parameters: TaskParameters;
  readonly operator: TaskWriter;
  /** By seat, from index 0. */
  readonly members: readonly TaskWriter[];
  readonly clients: readonly TaskWriter[];
  readonly stranger: TaskWriter;
  readonly seen: unknown[] = [];
  /** Exponents of the commitments that went in, by client. */
  readonly scalars = new Map<Hex, bigint>();
  readonly #chain: SuiteChain;
  now: number;

  constructor(chain: SuiteChain, parameters: TaskParameters, writers: readonly TaskWriter[], now: number) {
    this.#chain = chain;
    this.parameters = parameters;
    this.operator = writers[0]!;
    this.members = SEATS.map((seat) => writers[seat]!);
    this.clients = CLIENT_ACCOUNTS.map((account) => writers[account]!);
    this.stranger = writers[STRANGER_ACCOUNT]!;
    this.now = now;
  }

  /** Sends a call a second after the last one, and remembers what the chain then says. */
  async does(call: () => Promise<unknown>): Promise<void> {
    await this.#chain.setNextTime(++this.now);
    await call();
    this.seen.push(await observe(this.operator));
  }

  /** The same for a call that has to be refused with this error. */
  async refuses(name: keyof VerisumErrors, call: () => Promise<unknown>): Promise<void> {
    await this.#chain.setNextTime(++this.now);
    await assert.rejects(call(), (error) => {
      assert.ok(isVerisumError(error, "CHAIN_REVERTED"), String(error));
      assert.equal(error.details["error"], name, String(error));
      this.seen.push(error.details);
      return true;
    });
  }

  /** Fills the seats and registers clients with these weights. */
  async registers(weights: readonly number[]): Promise<void> {
    for (const { account } of this.members) await this.does(() => this.operator.registerMember(account));
    for (const [i, weight] of weights.entries())
      await this.does(() => this.operator.registerClient(this.clients[i]!.account, weight));
  }

  /** Opens the next round with keys of these seats. */
  async opens(seats: readonly number[] = SEATS): Promise<bigint> {
    const round = (await this.operator.round()).number + 1n;
    for (const seat of seats)
      await this.does(() => this.members[seat - 1]!.registerRoundKeys(round, [word(`key ${round} ${seat}`)]));
    await this.does(() => this.stranger.openRound());
    return round;
  }

  /** A submission that the compiled contract accepts from this client, now: on the latest model, or on another one. */
  async submissionOf(client: TaskWriter, seed = "suite", from?: ModelNumber): Promise<Submission> {
    const { submission, commitmentScalar } = simulateOnce(this.parameters, seed, {
      ...client.context,
      round: (await client.round()).number,
      client: client.account,
      weight: (await client.client(client.account)).weight,
      ...(from ?? {
        baseModelDigest: (await client.latestModel()).digest,
        base: BigInt(await client.finalisedRounds()),
      }),
      normBoundSquared: this.parameters.normBoundSquared,
    });
    this.scalars.set(client.account, commitmentScalar);
    return submission;
  }

  async submits(round: bigint, ...indexes: readonly number[]): Promise<void> {
    for (const index of indexes) {
      const client = this.clients[index]!;
      const submission = await this.submissionOf(client);
      await this.does(() => client.submit(round, submission));
    }
  }

  /** What these seats state of the present intake. */
  async statesOf(
    round: bigint,
    good: bigint,
    seats: readonly number[] = SEATS,
    refused = 0n,
  ): Promise<AttestationStatement[]> {
    const { intake } = await this.operator.round();
    const attestation = { round, intake, good, refused };
    return Promise.all(
      seats.map(async (seat) => ({
        ...attestation,
        seat,
        signature: await this.members[seat - 1]!.signAttestation(attestation),
      })),
    );
  }

  /** Somebody posts that these seats found the clients good, and nobody refused: a settlement if it is everybody. */
  async attests(round: bigint, good: bigint, seats: readonly number[] = SEATS): Promise<void> {
    const statements = await this.statesOf(round, good, seats);
    await this.does(() => this.stranger.settle(round, statements, maskOf(seats), []));
  }

  /** These seats' releases for the present settlement. */
  async releasesOf(round: bigint, seats: readonly number[]): Promise<ReleaseStatement[]> {
    const { settlement } = await this.operator.round();
    return Promise.all(
      seats.map(async (seat) => {
        const release = { round, settlement, releaseCid: word(`${round} release ${seat}`) };
        return { ...release, seat, signature: await this.members[seat - 1]!.signRelease(release) };
      }),
    );
  }

  /** A result of the settled round, its opening, and releases and signatures of these seats. */
  async resultOf(round: bigint, seats: readonly number[]): Promise<Parameters<TaskWriter["finalize"]>> {
    const { included, settlement } = await this.operator.round();
    const { submitted } = await this.operator.records(round);
    const settled = submitted.filter(({ index }) => (included & (1n << BigInt(index))) !== 0n);
    const of = (name: string): Hex => word(`${round} ${name}`);
    const result: RoundResult = {
      aggregateCid: of("aggregate cid"),
      aggregateDigest: of("aggregate digest"),
      modelCid: of("model cid"),
      modelDigest: of("model digest"),
    };
    const signed = { ...result, round, settlement };
    const scalar = weightedScalar(
      settled.map(({ client }) => this.scalars.get(client)!),
      settled.map(({ weight }) => weight),
    );
    const z = resultPoint({ ...this.operator.context, ...signed });
    const signatures = await Promise.all(
      seats.map(async (seat) => ({ seat, signature: await this.members[seat - 1]!.signResult(signed) })),
    );
    const opening = simulateOpening(SECRETS, scalar, z, 5n);
    return [round, result, 5n, opening, await this.releasesOf(round, seats), signatures];
  }

  /** Waits until the present phase can be ended by time. */
  async waits(): Promise<void> {
    this.now = (await this.operator.round()).deadline - 1;
  }
}

/** Everything that a reader says, but for what identifies a transaction. */
export async function observe(reader: TaskReader): Promise<unknown> {
  const round = await reader.round();
  const records = await reader.records(round.number);
  const withoutHash = <T extends { readonly transactionHash: Hex }>({ transactionHash: _, ...rest }: T): unknown =>
    rest;
  const { block, records: recordsAt, events, results, ...look } = await reader.look();
  assert.deepEqual([block.number, recordsAt(round.number)], [await reader.latestBlock(), records]);
  const accounts = [...(await reader.members()), ...records.submitted.map(({ client }) => client)];
  return {
    round,
    records: {
      ...records,
      submitted: records.submitted.map(withoutHash),
      finalised: records.finalised === undefined ? undefined : withoutHash(records.finalised),
    },
    latestModel: await reader.latestModel(),
    finalisedRounds: await reader.finalisedRounds(),
    finalisedRoundNumbers: await reader.finalisedRoundNumbers(),
    privacySpent: await reader.privacySpent(),
    members: await reader.members(),
    clientCount: await reader.clientCount(),
    clients: await Promise.all(accounts.map((account) => reader.client(account))),
    endpoints: await reader.endpoints(),
    look: {
      ...look,
      events: events().map(({ name, account, round, seat }) => ({ name, account, round, seat })),
      results: results(),
    },
  };
}
