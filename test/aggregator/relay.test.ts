import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { Wallet } from "ethers";
import Fastify from "fastify";
import { signSubmission } from "../../chain/submission-signature.ts";
import type { SignedSubmission, TaskWriter } from "../../chain/task-chain.ts";
import { addRelayRoute, createRelay } from "../../aggregator/relay.ts";
import type { Relay } from "../../aggregator/relay.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex, RoundContext } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";

const CONTEXT: Pick<RoundContext, "chainId" | "contract"> = { chainId: 1n, contract: `0x${"11".repeat(20)}` };
const POINT = { x: 1n, y: 2n };
const SUBMISSION: Submission = {
  commitment: POINT,
  sharesCid: `0x${"22".repeat(32)}`,
  shareHashes: [],
  chunks: [],
  shareEvaluations: [],
  opening: POINT,
};
const WALLETS = [1, 2].map((key) => new Wallet(`0x${key.toString(16).padStart(64, "0")}`));

/** A relay of two clients' submissions, due at once, on a chain that says which round it is and who is in. */
class Scene {
  number = 1n;
  /** Calls to the chain. */
  calls = 0;
  readonly isIn = new Set<Hex>();
  readonly sent: (readonly Hex[])[] = [];
  /** Runs while a batch is under way. */
  meanwhile: () => Promise<void> = () => Promise.resolve();
  readonly relay: Relay;

  constructor() {
    const chain = {
      context: CONTEXT,
      round: () =>
        Promise.resolve({
          number: this.counted(this.number),
          phase: "Collecting",
          submitted: this.isIn.size,
          expected: 9,
          deadline: 30,
        }),
      blockTime: () => Promise.resolve(0),
      client: (client: Hex) =>
        Promise.resolve({
          weight: this.counted(1),
          activeFromRound: 0n,
          lastSubmittedRound: this.isIn.has(client) ? this.number : 0n,
        }),
      checkBatch: () => Promise.resolve(this.counted(undefined)),
      submitBatch: async (_: bigint, batched: readonly SignedSubmission[]) => {
        this.sent.push(batched.map(({ client }) => client));
        await this.meanwhile();
        return { gasUsed: 1n, transactionHash: "0x", blockNumber: 1 };
      },
    } as unknown as TaskWriter;
    const parameters = { chunkKinds: [0], committeeSize: 4, threshold: 2 } as unknown as TaskParameters;
    this.relay = createRelay({
      chain,
      parameters,
      batch: 8,
      reporter: { say: () => undefined, wait: () => undefined },
      clock: () => 0,
    });
  }

  private counted<T>(answer: T): T {
    this.calls++;
    return answer;
  }

  async handOver(wallet: Wallet): Promise<Hex> {
    const signed = await signSubmission(wallet, { ...CONTEXT, round: this.number }, SUBMISSION);
    await this.relay.accept(this.number, signed);
    return signed.client;
  }
}

describe("a relay", () => {
  it("does not pay for a client that has sent its own meanwhile", async () => {
    const scene = new Scene();
    const [first, second] = [await scene.handOver(WALLETS[0]!), await scene.handOver(WALLETS[1]!)];
    scene.isIn.add(first);
    assert.equal(await scene.relay.step(), true);
    assert.deepEqual(scene.sent, [[second]]);
    assert.equal(await scene.relay.step(), false);
  });

  it("keeps what a client hands over for the next round while the last one's batch is under way", async () => {
    const scene = new Scene();
    const client = await scene.handOver(WALLETS[0]!);
    scene.meanwhile = async () => {
      scene.meanwhile = () => Promise.resolve();
      scene.number = 2n;
      await scene.handOver(WALLETS[0]!);
    };
    await scene.relay.step();
    assert.equal(await scene.relay.step(), true);
    assert.deepEqual(scene.sent, [[client], [client]]);
  });

  it("asks the chain nothing about a submission that its client did not sign", async () => {
    const scene = new Scene();
    const signed = await signSubmission(WALLETS[0]!, { ...CONTEXT, round: 1n }, SUBMISSION);
    await rejectsCode(scene.relay.accept(2n, signed), "SIGNATURE_INVALID");
    await rejectsCode(scene.relay.accept(1n, { ...signed, client: `0x${"33".repeat(20)}` }), "SIGNATURE_INVALID");
    assert.equal(scene.calls, 0);
    await scene.relay.accept(1n, signed);
    assert.ok(scene.calls > 0);
  });

  it("refuses an address that posts too often for a minute, before it reads on, and no other one", async () => {
    let [now, accepted] = [0, 0];
    const app = Fastify();
    const relay: Relay = {
      accept: () => {
        accepted++;
        return Promise.resolve();
      },
      step: () => Promise.resolve(false),
    };
    addRelayRoute(
      app,
      relay,
      { chunkKinds: [0], committeeSize: 4, threshold: 2 } as unknown as TaskParameters,
      () => now,
    );
    const post = async (remoteAddress: string): Promise<number> =>
      (await app.inject({ method: "POST", url: "/v1/submissions/1", remoteAddress, payload: {} })).statusCode;
    // As many as all clients of the largest cohort may have checked.
    for (let made = 0; made < 4 * 256; made++) assert.equal(await post("192.0.2.1"), 400);
    assert.deepEqual([await post("192.0.2.1"), await post("192.0.2.2")], [429, 400]);
    now = 59_999;
    assert.equal(await post("192.0.2.1"), 429);
    now = 60_000;
    assert.equal(await post("192.0.2.1"), 400);
    assert.equal(accepted, 0);
    await app.close();
  });
});
