import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";

const FL = fileURLToPath(new URL("../../auditor/cli.ts", import.meta.url));

interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function dp(...args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", FL, "dp", ...args],
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await dp(...args, "--format", "json");
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Record<string, unknown>;
}

const gaussian = ["--mechanism", "gaussian", "--sampling-rate", "0.1", "--steps", "400", "--delta", "1e-5"];
const distributed = [
  "--mechanism",
  "ddgauss",
  "--granularity",
  "0.01",
  "--clients",
  "100",
  "--dimension",
  "1024",
  "--clip",
  "1",
  "--rounds",
  "10",
  "--delta",
  "1e-5",
];

describe("fl dp", function () {
  this.timeout(120_000);

  it("accounts for the subsampled Gaussian in three fields, by Rényi divergences or the privacy loss distribution", async () => {
    const renyi = await json("account", ...gaussian, "--noise-multiplier", "3.16");
    assert.deepEqual(Object.keys(renyi), ["epsilon", "accountant", "order"]);
    assert.ok(Math.abs((renyi["epsilon"] as number) - 2.9864) < 1e-3);
    assert.equal(renyi["accountant"], "rdp");
    const tight = await json("account", ...gaussian, "--noise-multiplier", "3.16", "--accountant", "pld");
    assert.deepEqual([tight["accountant"], tight["order"]], ["pld", null]);
    assert.ok((tight["epsilon"] as number) < (renyi["epsilon"] as number));
  });

  it("chooses only noise that a preset holds, and names the preset", async () => {
    const held = await dp("noise", ...distributed, "--epsilon", "3");
    assert.equal(held.status, 0, held.stderr);
    assert.match(held.stdout, /preset .*standard holds/);
    const fine = distributed.map((word) => (word === "0.01" ? "0.00001" : word));
    const none = await dp("noise", ...fine, "--epsilon", "0.5");
    assert.equal(none.status, 4);
    assert.match(none.stderr, /PRIVACY_PARAMETERS_INVALID: .*no preset/);
  });

  it("says no Infinity where there is a bound, and refuses with a status of its own where there is none", async () => {
    const hardly = await dp(
      "account",
      ...gaussian.map((word) => (word === "0.1" ? "1e-4" : word)),
      "--noise-multiplier",
      "1000",
    );
    assert.equal(hardly.status, 0);
    assert.doesNotMatch(hardly.stdout, /Infinity/);
    const little = await dp("account", ...gaussian, "--noise-multiplier", "1e-5");
    assert.equal(little.status, 0);
    assert.doesNotMatch(little.stdout, /Infinity/);
    for (const args of [
      ["account", ...gaussian, "--noise-multiplier", "1e-7"],
      ["account", ...gaussian.map((word) => (word === "1e-5" ? "0" : word)), "--noise-multiplier", "1"],
      ["account", ...gaussian.map((word) => (word === "1e-5" ? "x" : word)), "--noise-multiplier", "1"],
      ["account", ...distributed, "--noise-std-dev", "1", "--most-clients", "60000"],
      ["noise", ...gaussian, "--epsilon", "1e-9"],
    ])
      assert.equal((await dp(...args)).status, 4, args.join(" "));
  });

  it("accounts for distributed noise as the published accountant does", async () => {
    // A row of google/differential-privacy's accountant: epsilon 2.8736 at order 8.
    const answer = await json("account", ...distributed, "--noise-std-dev", "0.5");
    assert.deepEqual(Object.keys(answer), ["epsilon", "accountant", "order"]);
    assert.ok(Math.abs((answer["epsilon"] as number) - 2.8736291678455332) < 1e-6);
    assert.deepEqual([answer["accountant"], answer["order"]], ["ddgauss-rdp", 8]);
    const others = distributed.map((word) => (word === "ddgauss" ? "skellam" : word));
    const skellam = await json("account", ...others, "--noise-std-dev", "0.5");
    assert.ok((skellam["epsilon"] as number) > (answer["epsilon"] as number));
  });

  it("chooses noise that keeps to a target, and says so in words", async () => {
    const multiplier = await json("noise", ...gaussian, "--epsilon", "3");
    assert.ok(
      (multiplier["epsilon"] as number) <= 3 && Math.abs((multiplier["noiseMultiplier"] as number) - 3.16) < 0.05,
    );
    const local = await json("noise", ...distributed, "--epsilon", "3", "--coordinate-bits", "12");
    assert.ok((local["epsilon"] as number) <= 3 && (local["epsilon"] as number) > 2.99);
    const again = await json(
      "account",
      ...distributed,
      "--noise-std-dev",
      String(local["noiseStdDev"]),
      "--coordinate-bits",
      "12",
    );
    assert.ok(Math.abs((again["epsilon"] as number) - (local["epsilon"] as number)) < 1e-9);
    const { stdout } = await dp("noise", ...distributed, "--epsilon", "3");
    assert.match(
      stdout,
      /each client adds noise of variance \d+ steps².*each client has \(epsilon 2\.99\d+, delta 0\.00001\)/,
    );
  });

  it("composes the steps of all rounds, whichever option has them", async () => {
    const epsilonOf = async (...args: readonly string[]): Promise<number> =>
      (JSON.parse((await dp("account", ...args, "--format", "json")).stdout) as { epsilon: number }).epsilon;
    const plain = ["--mechanism", "gaussian", "--delta", "1e-5", "--noise-multiplier", "3", "--sampling-rate", "0.1"];
    assert.equal(
      await epsilonOf(...plain, "--steps", "20", "--rounds", "5"),
      await epsilonOf(...plain, "--steps", "100"),
    );
    const sums = [
      "--mechanism",
      "ddgauss",
      "--delta",
      "1e-5",
      "--noise-std-dev",
      "0.5",
      "--granularity",
      "0.01",
      "--clients",
      "100",
      "--dimension",
      "64",
      "--clip",
      "1",
      "--sampling-rate",
      "1",
    ];
    const twelve = await epsilonOf(...sums, "--steps", "12");
    assert.equal(twelve, await epsilonOf(...sums, "--rounds", "12"));
    assert.ok(twelve > 2 * (await epsilonOf(...sums)));
  });

  it("refuses bad and missing parameters with a code", async () => {
    for (const [code, ...args] of [
      ["PRIVACY_PARAMETERS_INVALID", "account", ...gaussian, "--noise-multiplier", "-1"],
      ["USAGE", "account", ...gaussian, "--noise-multiplier", "x"],
      ["PRIVACY_PARAMETERS_INVALID", "account", ...distributed, "--noise-std-dev", "0.001"],
      ["PRIVACY_PARAMETERS_INVALID", "account", ...distributed, "--noise-std-dev", "5", "--coordinate-bits", "12"],
      ["PRIVACY_PARAMETERS_INVALID", "noise", ...distributed, "--epsilon", "3", "--coordinate-bits", "4"],
      ["USAGE", "account", ...gaussian],
      ["USAGE", "account", ...gaussian, "--noise-multiplier", "3", "--clip", "1"],
      ["USAGE", "account", ...distributed, "--noise-std-dev", "1", "--accountant", "pld"],
      ["USAGE", "account", ...distributed, "--noise-std-dev", "1", "--sampling-rate", "0.5"],
      ["USAGE", "account", "--mechanism", "laplace"],
      ["USAGE", "noise", ...gaussian],
      ["USAGE", "account", "--mechanism", "ddgauss", "--delta", "1e-5", "--noise-std-dev", "1"],
    ] as const) {
      const { status, stderr } = await dp(...args);
      assert.equal(status, 4, args.join(" "));
      assert.ok(stderr.includes(code), stderr);
    }
    const { status, stdout } = await dp("account", ...gaussian, "--noise-multiplier", "-1", "--format", "json");
    assert.deepEqual([status, (JSON.parse(stdout) as { code: string }).code], [4, "PRIVACY_PARAMETERS_INVALID"]);
  });
});
