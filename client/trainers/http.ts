/** A trainer that serves on this machine and stays: `--trainer http://127.0.0.1:PORT`, one request in each round. */
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { RoundEvaluator, RoundTrainer, TrainingRound } from "../round-trainer.ts";
import { baseFile, mostUpdateBytes, numbersIn, parseUpdate, roundConfig } from "./round-files.ts";
import type { ProgramRole } from "./round-files.ts";

const DONE = 200;
const SIT_OUT = 204;
const MAX_METRICS_BYTES = 1 << 16;

export interface HttpOptions {
  /** Of this machine, from `trainerUrl`. */
  readonly url: URL;
  /** Sent as a bearer token: other users of this machine can reach the server as well. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** @returns a trainer that throws TRAINER_UNAVAILABLE, TRAINER_FAILED, TRAINER_UPDATE_INVALID */
export function httpTrainer(options: HttpOptions): RoundTrainer {
  return {
    train: async (round) => {
      const response = await ask(options, round, "trainer");
      if (response.statusCode === SIT_OUT) {
        response.resume();
        return { kind: "sit-out" };
      }
      return parseUpdate(await bodyOf("trainer", response, mostUpdateBytes(round)), round);
    },
  };
}

/** @returns an evaluator that throws TRAINER_UNAVAILABLE, TRAINER_FAILED */
export function httpEvaluator(options: HttpOptions): RoundEvaluator {
  return {
    evaluate: async (round) => {
      const response = await ask(options, round, "evaluator");
      const text = new TextDecoder().decode(await bodyOf("evaluator", response, MAX_METRICS_BYTES));
      try {
        return numbersIn(JSON.parse(text));
      } catch (cause) {
        throw new VerisumError("TRAINER_FAILED", "the evaluator's answer is not JSON", {}, { cause });
      }
    },
  };
}

function ask({ url, token, now }: HttpOptions, round: TrainingRound, role: ProgramRole): Promise<IncomingMessage> {
  const body = baseFile(round, { config: JSON.stringify(roundConfig(round, now(), role)) });
  return post(role, url, token, body, round.signal);
}

/** @throws TRAINER_FAILED, TRAINER_UPDATE_INVALID */
async function bodyOf(role: ProgramRole, response: IncomingMessage, mostBytes: number): Promise<Uint8Array> {
  const bytes = await read(role, response, mostBytes);
  ensure(response.statusCode === DONE, "TRAINER_FAILED", `the ${role} answers with status ${response.statusCode}`, {
    status: response.statusCode ?? 0,
  });
  return bytes;
}

/** Training takes as long as it takes: nothing but the signal ends the wait. Redirections are not followed. */
function post(
  role: ProgramRole,
  url: URL,
  token: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/octet-stream",
      "content-length": body.length,
    };
    const sent = request(url, { method: "POST", headers, signal }, resolve);
    sent.on("error", (cause: NodeJS.ErrnoException) => {
      const code = cause.code === "ECONNREFUSED" ? "TRAINER_UNAVAILABLE" : "TRAINER_FAILED";
      const why = signal.aborted ? "it did not answer by the deadline" : (cause.code ?? cause.message);
      reject(new VerisumError(code, `the ${role} at ${url.origin}: ${why}`, {}, { cause }));
    });
    sent.end(body);
  });
}

/** @throws TRAINER_UPDATE_INVALID, TRAINER_FAILED */
async function read(role: ProgramRole, response: IncomingMessage, mostBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      ensure(size <= mostBytes, "TRAINER_UPDATE_INVALID", `the answer has more than ${mostBytes} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw new VerisumError("TRAINER_FAILED", `the ${role}'s answer broke off`, {}, { cause });
  }
  return Buffer.concat(parts);
}
