import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { cidFromDigest } from "../../content/cid.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { submissionVerifier } from "../../proving/groth16/submission-batch.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { closeEngine } from "../support/proving.ts";
import { csprng } from "../support/round-harness.ts";
import { changedVector, vectorChanges } from "../support/round-vector-changes.ts";
import {
  auditVector,
  judge,
  playRoundVector,
  readRoundVector,
  VECTOR_ROUNDS,
  withTask,
} from "../support/round-vector.ts";
import type { RoundVector } from "../support/round-vector.ts";
import { vectorValues } from "../support/round-vector-values.ts";

const PAGE = readFileSync(fileURLToPath(new URL("../../docs/formats.md", import.meta.url)), "utf8");
/** The first cells of the table that begins with this line. */
const firstCells = (heading: string): string[] => {
  const lines = PAGE.slice(PAGE.indexOf(heading)).split("\n").slice(2);
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(0, end).map((line) => /^\| `([^`]+)`/.exec(line)![1]!);
};

describe("the published vector of whole rounds", function () {
  this.timeout(180_000);
  let vector: RoundVector;
  let verifier: ReturnType<typeof submissionVerifier>;
  before(async () => {
    vector = await readRoundVector();
    verifier = submissionVerifier(await openCurve(), csprng);
  });
  after(closeEngine);

  it("is found green by the auditor, with every check that docs/formats.md has of such a task", async () => {
    const findings = await auditVector(vector, { verifier });
    assert.deepEqual(findings, vector.verdict.findings);
    assert.ok(findings.every(({ ok }) => ok));
    const others = ["setup", "sibling cells", "sum of cells", "metrics"];
    assert.deepEqual(
      [...new Set(findings.map(({ check }) => check))],
      firstCells("| check | of | red if | code |").filter((check) => !others.includes(check)),
    );
  });

  it("has the values that follow from what the chain and the files say", async () => {
    const keys = vector.values.shares.map(
      ({ seat, secretKey, publicKey }) =>
        [seat, { secretKey: fromHex(secretKey), publicKey: fromHex(publicKey) }] as const,
    );
    const values = await withTask(vector, (task) => vectorValues(task, VECTOR_ROUNDS, new Map(keys)));
    assert.deepEqual(values, vector.values);
    assert.equal(keys.length, 2);
  });

  it("has whole directories, and checkpoints with the keys that docs/formats.md has", async () => {
    const keys = firstCells("| key | value |");
    for (const [cid, files] of Object.entries(vector.content)) {
      assert.equal(cidFromDigest(await directoryDigest(files)), cid);
      const config = files["config.json"];
      if (config === undefined) continue;
      const found = Object.keys(JSON.parse(Buffer.from(config).toString()) as object);
      assert.deepEqual(
        found,
        keys.filter((key) => key !== "cells" && key !== "clipNorm"),
      );
    }
  });

  it("is judged as it says with one thing changed", async () => {
    const judged = [];
    for (const change of vectorChanges(vector))
      judged.push({ ...change, verdict: await judge(changedVector(vector, change), { verifier }) });
    assert.deepEqual(judged, vector.verdict.changes);
    assert.deepEqual(
      judged.filter(({ verdict }) => verdict === "green").map(({ what }) => what),
      ["nobody has the aggregate"],
    );
  });

  it("has the sums and models of its clients' seeds, whenever it is played", async () => {
    const again = await playRoundVector();
    assert.ok(again.verdict.findings.every(({ ok }) => ok));
    const fixed = ({ parameters: { genesisDigest }, rounds }: RoundVector["values"]): object => ({
      genesisDigest,
      rounds: rounds.map(({ settlement, result, firstSums, sumOfSums }) => ({
        ...{ included: settlement.included, modelDigest: result.modelDigest, firstSums, sumOfSums },
      })),
    });
    assert.deepEqual(fixed(again.values), fixed(vector.values));
    assert.notDeepEqual(again.chain.logs, vector.chain.logs);
  });
});
