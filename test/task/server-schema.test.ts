import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DEFAULT_RULE, SERVER_RULES } from "../../protocol/server-rules/registry.ts";
import type { Parameter } from "../../protocol/server-rules/server-rule.ts";
import { serverSchema } from "../../task/server-schema.ts";

const half = { numerator: 1, denominatorBits: 1 };
const server = { fractionalBits: 16, learningRate: half, momentum: half };

/** Places of the problems found. */
const problems = (value: unknown): string[] =>
  serverSchema.safeParse(value).error?.issues.map(({ path }) => path.join(".")) ?? [];

describe("a document's server section", () => {
  it("is read as it is written, with and without the name of the default rule", () => {
    assert.equal(JSON.stringify(serverSchema.parse(server)), JSON.stringify(server));
    const named = { rule: DEFAULT_RULE.name, ...server };
    assert.equal(JSON.stringify(serverSchema.parse(named)), JSON.stringify(named));
  });

  it("is refused with a rule that nobody knows, at its place", () => {
    for (const rule of ["other", "", null, 1]) assert.deepEqual(problems({ ...server, rule }), ["rule"]);
  });

  for (const { name, parameters } of SERVER_RULES) {
    it(`has every number of ${name} and no other`, () => {
      const numbers = Object.entries<Parameter>(parameters).map(([key, parameter]) => [
        key,
        parameter.kind === "integer" ? parameter.least : half,
      ]);
      const full: Record<string, unknown> = { rule: name, fractionalBits: 16, ...Object.fromEntries(numbers) };
      assert.deepEqual(problems(full), []);
      for (const key of Object.keys(parameters)) {
        assert.deepEqual(problems({ ...full, [key]: undefined }), [key]);
        assert.deepEqual(problems({ ...full, [key]: "1" }), [key]);
      }
      assert.equal(problems({ ...full, extra: 1 }).length, 1);
    });
  }

  it("names the number that is out of range", () => {
    assert.deepEqual(problems({ ...server, momentum: { ...half, numerator: 65_536 } }), ["momentum.numerator"]);
    assert.deepEqual(problems({ ...server, fractionalBits: 25 }), ["fractionalBits"]);
    const adaptive = { rule: "fedadam", fractionalBits: 16, learningRate: half, beta1: half, tauBits: 8 };
    assert.deepEqual(problems({ ...adaptive, beta2: { numerator: 1, denominatorBits: 0 } }), ["beta2"]);
  });
});
