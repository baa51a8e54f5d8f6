import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { parseTaskDocument, taskFiles, TASK_FILE } from "../../task/document.ts";
import type { TaskDocument } from "../../task/document.ts";
import { throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import { changed } from "../support/round-tamper.ts";

const DOCUMENT = { ...TINY_SPECIFICATION.document, version: 1, keysCid: word("keys") } as TaskDocument;
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe("a task's document", () => {
  it("reads what it writes", () => {
    const files = taskFiles(DOCUMENT);
    assert.deepEqual(Object.keys(files), [TASK_FILE]);
    assert.deepEqual(parseTaskDocument(files[TASK_FILE]!), DOCUMENT);
  });

  for (const [path, value] of [
    ["version", 2],
    ["name", ""],
    ["name", "n".repeat(101)],
    ["description", 5],
    ["preset", "huge"],
    ["model", []],
    ["training.learningRate", 0],
    ["training.learningRate", "0.1"],
    ["training.momentum", 1.5],
    ["training.batchSize", 0],
    ["training.localEpochs", 1.5],
    ["training.staleness", { kind: "polynomial", exponent: -0.5 }],
    ["training.staleness", { kind: "hinge", exponent: 0.5 }],
    ["quantisation.stepBits", -1],
    ["quantisation.stepBits", 21],
    ["quantisation.clipSteps", 0],
    ["quantisation.clipSteps", 2 ** 23 + 1],
    ["server.fractionalBits", 7],
    ["server.fractionalBits", 25],
    ["server.momentum.numerator", 65_536],
    ["server.learningRate.denominatorBits", 17],
    ["keysCid", "0x00"],
    ["keysCid", `0X${"0".repeat(64)}`],
    ["server", undefined],
    ["extra", 1],
    ["training.extra", 1],
  ] as const) {
    it(`refuses ${path} = ${JSON.stringify(value)?.slice(0, 20)}`, () =>
      throwsCode(() => parseTaskDocument(encode(changed(DOCUMENT, path, () => value))), "TASK_DOCUMENT_INVALID"));
  }

  it("refuses a key that is there twice, of which only one value would count", () => {
    const text = new TextDecoder().decode(taskFiles(DOCUMENT)[TASK_FILE]);
    const twice = text.replace('"name":', '"name": "another",\n  "name":');
    assert.notEqual(twice, text);
    throwsCode(() => parseTaskDocument(new TextEncoder().encode(twice)), "TASK_DOCUMENT_INVALID");
  });

  it("refuses what is not JSON in UTF-8", () => {
    for (const bytes of [
      new Uint8Array(),
      encode(DOCUMENT).slice(1),
      Uint8Array.of(0xff, 0xfe),
      encode(null),
      encode([]),
    ])
      throwsCode(() => parseTaskDocument(bytes), "TASK_DOCUMENT_INVALID");
  });
});
