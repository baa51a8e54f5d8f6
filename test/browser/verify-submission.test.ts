import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { bundle, findChromium, reportOfPage } from "../support/browser.ts";
import { closeEngine } from "../support/proving.ts";
import { checkEvidence } from "./checks.ts";
import type { Report } from "./checks.ts";
import { evidenceToJson, makeEvidence } from "./evidence.ts";
import type { Evidence } from "./evidence.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const chromium = findChromium();

/** Findings as `check: verdict`, where a red one's verdict is its code. */
const verdicts = ({ findings }: Report): string[] =>
  findings.map(({ check, ok, code }) => `${check}: ${ok ? "green" : code}`);

describe("a submission verified in a browser", function () {
  this.timeout(120_000);
  /** By name: the evidence as JSON, and the verdicts on it. */
  const cases = new Map<string, { readonly json: string; readonly expected: readonly string[] }>();
  before(async () => {
    const good = await makeEvidence();
    cases.set("good", { json: evidenceToJson(good), expected: ["submission: green", "shares: green"] });
    cases.set("proof", {
      json: evidenceToJson(withFirstChunk(good, ({ y, ...rest }) => ({ ...rest, y: y ^ 0x10n }))),
      expected: ["submission: SUBMISSION_INVALID", "shares: green"],
    });
    cases.set("point", {
      json: evidenceToJson(withFirstChunk(good, ({ a, ...rest }) => ({ ...rest, a: { ...a, x: a.x ^ 1n } }))),
      expected: ["submission: POINT_NOT_ON_CURVE", "shares: green"],
    });
    cases.set("share", {
      json: evidenceToJson({ ...good, shares: flipLastByte(good.shares) }),
      expected: ["submission: green", "shares: IPFS_BLOCK_MISMATCH"],
    });
  });
  after(closeEngine);

  it("is green as it is and red by code with a byte flipped, in Node", async () => {
    for (const [name, { json, expected }] of cases) {
      const report = await checkEvidence(json);
      assert.deepEqual(verdicts(report), expected, name);
      assert.deepEqual(report.commitments, { hasKernel: true, same: [true, true] });
    }
  });

  const title = "is green as it is and red by code with a byte flipped, in headless Chromium without eval or threads";
  (chromium === undefined ? it.skip : it)(
    chromium === undefined ? `${title} (no Chromium found; CHROMIUM_BIN names one)` : title,
    async () => {
      const script = await bundle('import "./page.ts";', folder);
      const files = new Map([["/evidence", JSON.stringify([...cases.keys()])]]);
      for (const [name, { json }] of cases) files.set(`/evidence/${name}`, json);
      const { reports, blocked, error } = (await reportOfPage(chromium!, script, files)) as {
        readonly reports?: readonly Report[];
        readonly blocked: readonly string[];
        readonly error?: string;
      };
      assert.equal(error, undefined);
      assert.deepEqual(blocked, []);
      assert.deepEqual(
        reports!.map(verdicts),
        [...cases.values()].map(({ expected }) => expected),
      );
      for (const { commitments } of reports!) assert.deepEqual(commitments.same, [true, true]);
      const { milliseconds, commitments } = reports![0]!;
      const speed = `${(milliseconds / 1000).toFixed(2)} s ${commitments.hasKernel ? "with" : "without"} the kernel`;
      console.log(`      ${speed}; ${(script.length / 1024).toFixed(0)} KiB of script`);
    },
  );
});

type Chunk = Evidence["record"]["submission"]["chunks"][number];

function withFirstChunk(evidence: Evidence, change: (chunk: Chunk) => Chunk): Evidence {
  const { submission } = evidence.record;
  const [first, ...rest] = submission.chunks;
  return {
    ...evidence,
    record: { ...evidence.record, submission: { ...submission, chunks: [change(first!), ...rest] } },
  };
}

function flipLastByte(hex: Evidence["shares"]): Evidence["shares"] {
  const last = Number.parseInt(hex.slice(-2), 16) ^ 1;
  return `${hex.slice(0, -2)}${last.toString(16).padStart(2, "0")}` as Evidence["shares"];
}
