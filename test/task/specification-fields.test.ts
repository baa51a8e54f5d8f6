import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { assertTaskParameters } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { assertRunnable, parseSpecification } from "../../task/create-task.ts";
import { withFieldNames } from "../../task/specification-fields.ts";
import { TINY_TASK } from "../support/tiny-task.ts";
import { word } from "../support/random.ts";

const DIGITS = JSON.parse(readFileSync(new URL("../../tasks/digits.json", import.meta.url), "utf8")) as {
  readonly committee: object;
};

describe("a rule that a specification breaks", () => {
  const refusal = (changed: Partial<TaskParameters>, message: string): void =>
    assert.throws(() => withFieldNames({ ...TINY_TASK, keysHash: word("keys"), ...changed }, assertTaskParameters), {
      ...{ code: "PARAMETERS_INVALID", message },
    });

  it("is said in the fields of the file, with their values", () => {
    refusal(
      { quorum: 2, threshold: 2 },
      "the specification: committee.quorum >= 2 * committee.threshold - 1 does not hold: committee.threshold is 2, committee.quorum is 2",
    );
    refusal(
      { minClients: 2, minHonest: 2, maxCorrupt: 1 },
      "the specification: clients.min >= clients.minHonest + clients.maxCorrupt does not hold: clients.min is 2, clients.minHonest is 2, clients.maxCorrupt is 1",
    );
    refusal(
      { collectSeconds: 0 },
      "the specification: windowSeconds.collect > 0 does not hold: windowSeconds.collect is 0",
    );
    refusal(
      { maxRounds: -1 },
      "the specification: maxRounds = -1 is not a whole number from 0 to 4294967295, which the contract holds",
    );
  });

  it("keeps the contract's name of it as evidence, and comes before keys are made", () => {
    const specification = parseSpecification({ ...DIGITS, committee: { size: 4, threshold: 2, quorum: 2 } });
    assert.throws(() => assertRunnable(specification), {
      code: "PARAMETERS_INVALID",
      details: { rule: "quorum >= 2 * threshold - 1" },
    });
  });
});
