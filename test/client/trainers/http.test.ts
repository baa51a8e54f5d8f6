import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { trainerAddress, trainerLine, trainerToken, trainerUrl } from "../../../client/trainers/address.ts";
import { checkedTrainer } from "../../../client/trainers/checked.ts";
import { httpEvaluator, httpTrainer } from "../../../client/trainers/http.ts";
import type { RoundTrainer, TrainingRound } from "../../../client/round-trainer.ts";
import { decodeSafetensors, encodeSafetensors } from "../../../learning/safetensors.ts";
import type { SafetensorsFile } from "../../../learning/safetensors.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";

const TOKEN = "0123456789abcdef";
const ROUND: TrainingRound = {
  round: 3n,
  baseDigest: "0xcd",
  tensors: [{ name: "w", shape: [2], data: Float32Array.of(1, 2) }],
  parameters: [{ name: "w", shape: [2], trained: true }],
  secondsLeft: 60,
  training: { learningRate: 0.1, momentum: 0, batchSize: 8, localEpochs: 1 },
  options: {},
  signal: new AbortController().signal,
};

describe("a trainer that serves on this machine", () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  const serving = async (listener: RequestListener): Promise<RoundTrainer> => {
    server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return checkedTrainer(httpTrainer({ url: trainerUrl(`http://127.0.0.1:${port}`), token: TOKEN, now: () => 0 }));
  };

  it("gets the base with its configuration and the token, and answers with an update", async () => {
    const trainer = await serving((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => answer(request, response, decodeSafetensors(Buffer.concat(parts))));
    });
    const answer = (
      request: IncomingMessage,
      response: ServerResponse,
      { tensors, metadata }: SafetensorsFile,
    ): void => {
      const { round, base } = JSON.parse(metadata.config!) as { round: string; base: string };
      const isMine = request.headers.authorization === `Bearer ${TOKEN}`;
      response.writeHead(isMine ? 200 : 401).end(encodeSafetensors(tensors, { kind: "weights", round, base }));
    };
    const result = await trainer.train(ROUND);
    assert.deepEqual(result, { kind: "weights", tensors: ROUND.tensors });
  });

  it("sits out with status 204, and fails with others, with answers that break off and at the deadline", async () => {
    assert.deepEqual(await (await serving((_, response) => response.writeHead(204).end())).train(ROUND), {
      kind: "sit-out",
    });
    server?.close();
    const cases: RequestListener[] = [
      (_, response) => response.writeHead(500).end(),
      (_, response) => response.writeHead(302, { location: "http://192.0.2.1/" }).end(),
      (_, response) => {
        response.writeHead(200, { "content-length": "100" }).write("x", () => response.destroy());
      },
      () => undefined,
    ];
    for (const listener of cases) {
      await rejectsCode((await serving(listener)).train({ ...ROUND, secondsLeft: 0.5 }), "TRAINER_FAILED");
      server?.closeAllConnections();
      server?.close();
    }
  });

  it("is refused an update that is too long or none at all", async () => {
    const long = await serving((_, response) => response.end(Buffer.alloc(8 << 20)));
    await rejectsCode(long.train(ROUND), "TRAINER_UPDATE_INVALID");
    server?.closeAllConnections();
    server?.close();
    await rejectsCode((await serving((_, response) => response.end("{}"))).train(ROUND), "TRAINER_UPDATE_INVALID");
  });

  it("measures a model in any numbers, of which those that are finite are taken", async () => {
    const answers = ['{"auc":0.75,"note":"kept out","nan":null}', "[1]", "not JSON"];
    await serving((_, response) => response.end(answers.shift()));
    const { port } = server!.address() as AddressInfo;
    const url = trainerUrl(`http://127.0.0.1:${port}`);
    const evaluator = httpEvaluator({ url, token: TOKEN, now: () => 0 });
    assert.deepEqual(await evaluator.evaluate(ROUND), { auc: 0.75 });
    assert.deepEqual(await evaluator.evaluate(ROUND), {});
    await rejectsCode(evaluator.evaluate(ROUND), "TRAINER_FAILED");
  });

  it("is waited for while nothing listens", async () => {
    const trainer = await serving(() => undefined);
    server?.close();
    await once(server!, "close");
    await rejectsCode(trainer.train(ROUND), "TRAINER_UNAVAILABLE");
  });

  for (const text of [
    "http://192.0.2.1:80",
    "http://localhost:80",
    "https://127.0.0.1",
    "http://a:b@127.0.0.1",
    "http://127.0.0.1.example.org",
    "http://",
  ])
    it(`is refused at ${text}`, () => throwsCode(() => trainerUrl(text), "USAGE"));

  it("takes its token from a file or the environment, and a command takes none", async () => {
    const directory = await mkdtemp(join(tmpdir(), "verisum-token-"));
    const file = join(directory, "token");
    await writeFile(file, `${TOKEN}\n`);
    const url = new URL("http://[::1]:8000");
    const line = trainerLine(url.href);
    assert.deepEqual(trainerAddress(line, trainerToken(file)), { url, token: TOKEN });
    assert.deepEqual(trainerAddress(line, TOKEN), { url, token: TOKEN });
    throwsCode(() => trainerAddress(line, undefined), "USAGE");
    throwsCode(() => trainerAddress(line, "short"), "USAGE");
    throwsCode(() => trainerToken(join(directory, "none")), "USAGE");
    assert.deepEqual(trainerAddress(trainerLine('python "my train.py"'), "short"), {
      words: ["python", "my train.py"],
    });
    await rm(directory, { recursive: true });
  });
});
