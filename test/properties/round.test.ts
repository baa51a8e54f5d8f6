/**
 * Properties of the compiled contracts on Foundry's EVM: any arguments of one call, and any sequence of calls
 * (test/properties/Calls.t.sol, test/properties/Sequences.t.sol). Proofs are left out: those are what
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
const INVARIANT_DEPTH = 128;

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
      INVARIANT_RUNS: String(INVARIANT_RUNS),
      INVARIANT_DEPTH: String(INVARIANT_DEPTH),
    };
    const { stdout, stderr } = spawnSync(foundryProgram("forge"), ["test", "--json", "--root", "."], {
      cwd: ROOT,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        VERISUM_PARAMETERS: encodeParameters(parameters),
        VERISUM_KEYS: KEYS_BLOB,
        ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`FOUNDRY_${name}`, value])),
      },
    });
    const start = stdout.indexOf("{");
    assert.ok(start >= 0, `${stdout}\n${stderr}`);
    type Suites = Readonly<Record<string, { readonly test_results: Readonly<Record<string, Outcome>> }>>;
    for (const { test_results } of Object.values(JSON.parse(stdout.slice(start)) as Suites))
      for (const [signature, outcome] of Object.entries(test_results)) outcomes.set(signature.split("(")[0]!, outcome);
  });

  const holds = (name: string, least: { readonly runs: number; readonly calls?: number }): void => {
    const outcome = outcomes.get(name);
    assert.ok(outcome !== undefined, `${name} is not among ${[...outcomes.keys()].join()}`);
    assert.equal(outcome.status, "Success", JSON.stringify(outcome));
    const [{ runs, calls = 0 }] = Object.values(outcome.kind) as [{ runs: number; calls?: number }];
    assert.ok(runs >= least.runs && calls >= (least.calls ?? 0), JSON.stringify(outcome.kind));
  };
  const CALLS: readonly (readonly [string, string])[] = [
    ["testFuzz_tally", "count refusals in planes as one by one"],
    ["testFuzz_settle", "settle, propose and refuse as the document says, whatever members state"],
    ["testFuzz_statement", "refuse a statement of which one thing was changed"],
  ];
  const SEQUENCES: readonly (readonly [string, string])[] = [
    ["invariant_sum", "keep the sum and the weight of the clients that count"],
    ["invariant_hash", "keep the hash of what was submitted, and of what was settled"],
    ["invariant_set", "settle on admissible sets only"],
    ["invariant_ledger", "charge each settlement once, and never beyond the budget"],
    ["invariant_transitions", "lose no proposal that stands, for no smaller set, and refuse no result"],
  ];
  for (const [name, title] of CALLS) it(title, () => holds(name, { runs: FUZZ_RUNS }));
  for (const [name, title] of SEQUENCES)
    it(title, () => holds(name, { runs: INVARIANT_RUNS, calls: INVARIANT_RUNS * INVARIANT_DEPTH }));
});
