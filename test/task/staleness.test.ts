import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { stalenessScale, stalenessSchema } from "../../task/staleness.ts";

describe("the scale of a stale update", () => {
  it("is (1 + τ)^(−exponent), and 1 for a fresh one or in a task without a rule", () => {
    const rule = stalenessSchema.parse({ kind: "polynomial", exponent: 0.5 });
    assert.deepEqual(
      [0, 3, 15].map((staleness) => stalenessScale(rule, staleness)),
      [1, 1 / 2, 1 / 4],
    );
    assert.equal(stalenessScale({ kind: "polynomial", exponent: 2 }, 3), 1 / 16);
    assert.equal(stalenessScale(undefined, 15), 1);
  });

  it("is refused by name where it would exceed 1", () => {
    const refused = stalenessSchema.safeParse({ kind: "polynomial", exponent: -0.5 });
    assert.match(refused.error?.issues[0]?.message ?? "", /s\(τ\) .* would be above 1/);
  });
});
