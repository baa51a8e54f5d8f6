/** A trainer that serves on this machine and stays: `--trainer http://127.0.0.1:PORT`, one request in each round. */
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { isIPv4 } from "node:net";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { RoundTrainer } from "../round-trainer.ts";
import { baseFile, mostUpdateBytes, parseUpdate, roundConfig } from "./round-files.ts";

const DONE = 200;
const SIT_OUT = 204;

export interface HttpTrainerOptions {
  /** From `trainerUrl`. */
  readonly url: URL;
  /** Sent as a bearer token: other users of this machine can reach the server as well. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A trainer's URL: HTTP, on this machine only, by its address. @throws USAGE */
export function trainerUrl(text: string): URL {
  const url = URL.parse(text);
  const host = url?.hostname ?? "";
  const isLoopback = host === "[::1]" || (isIPv4(host) && host.startsWith("127."));
  ensure(
    url !== null && url.protocol === "http:" && isLoopback && url.username === "" && url.password === "",
    "USAGE",
    "a trainer's URL is http:// with a loopback address, such as http://127.0.0.1:8000: updates leave this machine only proven",
  );
  return url;
}

/** @returns a trainer that throws TRAINER_UNAVAILABLE, TRAINER_FAILED, TRAINER_UPDATE_INVALID */
export function httpTrainer({ url, token, now }: HttpTrainerOptions): RoundTrainer {
  return {
    train: async (round) => {
      const body = baseFile(round, { config: JSON.stringify(roundConfig(round, now())) });
      const response = await post(url, token, body, round.signal);
      if (response.statusCode === SIT_OUT) {
        response.resume();
        return { kind: "sit-out" };
      }
      const bytes = await read(response, mostUpdateBytes(round));
      ensure(response.statusCode === DONE, "TRAINER_FAILED", `the trainer answers with status ${response.statusCode}`, {
        status: response.statusCode ?? 0,
      });
      return parseUpdate(bytes, round);
    },
  };
}

/** Training takes as long as it takes: nothing but the signal ends the wait. Redirections are not followed. */
function post(url: URL, token: string, body: Uint8Array, signal: AbortSignal): Promise<IncomingMessage> {
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
      reject(new VerisumError(code, `the trainer at ${url.origin}: ${why}`, {}, { cause }));
    });
    sent.end(body);
  });
}

/** @throws TRAINER_UPDATE_INVALID, TRAINER_FAILED */
async function read(response: IncomingMessage, mostBytes: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      ensure(size <= mostBytes, "TRAINER_UPDATE_INVALID", `the update has more than ${mostBytes} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof VerisumError) throw cause;
    throw new VerisumError("TRAINER_FAILED", "the trainer's answer broke off", {}, { cause });
  }
  return Buffer.concat(parts);
}
