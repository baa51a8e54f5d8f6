import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, describe, it } from "mocha";
import { assertBufferable, clientsNeeded, intakeText } from "../../task/buffers.ts";
import { assertRunnable, parametersOf, parseSpecification } from "../../task/create-task.ts";
import type { TaskDocument } from "../../task/document.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { changed } from "../support/round-tamper.ts";
import { throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";

const DIGESTS = { taskCid: word("a"), genesisCid: word("b"), genesisDigest: word("c"), keysHash: word("d") };

describe("a task whose rounds are buffers", () => {
  let json: Record<string, unknown>;
  before(async () => {
    json = JSON.parse(
      await readFile(new URL("../../tasks/digits-buffer.json", import.meta.url), "utf8"),
    ) as typeof json;
  });

  it("is described by the goal and what is beside it, and waits for everybody without", () => {
    const parse = (change: object): unknown => {
      const { bufferGoal, maxStaleness, minSeparation, minCollectSeconds } = parametersOf(
        parseSpecification({ ...json, ...change }),
        2410,
        DIGESTS,
      );
      return { bufferGoal, maxStaleness, minSeparation, minCollectSeconds };
    };
    assert.deepEqual(parse({}), json.rounds);
    assert.deepEqual(parse({ rounds: { bufferGoal: 6, maxStaleness: 2 } }), {
      ...{ bufferGoal: 6, maxStaleness: 2 },
      ...{ minSeparation: 1, minCollectSeconds: 0 },
    });
    assert.deepEqual(parse({ rounds: undefined }), {
      ...{ bufferGoal: 0, maxStaleness: 0 },
      ...{ minSeparation: 1, minCollectSeconds: 0 },
    });
  });

  for (const [path, value] of [
    ["rounds.bufferGoal", 0],
    ["rounds.bufferGoal", 257],
    ["rounds.maxStaleness", 16],
    ["rounds.minSeparation", 0],
    ["rounds.minCollectSeconds", -1],
    ["rounds.maxAge", 1],
  ] as const)
    it(`is refused with ${path} = ${value}`, () =>
      throwsCode(() => parseSpecification(changed(json, path, () => value)), "TASK_SPECIFICATION_INVALID"));

  it("is refused with a goal that corrupt clients could fill, by the protocol's own rule", () =>
    throwsCode(
      () => assertRunnable(parseSpecification(changed(json, "rounds.bufferGoal", () => 3))),
      "PARAMETERS_INVALID",
    ));

  it("is refused with a goal and a separation that no number of clients could reach", () => {
    const separated = (rounds: number): void =>
      assertRunnable(parseSpecification(changed(json, "rounds.minSeparation", () => rounds)));
    const most = Math.floor(65_535 / (json.rounds as { readonly bufferGoal: number }).bufferGoal);
    separated(most);
    throwsCode(() => separated(most + 1), "PARAMETERS_INVALID");
  });

  it("runs as it is", () => assertRunnable(parseSpecification(json)));

  /** What the rule says of this document and these rounds. */
  const refusal = (document: object, rounds: Parameters<typeof assertBufferable>[1]): string => {
    const base = { model: {}, training: {}, quantisation: {} };
    try {
      assertBufferable({ ...base, ...document } as TaskDocument, rounds, "TASK_DOCUMENT_INVALID");
      return "";
    } catch (error) {
      assert.ok(error instanceof VerisumError && error.code === "TASK_DOCUMENT_INVALID");
      return error.message;
    }
  };

  it("has neither cells nor statistics, and no adaptive clip norm over models of several ages", () => {
    const buffer = { bufferGoal: 4, maxStaleness: 2 };
    const barrier = { bufferGoal: 0, maxStaleness: 0 };
    const cells = { cells: { group: "0x" } };
    const adaptive = { quantisation: { adaptive: {} } };
    const statistics = { model: { kind: "statistics" } };
    assert.match(refusal(cells, buffer), /^cells keep step/);
    assert.match(refusal(statistics, buffer), /^a task of statistics/);
    assert.match(refusal(adaptive, buffer), /adaptive .*maxStaleness has to be 0$/);
    assert.equal(refusal(adaptive, { ...buffer, maxStaleness: 0 }), "");
    for (const document of [cells, adaptive, statistics]) assert.equal(refusal(document, barrier), "");
  });

  it("scales stale updates only where updates can be stale", () => {
    const document = { training: { staleness: { kind: "polynomial", exponent: 0.5 } } };
    assert.match(refusal(document, { bufferGoal: 4, maxStaleness: 0 }), /staleness is of tasks with/);
    assert.match(refusal(document, { bufferGoal: 0, maxStaleness: 0 }), /staleness is of tasks with/);
    assert.equal(refusal(document, { bufferGoal: 4, maxStaleness: 1 }), "");
  });

  it("says how far it is towards its goal, and how many clients it needs to go on", () => {
    const progress = { submitted: 12, expected: 20 };
    assert.equal(intakeText({ bufferGoal: 20 }, progress), "12 of goal 20 are in");
    assert.equal(intakeText({ bufferGoal: 0 }, progress), "12/20 clients are in");
    assert.equal(clientsNeeded({ minClients: 3, bufferGoal: 4, minSeparation: 5 }), 20);
    assert.equal(clientsNeeded({ minClients: 3, bufferGoal: 0, minSeparation: 1 }), 3);
  });
});
