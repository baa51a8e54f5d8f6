import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { chooseSettlement, replaces } from "../../aggregator/settling.ts";
import type { Choice } from "../../aggregator/settling.ts";
import type { AttestationStatement, RoundState } from "../../chain/task-chain.ts";
import { bitCount } from "../../protocol/committee.ts";
import { checkAsync } from "../support/properties.ts";
import { memoryAttestations, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

const RULES = { committeeSize: 4, quorum: 3, minClients: 3, maxCorrupt: 1, maxRefusals: 0 };
const ROUND = { submitted: 4, keyMask: 0b1111n };

const says = (seat: number, good: bigint, refused = 0n): AttestationStatement => ({
  ...{ round: 1n, intake: word("intake"), seat, good, refused },
  signature: { r: word("r"), vs: word("vs") },
});
const choose = (...said: readonly AttestationStatement[]): Choice | undefined => chooseSettlement(said, ROUND, RULES);
const seatsOf = (choice: Choice | undefined): number[] => choice!.statements.map(({ seat }) => seat);

describe("what statements let a round settle on", () => {
  it("is everybody at once, with a quorum's statements and no more", () => {
    const choice = choose(...[1, 2, 3, 4].map((seat) => says(seat, 0b1111n)));
    assert.deepEqual([choice!.included, choice!.members, choice!.isConclusive], [0b1111n, 0b0111n, true]);
    assert.deepEqual(seatsOf(choice), [1, 2, 3]);
  });

  it("is everybody but a client that too many refused, at once, with as many refusals as it takes", () => {
    const choice = choose(says(1, 0b0111n), says(2, 0b0111n, 0b1000n), says(3, 0b0111n), says(4, 0b0111n, 0b1000n));
    assert.deepEqual([choice!.included, choice!.isConclusive], [0b0111n, true]);
    assert.equal(choice!.statements.filter(({ refused }) => refused !== 0n).length, 2);
    assert.equal(bitCount(choice!.members), 3);
  });

  it("counts the refusals of members outside the quorum as well", () => {
    const choice = choose(says(1, 0b0111n), says(2, 0b0111n, 0b1000n), says(3, 0b0111n), says(4, 0b0001n, 0b1000n));
    assert.deepEqual([choice!.members, choice!.isConclusive], [0b0111n, true]);
    assert.deepEqual(seatsOf(choice), [1, 2, 3, 4]);
  });

  it("is a proposal where somebody outside is only missed, not refused, and then has the most members", () => {
    const choice = choose(says(1, 0b0111n), says(2, 0b0111n, 0b1000n), says(3, 0b0111n), says(4, 0b0111n));
    assert.deepEqual([choice!.included, choice!.members, choice!.isConclusive], [0b0111n, 0b1111n, false]);
  });

  it("is a proposal with the refusals of members outside where the task counts them", () => {
    const said = [says(1, 0b0011n), says(2, 0b1011n, 0b0100n), says(3, 0b1011n), says(4, 0b1011n)];
    const outside = says(5, 0b1000n, 0b0100n);
    const rules = { ...RULES, committeeSize: 5, minClients: 2, maxCorrupt: 2 };
    const round = { submitted: 4, keyMask: 0b11111n };
    for (const [maxRefusals, seats] of [
      [0, [2, 3, 4]],
      [1, [2, 3, 4, 5]],
    ] as const) {
      const choice = chooseSettlement([...said, outside], round, { ...rules, maxRefusals })!;
      assert.deepEqual([choice.included, choice.members, choice.isConclusive], [0b1011n, 0b01110n, false]);
      assert.deepEqual(seatsOf(choice), seats);
    }
  });

  it("is nothing below a quorum, or below the clients that a settlement needs", () => {
    assert.equal(choose(says(1, 0b1111n), says(2, 0b1111n)), undefined);
    assert.equal(choose(...[1, 2, 3].map((seat) => says(seat, 0b0011n))), undefined);
  });

  it("does not rest on statements that the contract refuses: they would take the others with them", () => {
    const bad = [says(4, 0b11111n), says(4, 0b1111n, 0b0001n), says(4, 0b0111n, 0b10000n)];
    for (const statement of bad) {
      assert.equal(choose(says(1, 0b1111n), says(2, 0b1111n), statement), undefined);
      assert.deepEqual(seatsOf(choose(...[1, 2, 3].map((seat) => says(seat, 0b1111n)), statement)), [1, 2, 3]);
    }
    const withoutKey = { ...ROUND, keyMask: 0b0111n };
    const said = [says(1, 0b1111n), says(2, 0b1111n), says(4, 0b1111n)];
    assert.equal(chooseSettlement(said, withoutKey, RULES), undefined);
  });

  it("replaces a proposal with fewer clients, or as many and fewer members", () => {
    const choice = choose(says(1, 0b0111n), says(2, 0b0111n), says(3, 0b0111n))!;
    const standing = (included: bigint, proposedMembers: bigint): RoundState =>
      ({ included, proposedMembers }) as RoundState;
    assert.equal(replaces(choice, standing(0n, 0n)), true);
    assert.equal(replaces(choice, standing(0b1011n, 0b0111n)), false);
    assert.equal(replaces({ ...choice, members: 0b1111n }, standing(0b1011n, 0b0111n)), true);
    assert.equal(replaces(choice, standing(0b1111n, 0b0111n)), false);
    const atOnce = { ...choice, isConclusive: true };
    assert.equal(replaces(atOnce, standing(0b1011n, 0b1111n)), true, "as many clients suffice at once");
    assert.equal(replaces(atOnce, standing(0b1111n, 0b0111n)), false);
  });

  it("is taken by the contract as it says, at once or as a proposal, whatever seats say", () =>
    checkAsync(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 })), {
        minLength: 4,
        maxLength: 4,
      }),
      async (sets) => {
        const task = await openMemoryTask({ weights: [1, 1, 1, 1] });
        const round = await openMemoryRound(task);
        for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
        const said: AttestationStatement[] = [];
        for (const [i, [good, refused]] of sets.entries())
          said.push(
            ...(await memoryAttestations(task, {
              ...{ good: BigInt(good), refused: BigInt(refused & ~good) },
              seats: [i + 1],
            })),
          );
        const choice = chooseSettlement(said, await task.operator.round(), task.parameters);
        if (choice === undefined) return;
        const { submitted } = await task.operator.records(round);
        const outside = submitted.filter(({ index }) => ((choice.included >> BigInt(index)) & 1n) === 0n);
        const { statements, members, isConclusive } = choice;
        await task.operator.settle(round, statements, members, isConclusive ? outside : []);
        const { phase, included } = await task.operator.round();
        assert.deepEqual([phase, included], [isConclusive ? "Aggregating" : "Attesting", choice.included]);
      },
      25,
    ));
});
