import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { invert } from "../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { G1_GENERATOR, G1_INFINITY, multiplyG1, multiplyG2 } from "../../../protocol/points.ts";
import { g1Json } from "../../../protocol/key-json.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import type { Factors } from "../../../proving/ceremony/contribution-secrets.ts";
import { readPowersFile } from "../../../proving/ceremony/powers-file.ts";
import { requireContributors } from "../../../proving/ceremony/setup.ts";
import type { NamedFiles } from "../../../proving/ceremony/setup-folder.ts";
import {
  contributionFile,
  parseContributorName,
  POWERS_RECORD_FILE,
  START_FILE,
} from "../../../proving/ceremony/transcript.ts";
import type { CeremonyRule } from "../../../proving/ceremony/transcript.ts";
import type { VerifiedTranscript } from "../../../proving/ceremony/verify-transcript.ts";
import { contributed, digest, jsonFile, startFiles, verify } from "../../support/ceremony.ts";
import type { Deviation } from "../../support/ceremony.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";
import { makePublicPowers } from "../../support/powers-of-tau.ts";
import { seededRandom } from "../../support/random.ts";

const [SMALL, LARGE] = ["chunk_2676x12", "chunk_10212x12"] as const;
const PARTIES = ["ETH Zürich", "Inselspital Bern", "EPFL"] as const;
const BEACON = { value: "0b".repeat(32), iterationBits: 3 };

