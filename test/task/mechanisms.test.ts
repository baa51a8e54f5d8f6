import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { normSquared } from "../../protocol/packing.ts";
import type { Cohort, Mechanism } from "../../task/mechanisms/mechanism.ts";
import {
  mechanismOf,
  MECHANISMS,
  privacyRequestSchema,
  privacySchema,
  withLeastNoise,
} from "../../task/mechanisms/registry.ts";
import type { PrivacyRequest, PrivacySettings } from "../../task/mechanisms/registry.ts";
import { throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const cohort: Cohort = {
  preset: "standard",
  quantisation: { stepBits: 4, clipSteps: 64 },
  dimension: 50,
  minHonest: 20,
};

/** What an operator may write for each mechanism: without its noise. */
const REQUESTS: { readonly [Unit in PrivacyRequest["unit"]]: PrivacyRequest & { readonly unit: Unit } } = {
  example: { unit: "example", exampleClipNorm: 1, samplingRate: 0.1, stepsPerRound: 20, delta: 1e-5 },
  client: { unit: "client", delta: 1e-5 },
};

describe("the privacy mechanisms", () => {
  it("have names of their own", () => {
    assert.equal(new Set(MECHANISMS.map(({ unit }) => unit)).size, MECHANISMS.length);
  });

  it("are all that a document can ask for", () => {
    for (const privacy of [{ unit: "other", delta: 1e-5 }, { delta: 1e-5 }, null])
      assert.equal(privacySchema.safeParse(privacy).success, false);
  });

  for (const { unit } of MECHANISMS) {
    describe(unit, () => {
      const request = REQUESTS[unit];
      const rounds = 10;
      const settings = withLeastNoise(4, request, cohort, rounds);
      const mechanism = mechanismOf(settings);
      const guarantee = mechanism.guarantee!;

      it("may leave out its noise where an operator asks, and not in a document", () => {
        assert.deepEqual(privacyRequestSchema.parse(request), request);
        assert.equal(privacySchema.safeParse(request).success, false);
        assert.deepEqual(privacySchema.parse(settings), settings);
        assert.equal(privacySchema.safeParse({ ...settings, extra: 1 }).success, false);
      });

      it("keeps all rounds within the target, and not by far", () => {
        const epsilon = guarantee.epsilonAfter(cohort, rounds);
        assert.ok(epsilon <= 4 && epsilon > 3.9, `${epsilon}`);
        throwsCode(() => withLeastNoise(0, request, cohort, rounds), "PRIVACY_PARAMETERS_INVALID");
      });

      it("spends more with every round, and the tighter accountant never finds more", () => {
        const spent = [1, 2, 5, rounds].map((count) => guarantee.epsilonAfter(cohort, count));
        for (let i = 1; i < spent.length; i++) assert.ok(spent[i]! > spent[i - 1]!, `${spent.join()}`);
        const tighter = guarantee.pldEpsilonAfter?.(cohort, rounds, spent.at(-1)!) ?? 0;
        assert.ok(tighter <= spent.at(-1)!, `${tighter}`);
      });

      it("says of what and at which delta", () => {
        assert.deepEqual([guarantee.unit, guarantee.delta], [unit, settings.delta]);
        assert.match(guarantee.protects(20), new RegExp(guarantee.subject));
      });

      it("encodes within its bound, and an update that is not finite as it says", () => {
        const random = seededRandom(`mechanism ${unit}`);
        const encode = (value: number): Int32Array =>
          mechanism.updateEncoder(cohort, random)(new Float32Array(50).fill(value), 1);
        for (const value of [0, 0.1, 1e6]) {
          const encoded = encode(value);
          assert.equal(encoded.length, 50);
          assert.ok(BigInt(normSquared(encoded)) <= mechanism.normBoundSquared(cohort));
        }
        if (mechanism.diverged === "zero") assert.equal(encode(NaN).length, 50);
        else throwsCode(() => encode(NaN), "UPDATE_NOT_FINITE");
      });

      it("counts every client alike where noise is shared", () => {
        if (guarantee.sharedNoise) assert.ok(mechanism.uniformWeights);
      });
    });
  }

  it("leave a task without one as it is", () => {
    const { guarantee, ...mechanism } = mechanismOf(undefined);
    assert.equal(guarantee, null);
    assert.deepEqual(mechanism.trainOptions(seededRandom("none")), {});
    assert.equal(mechanism.uniformWeights, false);
    assert.doesNotThrow(() => mechanism.assertUsefulCohort({ ...cohort, minClients: 1 }, 1));
  });

  it("have every member: one that lacks its encoder does not compile", () => {
    const { updateEncoder: _, ...lacking } = mechanismOf(undefined);
    // @ts-expect-error Checked by the compiler.
    assert.equal("updateEncoder" in (lacking satisfies Mechanism), false);
  });

  it("are asked for by name nowhere else", () => {
    const units = MECHANISMS.map(({ unit }) => unit satisfies PrivacySettings["unit"]).join("|");
    const byName = new RegExp(`\\bunit\\b[^\\n]{0,20}[!=]==?\\s*["'\`](${units})\\b|case ["'\`](${units})["'\`]`);
    const files = globSync("*/**/*.ts", { cwd: root, exclude: (path) => path.includes("node_modules") });
    assert.ok(files.length > 300, `${files.length} files`);
    const asking = files.filter(
      (path) => !path.startsWith("task/mechanisms/") && byName.test(readFileSync(`${root}${path}`, "utf8")),
    );
    assert.deepEqual(asking, []);
  });

  it("are reached through the registry but by who studies one of them", () => {
    const own = globSync("task/mechanisms/*.ts", { cwd: root }).map((path) => path.slice("task/mechanisms/".length));
    const single = own.filter((name) => name !== "registry.ts" && name !== "mechanism.ts");
    const imports = new RegExp(`from "[./a-z]*mechanisms/(${single.join("|")})"`);
    const rooms = globSync("{task,client,member,aggregator,auditor,operator,demo}/**/*.ts", { cwd: root });
    assert.deepEqual(
      rooms.filter((path) => imports.test(readFileSync(`${root}${path}`, "utf8"))),
      [],
    );
  });
});
