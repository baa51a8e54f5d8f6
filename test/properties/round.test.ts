/**
 * Properties of the compiled contracts on Foundry's EVM: any arguments of one call, and any sequence of calls
 * (`*.t.sol` beside this file), of barriers and of buffers. Proofs are left out: those are what
 * test/contracts and test/circuits are about.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, describe, it } from "mocha";
import { encodeParameters } from "../../chain/codec.ts";
import { foundryProgram, hasFoundryProgram } from "../support/foundry.ts";
import { KEYS_BLOB, PARAMETERS } from "../support/task-on-chain.ts";

const ROOT = new URL("../..", import.meta.url);
const FUZZ_RUNS = 10_000;
const INVARIANT_RUNS = 256;
/** Sequences with buffers take ten times as long, as each state is played to its end: PROPERTY_FULL=1 has them all. */
const BUFFER_RUNS = process.env["PROPERTY_FULL"] === "1" ? INVARIANT_RUNS : 32;
const INVARIANT_DEPTH = 128;

/** Four clients fill a buffer, each of whom is in at most one of two in sequence. */
const BUFFER = { bufferGoal: 4, maxStaleness: 2, minSeparation: 2, minCollectSeconds: 60, maxWeight: 127 } as const;
const LISTED = { ...PARAMETERS, ...BUFFER };
const OPEN = { ...LISTED, maxWeight: 1, openRegistration: true, bondWei: 7n, maxRefusals: 2, maxRoundsPerClient: 3 };

/** What forge says of each test. */
interface Outcome {
  readonly status: string;
  readonly reason: string | null;
  readonly kind: Readonly<Record<string, { readonly runs: number; readonly calls?: number }>>;
}

describe("the contracts' properties", function () {
  this.timeout(1_800_000);
  const outcomes = new Map<string, Outcome>();

  before(function () {
    if (!hasFoundryProgram("forge")) this.skip();
    const parameters = { ...PARAMETERS, privacyCostPerRound: 3n, privacyBudget: 90n };
    const settings = {
      SRC: "contracts",
      TEST: "test/properties",
      OUT: "build/forge/out",
      CACHE_PATH: "build/forge/cache",
      SOLC: "test/properties/solc.mjs",
      VIA_IR: "true",
      OPTIMIZER: "true",
      OPTIMIZER_RUNS: "200",
      EVM_VERSION: "osaka",
      OFFLINE: "true",
      FUZZ_RUNS: String(FUZZ_RUNS),
      FUZZ_SEED: process.env["PROPERTY_SEED"] ?? "1",
      INVARIANT_DEPTH: String(INVARIANT_DEPTH),
      // What a call of the handlers may be refused for, they catch.
      INVARIANT_FAIL_ON_REVERT: "true",
    };
    const tasks = {
      VERISUM_PARAMETERS: encodeParameters(parameters),
      VERISUM_BUFFER_PARAMETERS: encodeParameters(LISTED),
      VERISUM_OPEN_PARAMETERS: encodeParameters(OPEN),
      VERISUM_KEYS: KEYS_BLOB,
    };
    const play = (choice: string, invariantRuns: number): void => {
      const all = { ...settings, INVARIANT_RUNS: String(invariantRuns) };
      const { stdout, stderr } = spawnSync(
        foundryProgram("forge"),
        ["test", "--json", "--root", ".", choice, "Buffers$"],
        {
          cwd: ROOT,
          encoding: "utf8",
          maxBuffer: 2 ** 28,
          env: {
            PATH: process.env["PATH"],
            HOME: process.env["HOME"],
            ...tasks,
            ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`FOUNDRY_${name}`, value])),
          },
        },
      );
      const start = stdout.indexOf("{");
      assert.ok(start >= 0, `${stdout}\n${stderr}`);
      type Suites = Readonly<Record<string, { readonly test_results: Readonly<Record<string, Outcome>> }>>;
      for (const [suite, { test_results }] of Object.entries(JSON.parse(stdout.slice(start)) as Suites))
        for (const [signature, outcome] of Object.entries(test_results))
          outcomes.set(`${suite.split(":")[1]}.${signature.split("(")[0]}`, outcome);
    };
    play("--no-match-contract", INVARIANT_RUNS);
    play("--match-contract", BUFFER_RUNS);
  });

  const holds = (name: string, least: { readonly runs: number; readonly calls?: number }): void => {
    const outcome = outcomes.get(name);
    assert.ok(outcome !== undefined, `${name} is not among ${[...outcomes.keys()].join()}`);
    assert.equal(outcome.status, "Success", JSON.stringify(outcome));
    const [{ runs, calls = 0 }] = Object.values(outcome.kind) as [{ runs: number; calls?: number }];
    assert.ok(runs >= least.runs && calls >= (least.calls ?? 0), JSON.stringify(outcome.kind));
  };
  const CALLS: readonly (readonly [string, string])[] = [
    ["RoundProperties.testFuzz_tally", "count refusals in planes as one by one"],
    ["RoundProperties.testFuzz_settle", "settle, propose and refuse as the document says, whatever members state"],
    ["RoundProperties.testFuzz_statement", "refuse a statement of which one thing was changed"],
    ["BufferProperties.testFuzz_base", "take a submission on one of the last models, against that model's digest"],
    ["BufferProperties.testFuzz_room", "take 256 submissions and a slot's weight, and end with the goal in its time"],
    ["BufferProperties.testFuzz_parameters", "take the parameters of buffers that the document allows"],
  ];
  const SEQUENCES: readonly (readonly [string, string])[] = [
    ["RoundInvariants.invariant_sum", "keep the sum and the weight of the clients that count"],
    ["RoundInvariants.invariant_hash", "keep the hash of what was submitted, and of what was settled"],
    ["RoundInvariants.invariant_set", "settle on admissible sets only"],
    ["RoundInvariants.invariant_ledger", "charge each settlement once, and never beyond the budget"],
    ["RoundInvariants.invariant_transitions", "lose no proposal that stands, for no smaller set, and refuse no result"],
    [
      "ListedBuffers.invariant_state",
      "take into buffers whom the rules allow, each refusal for its reason, and sum those",
    ],
    ["ListedBuffers.invariant_future", "let an honest quorum end a buffer and fill the next one, from any state"],
    ["OpenBuffers.invariant_state", "hold the bonds that were paid, and count whom settlements include and refuse"],
    ["OpenBuffers.invariant_future", "let everybody leave with the bond, from any state"],
  ];
  for (const [name, title] of CALLS) it(title, () => holds(name, { runs: FUZZ_RUNS }));
  for (const [name, title] of SEQUENCES)
    it(title, () => {
      const runs = name.includes("Buffers.") ? BUFFER_RUNS : INVARIANT_RUNS;
      holds(name, { runs, calls: runs * INVARIANT_DEPTH });
    });
});
