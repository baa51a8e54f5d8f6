import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { requireReadySiblings } from "../../aggregator/cells.ts";
import type { SignedResult } from "../../chain/task-chain.ts";
import type { SiblingRound } from "../../task/cells.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryRound, openMemoryTask, settleMemoryRound } from "../support/memory-chain.ts";
import type { MemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

const RESULT = {
  aggregateCid: word("aggregate cid"),
  aggregateDigest: word("aggregate digest"),
  modelCid: word("model cid"),
  modelDigest: word("model digest"),
};

describe("a sibling's readiness to finalise", () => {
  let task: MemoryTask;
  let sibling: SiblingRound;
  let offer: string;
  before(async () => {
    task = await openMemoryTask();
    const round = await openMemoryRound(task);
    await settleMemoryRound(task, round);
    const chain = task.reader(0);
    const records = await chain.records(round);
    sibling = { task: { chain, parameters: task.parameters }, records } as unknown as SiblingRound;
    const signed: SignedResult = { ...RESULT, round, settlement: records.settled!.settlement };
    const signatures = await Promise.all(
      [1, 2].map(async (seat) => ({ seat, ...(await task.members[seat - 1]!.signResult(signed)) })),
    );
    offer = JSON.stringify({ round: round.toString(), result: RESULT, metrics: null, signatures });
  });

  /** Nodes by host, each with what it answers, and when. */
  const ask = (answers: Readonly<Record<string, readonly [text: string, afterMs: number]>>): Promise<void> =>
    requireReadySiblings(
      {
        nodesOf: () => Object.keys(answers).map((host) => `http://${host}/`),
        fetch: async (url) => {
          const [text, afterMs] = answers[(url as URL).hostname]!;
          await new Promise((resolve) => setTimeout(resolve, afterMs));
          return new Response(text, { status: text === "" ? 404 : 200 });
        },
      },
      [sibling],
      RESULT.modelDigest,
    );

  it("is what the node says that shows the most signatures, whichever answers last", async () => {
    await ask({ silent: ["", 0], showing: [offer, 20] });
    await ask({ showing: [offer, 0], silent: ["", 0] });
    await ask({ silent: ["", 0], showing: [offer, 0], "also-silent": ["", 0] });
  });

  it("is refused where no node shows enough of them", async () => {
    const one = { ...(JSON.parse(offer) as { signatures: readonly unknown[] }) };
    const short = JSON.stringify({ ...one, signatures: one.signatures.slice(0, 1) });
    await rejectsCode(ask({ silent: ["", 0], showing: [short, 0] }), "CELLS_INCOMPLETE");
    const nobodys = [31, 32].map((seat) => ({ seat, r: `0x${"ff".repeat(32)}`, vs: word("none") }));
    const invented = JSON.stringify({ ...one, signatures: nobodys });
    await rejectsCode(ask({ silent: ["", 0], showing: [invented, 0] }), "CELLS_INCOMPLETE");
    assert.equal((await task.operator.round()).phase, "Aggregating");
  });
});
