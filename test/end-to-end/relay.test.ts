import { after, afterEach, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { JsonRpcProvider } from "ethers";
import { signedSubmissionJson } from "../../task/signed-submission.ts";
import { createRelayClient } from "../../client/relay.ts";
import { RELAY_BATCH, startHarness } from "../support/round-harness.ts";
import type { ClientRole, RoundHarness } from "../support/round-harness.ts";

describe("a round whose submissions are relayed", function () {
  this.timeout(180_000);
  let harness: RoundHarness;
  let provider: JsonRpcProvider;
  before(async () => {
    harness = await startHarness({ clients: 4, learning: "scripted" });
    provider = new JsonRpcProvider(harness.chain.rpc);
  });
  after(async () => {
    provider.destroy();
    await harness.close();
  });
  afterEach(() => {
    for (const role of harness.clients) role.restart();
  });

  const relayTo = (client: ClientRole, url: string, pause: (milliseconds: number) => Promise<void>): void =>
    client.restart((deps) => ({
      ...deps,
      relay: createRelayClient({
        chain: client.node.chain,
        nodes: () => [url],
        fetch: globalThis.fetch,
        sleep: pause,
        reporter: client.reporter,
      }),
    }));
  /** Steps all clients at once, and the relay until they have ended. */
  const stepAll = async (): Promise<void> => {
    let ended = false;
    const clients = Promise.all(harness.clients.map((client) => client.step())).finally(() => {
      ended = true;
    });
    while (!ended) {
      await harness.aggregator.relay.step();
      await sleep(50);
    }
    await clients;
  };
  const sendersOf = async (transactions: readonly string[]): Promise<string[]> =>
    Promise.all(transactions.map(async (hash) => (await provider.getTransaction(hash))!.from.toLowerCase()));

  it("has them on chain in batches of the aggregator, is finalised and passes the audit", async () => {
    await harness.play(["Collecting"]);
    for (const client of harness.clients) relayTo(client, harness.aggregator.url, () => sleep(50));
    await stepAll();
    const { number, phase } = await harness.operator.round();
    assert.equal(phase, "Attesting");
    const { submitted } = await harness.operator.records(number);
    assert.deepEqual(
      new Set(submitted.map(({ client }) => client)),
      new Set(harness.clients.map(({ account }) => account)),
    );
    const transactions = [...new Set(submitted.map(({ transactionHash }) => transactionHash))];
    assert.equal(transactions.length, Math.ceil(harness.clients.length / RELAY_BATCH));
    assert.deepEqual(new Set(await sendersOf(transactions)), new Set([harness.operator.account]));
    assert.equal((await harness.play(["Finalised", "Aborted"])).phase, "Finalised");
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
  });

  it("goes on without a relay that takes submissions and keeps them: each client sends its own", async () => {
    const { number } = await harness.play(["Collecting"], (await harness.operator.round()).number + 1n);
    for (const client of harness.clients) relayTo(client, harness.aggregator.url, () => Promise.resolve());
    await Promise.all(harness.clients.map((client) => client.step()));
    const { submitted } = await harness.operator.records(number);
    assert.equal(submitted.length, harness.clients.length);
    assert.deepEqual(
      new Set(await sendersOf(submitted.map(({ transactionHash }) => transactionHash))),
      new Set(harness.clients.map(({ account }) => account)),
    );
    // What the relay kept is worth nothing now.
    assert.equal(await harness.aggregator.relay.step(), false);
    await harness.play(["Finalised"]);
  });

  it("goes on without a node that relays", async () => {
    const { number } = await harness.play(["Collecting"], (await harness.operator.round()).number + 1n);
    for (const client of harness.clients) relayTo(client, "http://127.0.0.1:9", () => Promise.resolve());
    await Promise.all(harness.clients.map((client) => client.step()));
    assert.equal((await harness.operator.records(number)).submitted.length, harness.clients.length);
    await harness.play(["Finalised"]);
  });

  it("keeps strangers, altered submissions and other rounds out before it pays for them", async () => {
    const { number } = await harness.play(["Collecting"], (await harness.operator.round()).number + 1n);
    const { submission } = (await harness.operator.records(number - 1n)).submitted[0]!;
    const chain = harness.clients[0]!.node.chain;
    const post = async (body: string, round = number): Promise<number> =>
      (
        await fetch(`${harness.aggregator.url}/v1/submissions/${round}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body,
        })
      ).status;
    const signed = await chain.signSubmission(number, submission);
    assert.equal(await post("{}"), 400);
    assert.equal(
      await post(JSON.stringify({ ...(JSON.parse(signedSubmissionJson(signed)) as object), extra: 1 })),
      400,
    );
    assert.equal(await post(signedSubmissionJson(signed), number + 1n), 403);
    assert.equal(
      await post(signedSubmissionJson(await chain.signSubmission(number + 1n, submission)), number + 1n),
      409,
    );
    assert.equal(
      await post(
        signedSubmissionJson({ ...signed, submission: { ...submission, sharesCid: submission.shareHashes[0]! } }),
      ),
      403,
    );
    assert.equal(await post(signedSubmissionJson(await harness.operator.signSubmission(number, submission))), 403);
    assert.equal(await post(" ".repeat(100_000)), 413);
    // Last round's proofs, signed for this one: the contract refuses them in the simulated call, and soon no more are
    // tried.
    assert.deepEqual([await post(signedSubmissionJson(signed)), await post(signedSubmissionJson(signed))], [422, 422]);
    assert.deepEqual(
      [
        await post(signedSubmissionJson(signed)),
        await post(signedSubmissionJson(signed)),
        await post(signedSubmissionJson(signed)),
      ],
      [422, 422, 429],
    );
    assert.equal(await harness.aggregator.relay.step(), false);
  });
});
