/**
 * Relays clients' signed submissions, many in one transaction (docs/protocol.md, section 6). A relayer can leave a
 * submission out, upon which its client sends it itself; it cannot change one. It pays the gas, for registered clients
 * and once a round each.
 */
import type { FastifyInstance } from "fastify";
import { addLimitedRoutes, LIMITED } from "../content/post-limit.ts";
import { largestBatch } from "../chain/batch-size.ts";
import { checkSubmissionSignature } from "../chain/submission-signature.ts";
import type { RoundState, SignedSubmission, TaskWriter } from "../chain/task-chain.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { parseSignedSubmission, signedSubmissionBytes } from "../task/signed-submission.ts";
import { knownAccounts } from "../task/task-accounts.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { answerRefusal } from "../task/refusal.ts";
import { roundIn } from "../task/round-parameter.ts";

/** A submission waits this long for others to share its transaction with. */
const WAIT_MS = 5_000;
/** With less time than this left in the phase, nothing waits. */
const LAST_SECONDS = 60;
/** Submissions that one client may have checked in a round: each costs a simulated call. */
const CHECKS_PER_ROUND = 4;

export interface RelayDependencies {
  readonly chain: TaskWriter;
  readonly parameters: TaskParameters;
  /** Most submissions in one transaction; fewer if that many do not fit. */
  readonly batch: number;
  readonly reporter: Reporter;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Called when a batch has one submission more. */
  readonly onPending: () => void;
}

export interface Relay {
  /**
   * Checks a submission, by the contract itself in a simulated call, and keeps it for the next batch.
   * @throws SIGNATURE_INVALID, ROUND_NOT_COLLECTING, ROLE_NOT_REGISTERED, RELAY_BUSY, CHAIN_REVERTED
   */
  accept(round: bigint, signed: SignedSubmission): Promise<void>;
  /** Sends a batch if it is full, complete or has waited long enough. Returns whether it sent one. */
  step(): Promise<boolean>;
}

interface Pending {
  readonly signed: SignedSubmission;
  readonly since: number;
}

/** @throws USAGE if the task's submissions are too large for a batch */
export function createRelay({ chain, parameters, batch, reporter, clock, onPending }: RelayDependencies): Relay {
  const most = Math.min(batch, largestBatch(parameters.chunkKinds.length, parameters));
  if (most < 1)
    throw new VerisumError(
      "USAGE",
      `submissions of ${parameters.chunkKinds.length} chunks fill more than one transaction and cannot be relayed: leave out --batch`,
      { chunks: parameters.chunkKinds.length },
    );
  let current = 0n;
  const isOfTask = knownAccounts(chain, () => clock() / 1000);
  const pending = new Map<Hex, Pending>();
  const checks = new Map<Hex, number>();
  const enter = (round: bigint): void => {
    if (round === current) return;
    current = round;
    pending.clear();
    checks.clear();
  };

  /** Drops these, but not what the same clients have handed over for a later round meanwhile. */
  const forget = (done: readonly SignedSubmission[]): void => {
    for (const signed of done) if (pending.get(signed.client)?.signed === signed) pending.delete(signed.client);
  };

  /** Sends; if the contract refuses, halves the batch until the refused submissions stand alone, and drops those. */
  const send = async (round: bigint, batched: readonly SignedSubmission[]): Promise<void> => {
    try {
      const receipt = await chain.submitBatch(round, batched);
      reporter.say(
        "good",
        "relayed",
        `round ${round}: ${batched.length} submissions in one transaction, ${receipt.gasUsed / BigInt(batched.length)} gas each`,
        {
          round,
          submissions: batched.length,
          gas: receipt.gasUsed,
          transaction: receipt.transactionHash,
        },
      );
    } catch (error) {
      if (!isVerisumError(error, "CHAIN_REVERTED")) throw error;
      const name = String(error.details.error);
      if (batched.length > 1 && name !== "VerisumBatchEmpty") {
        const half = Math.ceil(batched.length / 2);
        await send(round, batched.slice(0, half));
        await send(round, batched.slice(half));
        return;
      }
      if (name !== "VerisumBatchEmpty")
        reporter.say(
          "warn",
          "relay-refused",
          `round ${round}: the submission of ${batched[0]!.client} was refused: ${name}`,
          { round, client: batched[0]!.client, reason: name },
        );
    }
    forget(batched);
  };

  return {
    accept: async (number, signed) => {
      // A list tells strangers first; then the signature, since it needs no call to the chain.
      if (!(await isOfTask(signed.client.toLowerCase() as Hex))) throw notRegistered(signed.client, number);
      checkSubmissionSignature({ ...chain.context, round: number }, signed);
      const round = await chain.round();
      if (round.number !== number || round.phase !== "Collecting")
        throw new VerisumError("ROUND_NOT_COLLECTING", `round ${number} does not collect submissions`, {
          round: number,
        });
      enter(number);
      const { weight, activeFromRound, lastSubmittedRound } = await chain.client(signed.client);
      if (weight === 0 || activeFromRound > number) throw notRegistered(signed.client, number);
      if (lastSubmittedRound === number || pending.has(signed.client)) return;
      const made = checks.get(signed.client) ?? 0;
      if (made === CHECKS_PER_ROUND)
        throw new VerisumError("RELAY_BUSY", `${signed.client} had ${made} submissions checked in this round`, {
          client: signed.client,
        });
      checks.set(signed.client, made + 1);
      await chain.checkBatch(number, [signed]);
      if (current !== number) return;
      pending.set(signed.client, { signed, since: clock() });
      onPending();
    },
    step: async () => {
      if (pending.size === 0) return false;
      const round = await chain.round();
      enter(round.number);
      if (round.phase !== "Collecting") pending.clear();
      if (pending.size === 0 || !(await isDue(round))) return false;
      // Whoever hands a submission over and then sends it alone would have the relayer pay for its bytes.
      const chosen = [...pending.values()].slice(0, most).map(({ signed }) => signed);
      const isIn = await Promise.all(
        chosen.map(async ({ client }) => (await chain.client(client)).lastSubmittedRound === round.number),
      );
      forget(chosen.filter((_, i) => isIn[i]));
      const batched = chosen.filter((_, i) => !isIn[i]);
      if (batched.length === 0) return false;
      await send(round.number, batched);
      return true;
    },
  };

  async function isDue(round: RoundState): Promise<boolean> {
    const complete = round.submitted + pending.size >= round.expected;
    const oldest = Math.min(...[...pending.values()].map(({ since }) => since));
    return (
      pending.size >= most ||
      complete ||
      clock() - oldest >= WAIT_MS ||
      round.deadline - (await chain.blockTime()) < LAST_SECONDS
    );
  }
}

function notRegistered(client: Hex, round: bigint): VerisumError {
  return new VerisumError("ROLE_NOT_REGISTERED", `${client} is not a client of round ${round}`, { client });
}

/**
 * Adds `POST /v1/submissions/{round}`: 202 if the submission is kept, or in already; errors are `{ code, message }`.
 * The app parses JSON already.
 */
export function addRelayRoute(app: FastifyInstance, relay: Relay, parameters: TaskParameters): void {
  const bodyLimit = signedSubmissionBytes(parameters.chunkKinds.length, parameters);
  addLimitedRoutes(app, (scope) => {
    scope.setErrorHandler((error, _request, reply) => answerRefusal(error, reply));
    scope.post("/v1/submissions/:round", { bodyLimit, config: LIMITED }, async (request, reply) => {
      const round = roundIn(request);
      const signed = parseSignedSubmission(request.body);
      await relay.accept(round, signed);
      return reply.status(202).send({ client: signed.client });
    });
  });
}
