import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, globSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { openStateDirectory } from "../../storage/state-directory.ts";
import type { Trainer } from "../../learning/trainer.ts";
import { openJournal } from "../../client/journal.ts";
import { G1_GENERATOR } from "../../protocol/points.ts";
import { DIMENSION, NOISE_VARIANCE, noiseOf, noisyClient } from "../support/noisy-client.ts";
import { seededRandom, word } from "../support/random.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NODE_OPTIONS = ["--disable-warning=ExperimentalWarning"];
const run = promisify(execFile);

interface Printed {
  readonly rounds: readonly string[];
  readonly noise: readonly number[];
}

/** Correlation in standard deviations of that of independent noise, 1/√DIMENSION; √DIMENSION for equal noise. */
function likeness(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let products = 0;
  for (let i = 0; i < a.length; i++) products += a[i]! * b[i]!;
  return products / (NOISE_VARIANCE * Math.sqrt(DIMENSION));
}

/** A contributor's own bytes are hashed with the platform's; no client and no member runs this. */
const CEREMONY = ["auditor/setup-commands.ts", "auditor/setup-options.ts"];

describe("a client's randomness", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-randomness-"));
    const state = await openStateDirectory(join(directory, "original"));
    const submission = {
      base: 4n,
      commitment: G1_GENERATOR,
      sharesCid: word("cid"),
      shareHashes: [],
      chunks: [],
      shareEvaluations: [],
      opening: G1_GENERATOR,
    };
    await openJournal(state, "scope").keep({
      round: 7n,
      base: 4n,
      baseModelDigest: word("base"),
      parametersHash: word("parameters"),
      weight: 1,
      roundKeys: [],
      submission,
    });
    await state.release();
    cpSync(join(directory, "original"), join(directory, "copy"), { recursive: true });
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const clientProcess = async (name: string): Promise<Printed> => {
    const { stdout } = await run(process.execPath, [
      ...NODE_OPTIONS,
      join(ROOT, "test/support/noise-process.ts"),
      join(directory, name),
    ]);
    return JSON.parse(stdout) as Printed;
  };

  it("differs between two processes in one state, at once or after a restart", async () => {
    const [first, copy] = await Promise.all([clientProcess("original"), clientProcess("copy")]);
    const restarted = await clientProcess("original");
    const processes = [first, copy, restarted];
    for (const { rounds, noise } of processes) {
      assert.deepEqual(rounds, ["7"]);
      assert.equal(noise.length, DIMENSION);
    }
    for (const [a, b] of [
      [first, copy],
      [first, restarted],
      [copy, restarted],
    ] as const)
      assert.ok(Math.abs(likeness(a.noise, b.noise)) < 8, JSON.stringify([a, b]));
  }).timeout(60_000);

  it("would be seen to repeat by the same measure, if a seed repeated it", async () => {
    const [a, b] = await Promise.all([1, 2].map(() => noiseOf(noisyClient(seededRandom("one seed")), 8n)));
    assert.deepEqual(a, b);
    assert.ok(likeness(a!, b!) > 10);
    const client = noisyClient(seededRandom("one seed"));
    assert.ok(
      Math.abs(likeness(await noiseOf(client, 8n), await noiseOf(client, 9n))) < 8,
      "a process does not repeat itself either",
    );
  });

  it("is used up before training starts, so that no time after it tells of the noise", async () => {
    const events: (number | "training")[] = [];
    const random = seededRandom("order");
    const train: Trainer["train"] = (weights) => {
      events.push("training");
      return Promise.resolve({ weights: weights.slice(), loss: 1, steps: 1 });
    };
    await noiseOf(
      noisyClient((length) => {
        events.push(length);
        return random(length);
      }, train),
      1n,
    );
    const start = events.indexOf("training");
    const bytes = (list: typeof events): number => list.reduce<number>((sum, length) => sum + Number(length), 0);
    assert.equal(bytes(events.slice(0, start)), 12 * DIMENSION, "the noise");
    // An attempt at stochastic rounding takes four bytes a coordinate; of an update of zero the first succeeds.
    assert.equal(bytes(events.slice(start + 1)), 4 * DIMENSION, "the rounding");
  });

  it("is the platform's, in the commands of clients and members alike", () => {
    for (const [command, uses] of [
      ["client/cli.ts", 1],
      ["aggregator/cli.ts", 2],
    ] as const) {
      const lines = readFileSync(join(ROOT, command), "utf8")
        .split("\n")
        .filter((line) => /random/i.test(line) && !line.startsWith("import "));
      assert.equal(lines.length, uses, command);
      for (const line of lines) assert.match(line, /\{ reporter, random: platformRandom, signal \}/);
    }
    assert.match(
      readFileSync(join(ROOT, "command/platform-random.ts"), "utf8"),
      /=> randomFillSync\(new Uint8Array\(byteLength\)\);/,
    );
  });

  it("has no other source in the code of clients and members", () => {
    const sources = globSync("{auditor,client,member,aggregator}/**/*.ts", { cwd: ROOT, exclude: CEREMONY });
    assert.ok(sources.length > 20);
    const drawing =
      /randomFill|randomBytes|randomInt|getRandomValues|randomUUID|createRandom|\.encrypt\(|createCipheriv|createHash|hkdf|scrypt|[sS]eeded|@noble\/(hashes|ciphers)|\): Uint8Array =>/;
    assert.deepEqual(
      sources.filter((path) => drawing.test(readFileSync(join(ROOT, path), "utf8"))),
      [],
    );
  });

  it("cannot be chosen on the command line or in the environment", () => {
    const files = globSync(["{auditor,client,member,aggregator}/**/*.ts", "command/*.ts"], {
      cwd: ROOT,
      exclude: CEREMONY,
    }).map((path) => ({ path, source: readFileSync(join(ROOT, path), "utf8") }));
    const sources = files.map(({ source }) => source).join("\n");
    const options = [...sources.matchAll(/"(?:-\w, )?--([a-z-]+)/g)].map(([, name]) => name!);
    assert.ok(options.includes("contract") && options.includes("data"));
    assert.deepEqual(
      options.filter((name) => /seed|random|entropy/.test(name)),
      [],
    );
    // They find the account's key, a trainer's token, what a trainer's process inherits, and the user's cache there.
    const reading = files.filter(({ source }) => source.includes("process.env")).map(({ path }) => path);
    assert.deepEqual(reading.sort(), [
      "auditor/doctor/run-doctor.ts",
      "client/cli.ts",
      "client/trainers/command.ts",
      "command/user-records.ts",
    ]);
  });
});
