import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { bindDeployment, createDeploymentWatch, deploymentsIn } from "../../task/deployment.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { createRecorder } from "../support/round-recorder.ts";
import type { Recorder } from "../support/round-recorder.ts";

const SCOPE = `31337-0x${"ab".repeat(20)}`;
const OLD = word("the deployment that the state is of");
const NEW = word("another one at the same address");

describe("what is kept of a contract", () => {
  let directory: string;
  let reporter: Recorder;
  const path = (...names: readonly string[]): string => join(directory, ...names);
  const state = { file: path };
  const secret = (): string => path(`${SCOPE}-1`, "round-key-1.json");

  /** @param told on connecting, then by each endpoint when they are asked anew */
  const bind = (told: Hex, anew: readonly (Hex | undefined)[], finalBlock = 10): Promise<void> => {
    const chain = {
      context: { deployment: told },
      deployments: () => Promise.resolve(anew),
      origin: () => Promise.resolve({ number: 5, hash: word("block 5") }),
      finalBlock: () => Promise.resolve(finalBlock),
    } as unknown as TaskReader;
    return bindDeployment(state, chain, SCOPE, reporter);
  };
  const noted = async (): Promise<string | undefined> => (await deploymentsIn(directory)).get(SCOPE);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-deployment-"));
    reporter = createRecorder();
    await mkdir(path(`${SCOPE}-1`));
    await writeFile(secret(), "key");
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("stays where it is while the contract is the one that it is of, and no endpoint is asked again", async () => {
    await bind(OLD, [OLD]);
    assert.equal(await noted(), OLD);
    await bind(OLD, [NEW]);
    assert.equal(await readFile(secret(), "utf8"), "key");
  });

  it("is put aside once every endpoint says that the contract is another one", async () => {
    await bind(OLD, [OLD]);
    await bind(NEW, [NEW, NEW]);
    assert.equal(existsSync(secret()), false);
    const [{ path: place }] = reporter.facts("state-set-aside") as [{ path: string }];
    assert.equal(await readFile(join(place, `${SCOPE}-1`, "round-key-1.json"), "utf8"), "key");
    assert.equal(await noted(), NEW);
  });

  for (const [what, anew] of [
    ["the same endpoint says otherwise when it is asked again", [OLD]],
    ["another endpoint says otherwise", [NEW, OLD]],
    ["another endpoint does not answer", [NEW, undefined]],
    ["none answers any more", [undefined]],
  ] as const)
    it(`stays where it is if ${what}`, async () => {
      await bind(OLD, [OLD]);
      await rejectsCode(bind(NEW, anew), "CHAIN_UNREACHABLE");
      assert.equal(await readFile(secret(), "utf8"), "key");
      assert.equal(await noted(), OLD);
    });

  it("is noted only when no endpoint says otherwise, all have said so, and the deployment is final", async () => {
    await rejectsCode(bind(NEW, [OLD]), "CHAIN_UNREACHABLE");
    await bind(OLD, [OLD, undefined]);
    await bind(OLD, [OLD], 4);
    assert.equal(await noted(), undefined);
    await bind(OLD, [OLD], 5);
    assert.equal(await noted(), OLD);
  });
});

describe("a role whose contract becomes another deployment", () => {
  const watchOver = (
    answers: readonly (readonly (Hex | undefined)[])[],
  ): { look: () => Promise<void>; asked: () => number } => {
    let [now, asked] = [0, 0];
    const deployments = (): Promise<readonly (Hex | undefined)[]> => Promise.resolve(answers[asked++] ?? [OLD]);
    const chain = { context: { deployment: OLD }, deployments } as unknown as TaskReader;
    const watch = createDeploymentWatch(chain, () => now);
    const look = async (): Promise<void> => {
      now += 5_000;
      await watch();
      await new Promise(setImmediate);
    };
    return { look, asked: () => asked };
  };

  it("waits for no endpoint that is slow to say so", async () => {
    let asked = 0;
    const deployments = (): Promise<never> => ((asked += 1), new Promise(() => undefined));
    let now = 0;
    const watch = createDeploymentWatch(
      { context: { deployment: OLD }, deployments } as unknown as TaskReader,
      () => now,
    );
    for (let looks = 0; looks < 10; looks++) await ((now += 5_000), watch());
    assert.equal(asked, 1);
  });

  it("ends once all endpoints said so twice in a row, and is asked of them seldom", async () => {
    const { look, asked } = watchOver([
      [NEW, NEW],
      [NEW, undefined],
    ]);
    for (let looks = 0; looks < 3; looks++) await look();
    assert.equal(asked(), 1);
    await look();
    await rejectsCode(look(), "CONTRACT_REPLACED", { began: OLD, now: NEW });
  });

  for (const [what, answers] of [
    [
      "one endpoint knows better",
      [
        [NEW, OLD],
        [NEW, OLD],
        [NEW, OLD],
      ],
    ],
    ["none answers", [[undefined], [undefined], [undefined]]],
    ["it was so for a moment", [[NEW], [OLD], [NEW], [OLD]]],
  ] as const)
    it(`goes on where ${what}`, async () => {
      const { look, asked } = watchOver(answers);
      for (let looks = 0; looks < 10; looks++) await look();
      assert.ok(asked() >= 3);
    });
});
