/** Rounds in which t − 1 members say what they like, when they like and to whom they like: it costs their own seats. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import type { CoordinatorDependencies } from "../../aggregator/coordinator.ts";
import type { Attestation } from "../../chain/task-chain.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { bitCount } from "../../protocol/committee.ts";
import type { Statement } from "../../task/statements.ts";
import { finalizeMemoryRound, memorySubmission, openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { quietStatements } from "../support/quiet-statements.ts";
import { word } from "../support/random.ts";

const CLIENTS = 6;
const EVERYBODY = (1n << BigInt(CLIENTS)) - 1n;
/** f. The last client is corrupt. */
const CORRUPT_CLIENTS = 1;
const BAD = 1n << BigInt(CLIENTS - 1);

/** What a corrupt seat makes of the truth, one statement after the other; each may be refused. */
type Behaviour = (truth: Attestation) => readonly Attestation[];

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  "say nothing": () => [],
  "call nothing good": (truth) => [{ ...truth, good: 0n, refused: 0n }],
  "refuse everybody": (truth) => [{ ...truth, good: 0n, refused: EVERYBODY }],
  "call everything good": (truth) => [{ ...truth, good: EVERYBODY, refused: 0n }],
  "call the same shares good and wrong": (truth) => [{ ...truth, good: EVERYBODY, refused: EVERYBODY }],
  "name clients that do not exist": (truth) => [{ ...truth, good: EVERYBODY << 3n }],
  "speak of another intake": (truth) => [{ ...truth, intake: word("fork") }],
  "speak of another round": (truth) => [{ ...truth, round: truth.round + 1n }],
  "say one thing here and another there": (truth) => [
    { ...truth, good: 0b000111n, refused: 0b111000n },
    { ...truth, good: 0b111000n, refused: 0b000111n },
  ],
};

/** How the corrupt client's share is at honest members. */
const SHARES: Readonly<Record<string, (truth: Attestation, seat: number) => Attestation>> = {
  "good everywhere": (truth) => ({ ...truth, good: EVERYBODY }),
  "wrong everywhere": (truth) => ({ ...truth, good: EVERYBODY & ~BAD, refused: BAD }),
  "with nobody": (truth) => ({ ...truth, good: EVERYBODY & ~BAD }),
  "wrong at every second member": (truth, seat) =>
    seat % 2 === 0 ? { ...truth, good: EVERYBODY } : { ...truth, good: EVERYBODY & ~BAD, refused: BAD },
};

describe("a round with t − 1 corrupt members", function () {
  this.timeout(120_000);

  for (const [committeeSize, threshold] of [
    [4, 2],
    [7, 3],
    [13, 5],
    [31, 11],
  ] as const)
    for (const [shares, found] of Object.entries(SHARES))
      it(`of ${committeeSize} settles on the largest set that a quorum supports, and ends, where a share is ${shares}`, async () => {
        // In a large committee each corrupt member behaves otherwise; in the smallest one all behaviours take turns.
        const all = Object.entries(BEHAVIOURS);
        const turns = threshold === 2 ? all.map((_, i) => i) : [0, 5];
        for (const turn of turns) {
          const task = await openMemoryTask({
            parameters: {
              committeeSize,
              threshold,
              quorum: committeeSize - threshold + 1,
              maxCorrupt: CORRUPT_CLIENTS,
            },
            weights: Array.from({ length: CLIENTS }, () => 1),
          });
          const behaviours = Array.from({ length: threshold - 1 }, (_, i) => all[(turn + i) % all.length]!);
          const included = await settle(
            task,
            behaviours.map(([, behave]) => behave),
            found,
          );
          const what = behaviours.map(([name]) => name).join("; ");
          // Every honest member's statement counts, and a corrupt one's can only add to what they support.
          assert.ok(bitCount(included) >= CLIENTS - CORRUPT_CLIENTS, what);
          assert.equal(included & ~BAD, EVERYBODY & ~BAD, what);
          if (shares === "good everywhere") assert.equal(included, EVERYBODY, what);
        }
      });

  /**
   * Plays a round to its end: corrupt seats come first, to both of two aggregators, or to one alone, or once a proposal
   * stands. Returns U.
   */
  async function settle(
    task: MemoryTask,
    corrupt: readonly Behaviour[],
    found: (truth: Attestation, seat: number) => Attestation,
  ): Promise<bigint> {
    const round = await openMemoryRound(task);
    for (const client of task.clients) await client.submit(round, memorySubmission(task, client.account));
    const sides = [quietStatements(task.operator), quietStatements(task.operator)];
    const { intake } = await task.operator.round();
    const late: (() => Promise<void>)[] = [];
    for (const [i, member] of task.members.entries()) {
      const truth = found({ round, intake, good: 0n, refused: 0n }, i + 1);
      const isCorrupt = i < corrupt.length;
      for (const said of corrupt[i]?.(truth) ?? [truth]) {
        const signature = await member.signAttestation(said);
        const statement: Statement = { kind: "attestation", ...said, seat: i + 1, signature };
        const hear = async (side: (typeof sides)[number]): Promise<void> => {
          await side.board.add(statement).catch((error: unknown) => {
            if (!isCorrupt || !isVerisumError(error, "STATEMENT_CONTRADICTORY")) throw error;
          });
        };
        const told = isCorrupt && i % 3 === 1 ? [sides[1]!] : sides;
        if (isCorrupt && i % 3 === 2) late.push(...told.map((side) => () => hear(side)));
        else for (const side of told) await hear(side);
      }
    }
    const steps = sides.map((side) =>
      createCoordinator({
        ...{ chain: task.operator, ...side, task: { parameters: task.parameters } },
        reporter: { say: () => undefined, wait: () => undefined },
      } as unknown as CoordinatorDependencies),
    );
    for (let turn = 0; turn < 8; turn++) {
      for (const step of steps) {
        await step();
        const { phase, included } = await task.operator.round();
        if (phase !== "Aggregating") continue;
        await finalizeMemoryRound(task, round, "the end");
        assert.equal((await task.operator.records(round)).finalised?.round, round);
        return included;
      }
      if (turn > 0) for (const hear of late.splice(0)) await hear();
      const { deadline } = await task.operator.round();
      // To the last quarter, in which sets are proposed, and then to the deadline.
      task.chain.setTime(turn === 1 ? deadline - 1 : turn > 2 ? deadline : task.chain.nextTime);
    }
    assert.fail(`the round did not settle: ${JSON.stringify((await task.operator.round()).phase)}`);
  }
});
