import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ClientTerm } from "../../chain/lists.ts";
import type { TaskLook } from "../../chain/task-chain.ts";
import { createWeightWatch } from "../../client/weight-watch.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { createRecorder } from "../support/round-recorder.ts";
import type { Recorder } from "../support/round-recorder.ts";

const account = (i: number): Hex => `0x${(i + 1).toString(16).padStart(40, "0")}`;
const term = (i: number, weight: number, untilRound?: bigint, fromRound = 1n): ClientTerm => ({
  ...{ client: account(i), weight, fromRound, untilRound },
});

describe("a client's watch on its weight", () => {
  const watching = (): { watch: (terms: readonly ClientTerm[], phase?: string) => void; reporter: Recorder } => {
    const reporter = createRecorder();
    const watch = createWeightWatch({ parameters: { minClients: 3, maxCorrupt: 1 }, account: account(0), reporter });
    const look = (clientTerms: readonly ClientTerm[], phase = "Collecting"): void =>
      watch({ round: { number: 4n, phase } as TaskLook["round"], clientTerms });
    return { watch: look, reporter };
  };

  it("warns, before it shares anything, where the sum would tell its update modulo a number, and says it once", () => {
    const { watch, reporter } = watching();
    watch([term(0, 2), term(1, 2), term(2, 2), term(3, 3)]);
    assert.deepEqual(reporter.events, [], "one that may be corrupt has another weight");
    watch([term(0, 1), term(1, 50), term(2, 100), term(3, 7)]);
    watch([term(0, 1), term(1, 50), term(2, 100), term(3, 7)]);
    watch([term(0, 1), term(1, 60), term(2, 120), term(3, 60)]);
    assert.deepEqual(
      reporter.facts("weight-readable").map(({ round, weight, modulus }) => [round, weight, modulus]),
      [
        [4n, 1, 50],
        [4n, 1, 60],
      ],
    );
  });

  it("looks at the clients of the round that it shares in next, and at enough of them for one", () => {
    const { watch, reporter } = watching();
    const left = [term(0, 1), term(1, 1, 5n), term(2, 1, 5n), term(3, 9), term(4, 9), term(5, 9, undefined, 5n)];
    watch(left);
    assert.deepEqual(reporter.events, []);
    watch(left, "Attesting");
    assert.deepEqual(
      reporter.facts("weight-readable").map(({ round, modulus }) => [round, modulus]),
      [[5n, 9]],
    );
    const few = watching();
    few.watch([term(0, 1), term(1, 9)]);
    few.watch([term(1, 9), term(2, 9), term(3, 9)]);
    assert.deepEqual(few.reporter.events, []);
  });
});