describe("a ceremony's transcript", function () {
  this.timeout(300_000);
  const random = seededRandom("transcript");
  let curve: Curve;
  let start: NamedFiles;
  /** After 0, 1, 2 and 3 parties. */
  let transcripts: NamedFiles[];
  let verified: VerifiedTranscript[];
  before(async () => {
    curve = await openCurve();
    const folder = await mkdtemp(path.join(tmpdir(), "transcript-"));
    const { complete } = await makePublicPowers(folder, 3);
    start = startFiles(curve, await readPowersFile(complete, 3, "a test needs it"), [SMALL, LARGE]);
    await rm(folder, { recursive: true });
    transcripts = [start];
    verified = [await verify(curve, start, random)];
    for (const name of PARTIES) {
      transcripts.push(contributed(transcripts.at(-1)!, verified.at(-1)!, name, random));
      verified.push(await verify(curve, transcripts.at(-1)!, random));
    }
  });
  after(() => closeCurve());

  const refuses = (files: NamedFiles, rule: CeremonyRule, details = {}): Promise<void> =>
    rejectsCode(verify(curve, files, random), "CEREMONY_REFUSED", { rule, ...details });
  /** A second contribution that deviates is refused, by its index and name; without the deviation it is accepted. */
  const refusesSecond = async (deviation: Deviation, rule: CeremonyRule): Promise<void> => {
    const files = contributed(transcripts[1]!, verified[1]!, "Mallory", random, deviation);
    await refuses(files, rule, { contribution: 2, name: "Mallory" });
  };
  const withSecond = (change: (json: Record<string, unknown>) => object): NamedFiles => {
    const text = new TextDecoder().decode(transcripts[2]![contributionFile(2)]);
    return {
      ...transcripts[2],
      [contributionFile(2)]: jsonFile(change(JSON.parse(text) as Record<string, unknown>)),
    };
  };

  it("of three parties holds, and says who they are in order", () => {
    assert.deepEqual(verified[3]!.contributors, PARTIES);
    assert.equal(verified[3]!.powersContributions, 3);
    requireContributors(verified[3]!);
  });

  it("without a contribution is unfinished", () => {
    throwsCode(() => requireContributors(verified[0]!), "CEREMONY_UNFINISHED");
  });

  it("with a beacon alone is unfinished: everybody knows its secrets", async () => {
    const files = contributed(start, verified[0]!, "a beacon", random, {}, BEACON);
    const alone = await verify(curve, files, random);
    assert.deepEqual([alone.contributors, alone.beacon], [[], BEACON]);
    throwsCode(() => requireContributors(alone), "CEREMONY_UNFINISHED");
  });

  it("may end with a beacon, and only with the one that it names", async () => {
    const files = contributed(transcripts[3]!, verified[3]!, "a beacon", random, {}, BEACON);
    const ended = await verify(curve, files, random);
    assert.deepEqual([ended.contributors, ended.beacon], [PARTIES, BEACON]);
    const text = new TextDecoder().decode(files[contributionFile(4)]);
    for (const [from, to] of [
      ['"iterationBits":3', '"iterationBits":4'],
      ['"value":"0b', '"value":"0c'],
    ] as const)
      await refuses({ ...files, [contributionFile(4)]: new TextEncoder().encode(text.replace(from, to)) }, "beacon");
    await refuses(contributed(files, ended, "Mallory", random), "beacon", { contribution: 5 });
  });

  it("refuses a factor of 1 or −1: who skips delta or sigma has contributed nothing to it", async () => {
    const [same, negative] = [1n, FIELD_ORDER - 1n];
    await refusesSecond({ factors: () => ({ delta: 12345n, sigma: same }) }, "skipped");
    await refusesSecond({ factors: () => ({ delta: negative, sigma: 12345n }) }, "skipped");
    await refusesSecond({ factors: (kind) => (kind === LARGE ? { delta: 5n, sigma: negative } : HONEST) }, "skipped");
  });

  it("refuses a factor of 0, also if only delta's form in G1 is infinite", async () => {
    const zero = multiplyG2(verified[0]!.points[0]!.delta2, 0n);
    await refusesSecond({ points: () => ({ sigma2: zero }) }, "infinity");
    await refusesSecond({ points: () => ({ delta2: zero }) }, "infinity");
    await refusesSecond({ points: () => ({ delta1: G1_INFINITY }) }, "infinity");
  });

  it("refuses one secret for delta and sigma, as it is, negative, or inverse, of one kind and of two", async () => {
    const secret = 123456789n;
    const inverse = invert(secret);
    // Each relation once, and each pair of places once.
    for (const [small, large] of [
      [{ delta: secret, sigma: secret }, HONEST],
      [{ delta: secret, sigma: FIELD_ORDER - secret }, HONEST],
      [HONEST, { delta: secret, sigma: inverse }],
      [
        { delta: secret, sigma: 7n },
        { delta: FIELD_ORDER - inverse, sigma: 11n },
      ],
      [
        { delta: 7n, sigma: inverse },
        { delta: secret, sigma: 11n },
      ],
      [
        { delta: secret, sigma: 7n },
        { delta: 11n, sigma: FIELD_ORDER - secret },
      ],
    ] as const)
      await refusesSecond({ factors: (kind) => (kind === SMALL ? small : large) }, "same-secret");
  });

  it("refuses a contributor who does not know a factor", async () => {
    await refusesSecond({ claims: (_, { delta, sigma }) => ({ delta: delta + 1n, sigma }) }, "proof");
    await refusesSecond({ claims: (_, { delta, sigma }) => ({ delta, sigma: sigma + 1n }) }, "proof");
    await refusesSecond({ claims: (kind, { delta }) => (kind === LARGE ? { delta, sigma: delta } : HONEST) }, "proof");
  });

  it("refuses a proof made for another transcript, place, party, kind, secret, or other points", async () => {
    const { delta2 } = verified[3]!.points[1]!;
    for (const other of [
      { previous: digest("another transcript") },
      { index: 3 },
      { contributor: "EPFL" },
      { kind: "another kind" },
      { before: delta2 },
      { after: delta2 },
    ])
      await refusesSecond({ proves: () => other }, "proof");
    await refusesSecond({ proves: ({ secret }) => ({ secret: secret === "delta" ? "sigma" : "delta" }) }, "proof");
  });

  it("refuses a response that is not below the order: a proof has one form", async () => {
    const files = withSecond(
      (json) =>
        JSON.parse(
          JSON.stringify(json).replace(/"response":"(0x[0-9a-f]+)"/, (_, response: string) => {
            const larger = BigInt(response) + FIELD_ORDER;
            return `"response":"0x${larger.toString(16)}"`;
          }),
        ) as object,
    );
    await refuses(files, "proof");
  });

  it("refuses delta's form in G1 of another secret", async () => {
    await refusesSecond({ points: ({ delta1 }) => ({ delta1: multiplyG1(delta1, 2n) }) }, "delta-forms");
  });

  it("refuses contributions in another order, dropped, repeated, or from another ceremony", async () => {
    const [first, second, third] = [1, 2, 3].map((index) => transcripts[3]![contributionFile(index)]!);
    const list = (files: readonly Uint8Array[]): NamedFiles => ({
      ...start,
      ...Object.fromEntries(files.map((file, k) => [contributionFile(k + 1), file])),
    });
    for (const files of [[second!, first!, third!], [first!, third!], [first!, first!, second!, third!], [second!]])
      await refuses(list(files), "order");
    const { [contributionFile(2)]: gone, ...hole } = transcripts[3]!;
    assert.ok(gone !== undefined);
    await refuses(hole, "order");
    await refuses({ ...start, "notes.txt": new Uint8Array(1) }, "order");
    const elsewhere = contributed(start, verified[0]!, PARTIES[0], random);
    await refuses({ ...elsewhere, [contributionFile(2)]: second! }, "previous", { contribution: 2 });
    await refusesSecond({ index: 3 }, "order");
    await refusesSecond({ previous: digest("something") }, "previous");
  });

  it("refuses a contribution whose name, kinds or files were changed afterwards, by the one that follows", async () => {
    const third = transcripts[3]![contributionFile(3)]!;
    const files = withSecond((json) => ({
      ...json,
      kinds: (json["kinds"] as object[]).map((kind) => ({
        ...kind,
        files: { zkey: digest("a"), wireBases: digest("b") },
      })),
    }));
    await verify(curve, files, random);
    await refuses({ ...files, [contributionFile(3)]: third }, "previous", { contribution: 3 });
    await refuses(
      withSecond((json) => ({ ...json, name: "Mallory" })),
      "proof",
    );
    await refuses(
      withSecond((json) => ({ ...json, kinds: (json["kinds"] as object[]).slice(0, 1) })),
      "kinds",
    );
    await refuses(
      withSecond((json) => ({ ...json, kinds: (json["kinds"] as object[]).toReversed() })),
      "kinds",
    );
  });

  it("counts nobody twice", async () => {
    await refuses(contributed(transcripts[1]!, verified[1]!, PARTIES[0], random), "name-repeats", { contribution: 2 });
  });

  it("refuses names that could not be printed as they are", async () => {
    for (const name of ["", " EPFL", "EPFL ", "a  b", "a\nb", "\u001b[31mred", "a\u202eb", "x".repeat(81), "e\u0301"])
      throwsCode(() => parseContributorName(name), "CEREMONY_REFUSED");
    await refuses(
      withSecond((json) => ({ ...json, name: "a\u202eb" })),
      "name",
    );
    for (const name of PARTIES) assert.equal(parseContributorName(name), name);
  });

  it("refuses a record of powers that is not the one that it names, or has another end", async () => {
    await refuses({ ...start, [POWERS_RECORD_FILE]: new Uint8Array(4) }, "powers-record");
    const json = JSON.parse(new TextDecoder().decode(start[START_FILE])) as Record<string, unknown>;
    const changed = (change: object): NamedFiles => ({ ...start, [START_FILE]: jsonFile({ ...json, ...change }) });
    await refuses(changed({ alpha: g1Json(G1_GENERATOR) }), "powers-record");
    await refuses(changed({ beta: json["tau"] }), "powers-record");
    await refuses(changed({ tau: json["beta"] }), "powers-record");
  });

  it("refuses files that are missing, no JSON, of another format, or with points off the curve", async () => {
    const { [START_FILE]: gone, ...headless } = start;
    assert.ok(gone !== undefined);
    await refuses(headless, "files");
    await refuses({ ...start, [START_FILE]: new TextEncoder().encode("{") }, "malformed");
    const text = new TextDecoder().decode(start[START_FILE]);
    assert.match(text, /"alpha"/);
    const twice = text.replace('"alpha"', '"alpha": 0, "alpha"');
    await refuses({ ...start, [START_FILE]: new TextEncoder().encode(twice) }, "malformed");
    await refuses(
      withSecond((json) => ({ ...json, format: "verisum-setup/0" })),
      "malformed",
    );
    await refuses(
      withSecond((json) => ({ ...json, extra: 1 })),
      "malformed",
    );
    const off = withSecond((json) => ({
      ...json,
      kinds: (json["kinds"] as object[]).map((kind) => ({ ...kind, delta1: ["0x1", "0x3"] })),
    }));
    await refuses(off, "malformed");
  });
});

const HONEST: Factors = { delta: 1234567n, sigma: 7654321n };
