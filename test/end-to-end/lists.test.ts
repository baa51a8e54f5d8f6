/** Who takes part changes while a task runs: by real roles, with real proofs, over a chain. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { Hex } from "../../protocol/transcript.ts";
import { startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";

const CLIENTS = 4;
/** Of the chain's accounts; operator, members and clients have the first ones. */
const NEXT_MEMBER = 12;

describe("a task whose parties change", function () {
  this.timeout(300_000);
  let harness: RoundHarness;
  before(async () => {
    harness = await startHarness({ clients: CLIENTS, learning: "scripted" });
  });
  after(() => harness.close());

  it("loses no round when a client is removed, a member replaced and the aggregator swapped, and verifies as a whole", async () => {
    const { operator, clients, members, chain } = harness;
    assert.equal((await harness.playRound()).state.phase, "Finalised");

    // In the middle of the second round.
    await harness.play(["Collecting"], 2n);
    const [gone, former] = [clients[3]!, members[1]!];
    const wallet = chain.wallet(NEXT_MEMBER);
    const next = wallet.address.toLowerCase() as Hex;
    await operator.removeClient(gone.account);
    await operator.replaceMember(2, next);
    await harness.addMember(2, wallet);
    const second = await harness.play(["Finalised", "Aborted"], 2n);
    assert.deepEqual([second.number, second.phase], [2n, "Finalised"]);
    const records = await operator.records(2n);
    assert.equal(records.submitted.length, CLIENTS);

    await harness.swapAggregator();
    for (const round of [3n, 4n]) {
      const state = await harness.play(["Finalised", "Aborted"], round);
      assert.deepEqual([state.number, state.phase], [round, "Finalised"]);
      const { submitted, settled } = await operator.records(round);
      assert.ok(submitted.every(({ client }) => client !== gone.account));
      assert.equal(submitted.length, CLIENTS - 1);
      assert.equal(settled!.included, 0b111n);
    }
    assert.equal((await operator.records(4n)).opened!.keyMask, 0b1111n);
    assert.equal(await gone.step(), "done");
    assert.equal(await former.step(), false);
    const seats = (round: bigint): Promise<readonly Hex[]> => operator.members(round);
    assert.deepEqual([(await seats(2n))[1], (await seats(3n))[1]], [former.node.chain.account, next]);

    const audit = await harness.audit();
    assert.deepEqual(
      audit.findings.filter(({ ok }) => !ok),
      [],
    );
    assert.equal(audit.ok, true);
    assert.deepEqual(audit.model?.record, await operator.latestModel());
    assert.deepEqual(await operator.finalisedRoundNumbers(), [1n, 2n, 3n, 4n]);
  });
});
