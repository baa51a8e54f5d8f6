import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { verifySubmission } from "../../auditor/audit-submission.ts";
import { checkReleases } from "../../auditor/round-checks.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { decodeVerificationKeys } from "../../protocol/verification-key.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { submissionVerifier } from "../../proving/groth16/submission-batch.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { requireSettled } from "../../task/round-records.ts";
import { rejectsCode } from "../support/errors.ts";
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

type Json = Readonly<Record<string, unknown>>;

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
    const others = ["deployment", "setup", "sibling cells", "sum of cells", "metrics"];
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

  it("has an update of the model before, which a task without maxStaleness would not take", () =>
    withTask(vector, async (task) => {
      const records = await task.chain.records(2n);
      const stale = records.submitted.find(({ submission }) => submission.base === 0n)!;
      const keys = decodeVerificationKeys(await task.chain.verificationKeys());
      assert.equal(verifySubmission(task, keys, records, stale), 2);
      const parameters = { ...task.parameters, maxStaleness: 0 };
      const judged = async (): Promise<number> => verifySubmission({ ...task, parameters }, keys, records, stale);
      await rejectsCode(judged(), "SUBMISSION_INVALID");
    }));

  it("takes of a checkpoint what docs/formats.md says, and refuses one of another form", async () => {
    const [genesis, model] = await withTask(vector, async ({ chain, parameters }) => {
      const { finalised } = await chain.records(1n);
      return [parameters.genesisCid, finalised!.result.modelCid].map((cid) => cidFromDigest(cid));
    });
    const judged = (cid: string, name: string, change: (json: Json) => Json): Promise<unknown> => {
      const files = vector.content[cid]!;
      const json = change(JSON.parse(Buffer.from(files[name]!).toString()) as Json);
      const content = { ...vector.content, [cid]: { ...files, [name]: Buffer.from(JSON.stringify(json)) } };
      return judge({ chain: vector.chain, content }, { verifier });
    };
    const config = (change: (metrics: Json) => Json): Promise<unknown> =>
      judged(model!, "config.json", (json) => ({ ...json, metrics: change(json["metrics"] as Json) }));
    const refused = { round: 1, check: "model", code: "CHECKPOINT_INVALID" };
    // The files keep the CID that they had: metrics are put in their order before they are compared with it.
    assert.equal(await config((metrics) => Object.fromEntries(Object.entries(metrics).toReversed())), "green");
    assert.deepEqual(await config((metrics) => ({ ...metrics, f1: 0.5 })), refused);
    assert.deepEqual(await judged(model!, "config.json", ({ clients: _, ...json }) => json), refused);
    assert.equal(await judged(genesis!, "topology.json", () => ({})), "green");
  });

  it("checks the signature of every release, and counts a seat once", () =>
    withTask(vector, async (task) => {
      const records = await task.chain.records(1n);
      const settled = requireSettled(records);
      const [first, second] = records.released;
      const check = (...released: (typeof records.released)[number][]): Promise<number[]> =>
        checkReleases(task, { released }, settled);
      assert.deepEqual(await check(first!, second!, first!), [first!.seat, second!.seat]);
      await rejectsCode(check(first!, first!), "AUDIT_FAILED");
      await rejectsCode(check(first!, second!, { ...first!, seat: second!.seat }), "AUDIT_FAILED");
    }));

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
