import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import type { SubmittedRecord } from "../../chain/task-chain.ts";
import { startHarness } from "../support/round-harness.ts";
import type { ClientRole, RoundHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

const SPECIFICATION = {
  ...TINY_SPECIFICATION,
  rounds: { bufferGoal: 4, maxStaleness: 4, minSeparation: 1, minCollectSeconds: 0 },
};

describe("rounds that do not wait for slow clients", function () {
  this.timeout(400_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: 6, learning: "scripted", specification: SPECIFICATION });
  });
  after(() => harness.close());

  const playRounds = async (count: number): Promise<SubmittedRecord[]> => {
    const submitted: SubmittedRecord[] = [];
    for (let rounds = 0; rounds < count; rounds++) {
      const { state, records } = await harness.playRound();
      assert.equal(state.phase, "Finalised");
      submitted.push(...records.submitted);
    }
    return submitted;
  };

  it("go on with the fast ones, and lose no update of the slow ones that is not too old", async () => {
    const slow = harness.clients.slice(4);
    let trained: () => void = () => undefined;
    const training = new Promise<void>((resolve) => (trained = resolve));
    for (const client of slow) {
      client.running = false;
      client.restart((deps) => ({
        ...deps,
        learner: {
          ...deps.learner,
          update: async (...given) => {
            await training;
            return deps.learner.update(...given);
          },
        },
      }));
    }
    // They begin with the genesis, and two models are made before they are done.
    const steps = slow.map((client) => client.step());
    const fast = await playRounds(2);
    assert.deepEqual(
      fast.map(({ submission }) => submission.base),
      [0n, 0n, 0n, 0n, 1n, 1n, 1n, 1n],
    );
    trained();
    assert.deepEqual(await Promise.all(steps), ["acted", "acted"]);
    for (const client of slow) client.running = true;
    const later = await playRounds(3);
    const basesOf = ({ account }: ClientRole): readonly bigint[] =>
      later.filter(({ client }) => client === account).map(({ submission }) => submission.base);
    for (const client of slow) {
      assert.equal(basesOf(client)[0], 0n, "what it trained from the genesis is in a later round");
      assert.deepEqual(client.reporter.facts("dropped"), []);
      assert.deepEqual(client.reporter.facts("drawn")[0]?.staleness, 2);
    }
    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(audit.model?.record.round, 5n);
  });
});
