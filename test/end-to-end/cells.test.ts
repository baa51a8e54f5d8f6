import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import type { RoundRecords, RoundState, TaskReader } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import type { ContentStore } from "../../content/store.ts";
import { openCells, recoverSiblingSums, requireFinalised, siblingRounds } from "../../task/cells.ts";
import { loadCheckpointConfig, loadModelState } from "../../task/checkpoint.ts";
import { AGGREGATE_FILE, fetchElements, publicationOf, resultOf } from "../../task/outcome.ts";
import type { CommittingTask, OpenTask } from "../../task/opened-task.ts";
import { requireReadySiblings, requireSameStep } from "../../aggregator/cells.ts";
import { requireTimeToFinalise } from "../../task/cells.ts";
import { signProposal } from "../../member/member.ts";
import { auditTask } from "../../auditor/audit-task.ts";
import { openVector } from "../../protocol/submission.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { startCells } from "../support/cells-harness.ts";
import type { CellsHarness } from "../support/cells-harness.ts";
import { changed, flipBit, flipHex } from "../support/round-tamper.ts";

const STRANGER: Hex = `0x${"ab".repeat(20)}`;
const noMetrics = (): Promise<null> => Promise.resolve(null);

describe("two cells with real proofs", function () {
  this.timeout(600_000);
  let harness: CellsHarness;
  before(async () => {
    harness = await startCells({ clients: 3, learning: "scripted" });
  });
  after(() => harness.close());

  it("finalise one model in each of two steps, which an auditor of either cell recomputes from both cells' sums", async () => {
    for (const step of [1, 2]) {
      const rounds = await harness.playSteps(step);
      assert.equal(new Set(rounds.map(({ finalised }) => finalised!.result.modelDigest)).size, 1);
      assert.equal(new Set(rounds.map(({ finalised }) => finalised!.result.aggregateDigest)).size, 2);
    }
    for (const cell of harness.cells) {
      const audit = await cell.audit();
      assert.deepEqual(
        audit.findings.filter(({ ok }) => !ok),
        [],
      );
      assert.equal(audit.findings.filter(({ check }) => check === "sum of cells").length, 2);
      const latest = await cell.operator.latestModel();
      const { cells } = await loadCheckpointConfig(cell.task.store, latest.cid, 2);
      assert.deepEqual(
        cells?.map(({ contract, totalWeight, clients }) => [contract, totalWeight, clients.length]),
        harness.cells.map(({ contract }) => [contract, 3, 3]),
      );
    }
  });

  describe("after two steps, changed one thing at a time", () => {
    let task: CommittingTask;
    let records: RoundRecords;
    /** The first cell's task with its sibling's chain changed. */
    const withSibling = (change: (sibling: TaskReader) => Partial<TaskReader>): CommittingTask => {
      const siblings = task.cells!.siblings.map((sibling) => ({ ...sibling, ...change(sibling) }));
      return { ...task, cells: { ...task.cells!, siblings } };
    };
    const withRecords = (path: string, change: (old: never) => unknown): CommittingTask =>
      withSibling((sibling) => ({ records: async (round) => changed(await sibling.records(round), path, change) }));
    const without =
      (count: number) =>
      (sibling: TaskReader): Partial<TaskReader> => ({
        finalisedRoundNumbers: async () => (await sibling.finalisedRoundNumbers()).slice(0, count),
      });
    /** The second round as it was before it finalised, with so many seconds left. */
    const aggregating =
      (left: number): ((sibling: TaskReader) => Partial<TaskReader>) =>
      (sibling) => ({
        ...without(1)(sibling),
        round: async (): Promise<RoundState> => ({
          ...(await sibling.round()),
          number: 2n,
          phase: "Aggregating",
          deadline: (await sibling.blockTime()) + left,
        }),
        records: async (round) => {
          const { finalised: _finalised, ...rest } = await sibling.records(round);
          return rest;
        },
      });
    /** Checks that are red, with their codes. */
    const reds = async (altered: OpenTask): Promise<(string | undefined)[][]> =>
      (await auditTask(altered, { after: 1n })).findings
        .filter(({ ok }) => !ok)
        .map(({ check, code }) => [check, code]);

    before(async () => {
      const [cell] = harness.cells;
      task = cell!.task;
      records = await cell!.operator.records(2n);
    });

    it("the auditor refuses a sibling's aggregate that is not the recorded one", async () => {
      const [sibling] = requireFinalised(await siblingRounds(task, records));
      const { aggregateCid } = sibling!.records.finalised.result;
      assert.deepEqual(await reds({ ...task, store: shifting(task.store, aggregateCid) }), [
        ["cell 2", "AGGREGATE_DIGEST_MISMATCH"],
      ]);
    });

    it("the auditor refuses a sibling's sum that is not that of its commitments", async () => {
      assert.deepEqual(await reds(withRecords("submitted.0.weight", () => 2)), [["cell 2", "SUBMISSION_INVALID"]]);
      assert.deepEqual(await reds(withRecords("finalised.evaluation", (value: bigint) => value + 1n)), [
        ["cell 2", "AGGREGATE_EVALUATION_MISMATCH"],
      ]);
    });

    it("the auditor waits for a sibling that has not finalised the step", async () => {
      assert.deepEqual(await reds(withSibling(aggregating(600))), [["sibling cells", "CELLS_INCOMPLETE"]]);
    });

    it("the auditor refuses a sibling that started from another model, or finalised another one", async () => {
      assert.deepEqual(await reds(withRecords("opened.baseModelDigest", flipHex)), [
        ["sibling cells", "CELLS_DIVERGED"],
      ]);
      assert.deepEqual(await reds(withRecords("finalised.result.modelDigest", flipHex)), [
        ["sibling cells", "CELLS_DIVERGED"],
      ]);
    });

    it("nobody publishes, signs or accepts a cell's own sum as the model", async () => {
      const [cell] = harness.cells;
      const { opened, finalised } = records;
      const base = await loadModelState(task, opened!.baseModelCid, opened!.baseModelDigest);
      const elements = await fetchElements(task, finalised!.result.aggregateCid, AGGREGATE_FILE);
      await rejectsCode(publicationOf(task, records, base, elements, noMetrics), "CELLS_INCOMPLETE");
      const { cells: _cells, ...alone } = task;
      const own = await publicationOf(alone, records, base, elements, noMetrics);
      assert.notEqual(own.signed.modelDigest, finalised!.result.modelDigest);
      await rejectsCode(signProposal(cell!.members[0]!.deps, records, resultOf(own.signed), null), "PROPOSAL_MISMATCH");
      // As t corrupt members could have it finalised: the contract takes what they sign.
      const { value, opening } = await openVector(elements, own.point, task.committer);
      const signers = await Promise.all(
        [1, 2].map(async (seat) => ({
          seat,
          signature: await cell!.members[seat - 1]!.node.chain.signResult(own.signed),
        })),
      );
      const recorded = {
        ...records,
        finalised: { ...finalised!, result: resultOf(own.signed), evaluation: value, opening, signers },
      };
      const lying = {
        ...task,
        chain: {
          ...task.chain,
          records: async (round: bigint) => (round === 2n ? recorded : task.chain.records(round)),
        },
      };
      assert.deepEqual(await reds(lying), [["sibling cells", "CELLS_DIVERGED"]]);
    });

    it("a signer takes a sibling's sum from its members' releases if the published one is wrong, and waits if none opens the commitments", async () => {
      const right = await recoverSiblingSums(task, await siblingRounds(task, records));
      const published = requireFinalised(await siblingRounds(task, records));
      const wrong = published.map((round) => ({
        ...round,
        task: { ...round.task, store: shifting(task.store, round.records.finalised.result.aggregateCid) },
      }));
      assert.deepEqual(await recoverSiblingSums(task, wrong), right);
      const otherSum = withRecords("settled.sum", () => ({ x: 1n, y: 2n }));
      await rejectsCode(recoverSiblingSums(otherSum, await siblingRounds(otherSum, records)), "CELLS_INCOMPLETE");
    });

    it("a contract that is not registered, or a group that is not full, opens for nobody", async () => {
      const { chain, parametersHash } = task;
      const cells = task.cells!.cells;
      const open = (
        record: { cellCount: number; cells: readonly Hex[] },
        at: Partial<TaskReader> = {},
      ): Promise<unknown> =>
        openCells(
          {
            ...chain,
            cellGroup: async () => record,
            at: async (contract) => ({ ...(await chain.at(contract)), ...at }),
          },
          parametersHash,
          harness.group,
        );
      await rejectsCode(open({ cellCount: 2, cells: [cells[1]!, STRANGER] }), "CELLS_GROUP_INVALID");
      await rejectsCode(open({ cellCount: 3, cells }), "CELLS_GROUP_INVALID");
      await rejectsCode(open({ cellCount: 3, cells: [...cells, cells[1]!] }), "CELLS_GROUP_INVALID");
      await rejectsCode(
        open({ cellCount: 2, cells }, { parametersHash: async () => flipHex(parametersHash) }),
        "CELLS_GROUP_INVALID",
      );
      await rejectsCode(open({ cellCount: 2, cells: [cells[0]!, STRANGER] }), "CHAIN_NO_CONTRACT");
    });

    it("a member signs nothing while a sibling has little time left, and an aggregator finalises nothing before the sibling shows its signatures", async () => {
      const { aggregateSeconds } = task.parameters;
      const rounds = async (left: number): ReturnType<typeof siblingRounds> =>
        siblingRounds(withSibling(aggregating(left)), records);
      await requireTimeToFinalise(await rounds(aggregateSeconds));
      await rejectsCode(requireTimeToFinalise(await rounds(10)), "CELLS_INCOMPLETE");
      const { modelDigest } = records.finalised!.result;
      const nodes = { nodesOf: harness.cells[0]!.aggregator.node.network.nodesOf, fetch: globalThis.fetch };
      await requireReadySiblings(nodes, await rounds(aggregateSeconds), modelDigest);
      await rejectsCode(
        requireReadySiblings(nodes, await rounds(aggregateSeconds), flipHex(modelDigest)),
        "CELLS_INCOMPLETE",
      );
      await rejectsCode(
        requireReadySiblings({ ...nodes, nodesOf: () => [] }, await rounds(aggregateSeconds), modelDigest),
        "CELLS_INCOMPLETE",
      );
      await rejectsCode(
        requireReadySiblings(nodes, await siblingRounds(task, records), flipHex(modelDigest)),
        "CELLS_DIVERGED",
      );
    });

    it("no round opens beside a sibling that is behind, and none ever again beside one that cannot catch up", async () => {
      await requireSameStep(task);
      await rejectsCode(requireSameStep(withSibling(without(1))), "CELLS_INCOMPLETE");
      const aborted = withSibling((sibling) => ({
        ...without(1)(sibling),
        records: async (round) => ({ ...(await sibling.records(round)), aborted: true }),
      }));
      await rejectsCode(requireSameStep(aborted), "CELLS_DIVERGED");
      await rejectsCode(
        requireSameStep(
          withSibling((sibling) => ({
            latestModel: async () => ({ ...(await sibling.latestModel()), digest: STRANGER }),
          })),
        ),
        "CELLS_DIVERGED",
      );
      const behind = { ...task, chain: { ...task.chain, ...without(1)(task.chain) } };
      await rejectsCode(requireSameStep(behind), "CELLS_DIVERGED");
    });
  });

  // After the tests above, which look at the second step.
  describe("when a sibling's round aborts", () => {
    it("opens no sum while a sibling has none, and meets it again in its next round", async () => {
      const [first, second] = harness.cells as [CellsHarness["cells"][number], CellsHarness["cells"][number]];
      for (const client of second.clients) client.running = false;
      // The round that the last result opened may have its clients already.
      const [waits, aborted] = await harness.playUntil(([, state]) => state!.phase === "Aborted");
      for (const client of second.clients) client.running = true;
      assert.equal(waits!.phase, "Aggregating");
      for (const { deps } of first.members) assert.deepEqual(deps.board.releases(waits!.number, waits!.settlement), []);
      const steps = (await first.operator.finalisedRoundNumbers()).length;
      const rounds = await harness.playSteps(steps + 1);
      assert.equal(new Set(rounds.map(({ finalised }) => finalised!.result.modelDigest)).size, 1);
      assert.ok(rounds[1]!.finalised!.round > aborted!.number);
      assert.equal((await first.audit()).ok, true);
    });
  });
});

/** A store that gives one directory's file with another last element. */
function shifting(store: ContentStore, of: Hex): ContentStore {
  return {
    ...store,
    getFile: async (cid, name, options) =>
      cid === cidFromDigest(of)
        ? flipBit(await store.getFile(cid, name, options), -1)
        : store.getFile(cid, name, options),
  };
}
