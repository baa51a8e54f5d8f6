import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { auditedStatistics } from "../../auditor/statistics.ts";
import type { AuditedModel } from "../../auditor/audit-round.ts";
import type { RoundRecords } from "../../chain/task-chain.ts";
import { layoutOf, parseStatistics } from "../../learning/statistics/statistics-model.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { statisticsIn } from "../../task/statistics.ts";
import { rejectsCode } from "../support/errors.ts";
import { STATISTICS_MODEL, STATISTICS_TASK } from "../support/statistics-task.ts";

const { length } = layoutOf(parseStatistics(STATISTICS_MODEL));
const weights = Int32Array.from({ length }, (_, i) => (i % 5) * 2 ** 20);
const document = { ...STATISTICS_TASK.document, model: STATISTICS_MODEL } as unknown as OpenTask["document"];

/** A task whose chain settled these clients, and has nothing else. */
function taskWith(included: bigint, totalWeight: number): Pick<OpenTask, "chain" | "document"> {
  const records = { opened: {}, settled: { included, totalWeight } } as unknown as RoundRecords;
  return { document, chain: { records: async () => records } as unknown as OpenTask["chain"] };
}

const modelOf = (round: bigint): AuditedModel => ({ record: { round }, state: { weights } }) as unknown as AuditedModel;

describe("statistics of an audited task", () => {
  it("are of the model and the settlement that the audit checked, and of no file beside them", async () => {
    assert.deepEqual(
      await auditedStatistics(taskWith(0b1011n, 3), { model: modelOf(1n) }),
      statisticsIn(document, { weights }, { clients: 3, totalWeight: 3 }),
    );
  });

  it("are refused where a client counted twice, and before the round is final", async () => {
    await rejectsCode(auditedStatistics(taskWith(0b1011n, 4), { model: modelOf(1n) }), "PARAMETERS_INVALID");
    await rejectsCode(auditedStatistics(taskWith(0b1011n, 3), { model: modelOf(0n) }), "STATISTICS_ABSENT");
    await rejectsCode(auditedStatistics(taskWith(0b1011n, 3), { model: undefined }), "STATISTICS_ABSENT");
  });
});
