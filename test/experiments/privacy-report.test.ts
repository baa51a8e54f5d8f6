/** What docs/privacy.md says follows from what was measured, and what was measured is what it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { generateDocFiles } from "../../scripts/generate-docs.ts";
import type { AuditRow } from "../../experiments/privacy/audit.ts";
import type { ClientPrivacyRow } from "../../experiments/privacy/client-level.ts";
import type { MembershipRow } from "../../experiments/privacy/membership.ts";
import { noiseStdDevOf, privacyPlots, privacyTables } from "../../experiments/privacy/report.ts";

const rowsOf = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../docs/data/privacy-${name}.json`, import.meta.url), "utf8"));
const clients = rowsOf("client") as readonly ClientPrivacyRow[];
const audit = rowsOf("audit") as readonly AuditRow[];
const participation = rowsOf("participation") as readonly ClientPrivacyRow[];
const membership = rowsOf("membership") as readonly MembershipRow[];

describe("the measurements of privacy", () => {
  it("are those in the document and its plots", () => {
    const files = generateDocFiles();
    for (const path of ["docs/privacy.md", "docs/plots/privacy-digits.svg", "docs/plots/privacy-fashion.svg"]) {
      assert.equal(
        files[path],
        readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"),
        `${path}: run npm run generate`,
      );
    }
  });

  it("keep every noise within the epsilon asked for, and more noise for less of it", () => {
    for (const { epsilon, epsilonSpent } of clients) {
      if (epsilon === null) assert.equal(epsilonSpent, null);
      else assert.ok(epsilonSpent! <= epsilon && epsilonSpent! > 0.99 * epsilon);
    }
  });

  for (const [task, cohort, least] of [
    ["digits-cohort", 100, 0.92],
    ["fashion-cohort", 1000, 0.83],
  ] as const) {
    it(`reach ${least} on ${task} with ${cohort} clients and epsilon 8`, () => {
      const row = clients.find(
        (candidate) => candidate.task === task && candidate.clients === cohort && candidate.epsilon === 8,
      );
      assert.ok(row !== undefined && row.seeds.length >= 2 && row.accuracy.mean >= least, JSON.stringify(row));
    });
  }

  it("need half the noise for the same epsilon where a client is in 5 of 20 rounds, and lose no accuracy by it", () => {
    const of = (epsilon: number, roundsPerClient?: number): ClientPrivacyRow => {
      const row = participation.find((one) => one.epsilon === epsilon && one.roundsPerClient === roundsPerClient)!;
      assert.deepEqual([row.registered, row.clients, row.rounds], [400, 100, 20]);
      return row;
    };
    for (const epsilon of [1, 3, 8]) {
      const [limited, all] = [of(epsilon, 5), of(epsilon)];
      assert.ok(Math.abs(noiseStdDevOf(limited) / noiseStdDevOf(all) - 0.5) < 0.02, `${epsilon}`);
      assert.ok(limited.accuracy.mean > all.accuracy.mean, `${epsilon}`);
    }
  });

  it("prove no more than is stated, and more where a mistake was planted", () => {
    assert.deepEqual([...new Set(audit.map(({ unit }) => unit))].sort(), ["client", "example"]);
    for (const row of audit)
      assert.ok(
        row.noisePart === 1 ? row.measuredEpsilon <= row.statedEpsilon : row.measuredEpsilon > row.statedEpsilon,
        JSON.stringify(row),
      );
  });

  it("prove no more than is stated by membership, more with a fiftieth of the noise, and more than one where wrong labels were learnt by heart", () => {
    const right = membership.filter(({ noisePart }) => noisePart === 1);
    assert.deepEqual([...new Set(right.map(({ statedEpsilon }) => Math.round(statedEpsilon!)))], [1, 2, 8]);
    for (const row of right) assert.ok(row.provenEpsilon <= row.statedEpsilon!, JSON.stringify(row));
    const planted = membership.filter(({ noisePart }) => noisePart === 0.02);
    assert.ok(planted.length >= 2 && planted.every((row) => row.provenEpsilon > row.statedEpsilon!));
    assert.ok(
      membership.some(
        ({ statedEpsilon, labels, provenEpsilon }) => statedEpsilon === null && labels === "wrong" && provenEpsilon > 1,
      ),
    );
  });

  it("leave out what was not measured", () => {
    const nothing = { clients: [], examples: [], audit: [], clips: [], membership: [], participation: [] };
    assert.deepEqual(privacyPlots(nothing), {});
    for (const table of Object.values(privacyTables(nothing))) assert.equal(table.split("\n").length, 2);
    const one = { ...nothing, clients: clients.slice(0, 1) };
    assert.deepEqual(Object.keys(privacyPlots(one)), [`docs/plots/privacy-${clients[0]!.task.split("-")[0]!}.svg`]);
  });
});
