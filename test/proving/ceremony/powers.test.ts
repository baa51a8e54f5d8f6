import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { powersOfTau } from "snarkjs";
import { G1_BYTES, G2_BYTES, g2ToEngine } from "../../../proving/curve/bn254.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import { checkPowersFile } from "../../../proving/ceremony/powers-check.ts";
import { readPowersFile } from "../../../proving/ceremony/powers-file.ts";
import type { PowersFile, PowersRule } from "../../../proving/ceremony/powers-file.ts";
import { readPowersRecord } from "../../../proving/ceremony/powers-record.ts";
import { rejectsCode } from "../../support/errors.ts";
import { pointOutsideG2 } from "../../support/points.ts";
import { makePublicPowers } from "../../support/powers-of-tau.ts";
import type { PublicPowers } from "../../support/powers-of-tau.ts";
import { seededRandom } from "../../support/random.ts";

const POWER = 4;
/** Bytes of one contribution's points and proofs, before its hashes. */
const ACCUMULATOR_BYTES = 3 * G1_BYTES + 2 * G2_BYTES;

describe("powers of tau from elsewhere", function () {
  this.timeout(300_000);
  const random = seededRandom("powers of tau");
  let curve: Curve;
  let folder: string;
  let files: PublicPowers;
  let complete: PowersFile;
  before(async () => {
    curve = await openCurve();
    folder = await mkdtemp(path.join(tmpdir(), "powers-"));
    files = await makePublicPowers(folder, POWER);
    complete = await read(files.complete);
  });
  after(async () => {
    await closeCurve();
    await rm(folder, { recursive: true, force: true });
  });

  const read = (file: string, least = POWER): Promise<PowersFile> => readPowersFile(file, least, "a test needs it");
  const check = (file: PowersFile): ReturnType<typeof checkPowersFile> =>
    checkPowersFile(curve, file, random, () => undefined);
  const refuses = (file: PowersFile, rule: PowersRule): Promise<void> =>
    rejectsCode(check(file), "POWERS_REFUSED", { rule });
  /** The file's bytes with a change, as a file. */
  async function altered(change: (bytes: Uint8Array) => Uint8Array): Promise<string> {
    const file = path.join(folder, "altered.ptau");
    await writeFile(file, change(new Uint8Array(await readFile(files.complete))));
    return file;
  }
  const changed = (points: Uint8Array, at: number, to: Uint8Array): Uint8Array => {
    const copy = points.slice();
    copy.set(to, at);
    return copy;
  };

  it("are accepted as snarkjs makes and accepts them, with the names of all contributors", async () => {
    assert.equal(await powersOfTau.verify(files.complete), true);
    const contributions = await check(complete);
    assert.deepEqual(
      contributions.map(({ name }) => name),
      ["first party", "second party", "a beacon"],
    );
    assert.equal(contributions[2]!.beacon?.iterationBits, 10);
    await check(await read(files.one));
  });

  it("are accepted as a part of a longer file, which its last hash does not cover", async () => {
    const prepared = path.join(folder, "prepared.ptau");
    await powersOfTau.preparePhase2(files.complete, prepared);
    await powersOfTau.truncate(prepared, path.join(folder, "part"));
    const part = await read(path.join(folder, `part0${POWER - 1}.ptau`), POWER - 1);
    assert.deepEqual([part.power, part.ceremonyPower], [POWER - 1, POWER]);
    await check(part);
  });

  it("are refused if nobody contributed", async () => {
    await refuses(await read(files.untouched), "no-contribution");
  });

  it("are refused if they are too few, naming what is needed and why", async () => {
    await assert.rejects(readPowersFile(files.complete, 17, "chunk_55416x12 needs 2^17"), /chunk_55416x12 needs 2\^17/);
    await rejectsCode(readPowersFile(files.complete, 17, "more"), "POWERS_REFUSED", { rule: "too-small" });
  });

  it("are refused if the file is cut, goes on, is none, or is not there", async () => {
    for (const [change, rule] of [
      [(bytes: Uint8Array) => bytes.slice(0, -1), "truncated"],
      [(bytes: Uint8Array) => bytes.slice(0, 1000), "truncated"],
      [(bytes: Uint8Array) => bytes.slice(0, 8), "truncated"],
      [(bytes: Uint8Array) => Uint8Array.of(...bytes, 0), "format"],
      [(bytes: Uint8Array) => changed(bytes, 0, Uint8Array.of(0)), "format"],
      // The order of the base field, in the header.
      [(bytes: Uint8Array) => changed(bytes, 28, Uint8Array.of(1)), "format"],
      // 2^40 powers.
      [(bytes: Uint8Array) => changed(bytes, 60, Uint8Array.of(40)), "format"],
    ] as const)
      await rejectsCode(read(await altered(change)), "POWERS_REFUSED", { rule });
    await rejectsCode(read(path.join(folder, "none.ptau")), "POWERS_REFUSED", { rule: "unreadable" });
  });

  for (const [list, bytes] of [
    ["tauG1", G1_BYTES],
    ["tauG2", G2_BYTES],
    ["alphaTauG1", G1_BYTES],
    ["betaTauG1", G1_BYTES],
  ] as const) {
    it(`are refused with one other point in ${list}, at the beginning, inside, or at the end`, async () => {
      const points = complete[list];
      const count = points.length / bytes;
      for (const index of [0, 1, 7, count - 1]) {
        const other = points.slice(3 * bytes, 4 * bytes);
        await refuses({ ...complete, [list]: changed(points, index * bytes, other) }, "powers-inconsistent");
      }
      const off = changed(points, 7 * bytes, points.slice(0, bytes / 2));
      await refuses({ ...complete, [list]: off }, "powers-inconsistent");
    });
  }

  it("are refused with another beta in G2", async () => {
    await refuses({ ...complete, betaG2: complete.tauG2.slice(G2_BYTES, 2 * G2_BYTES) }, "powers-inconsistent");
  });

  it("are refused with a point of G2 outside of the group", async () => {
    const outside = curve.G2.toAffine(
      curve.G2.add(complete.tauG2.slice(5 * G2_BYTES, 6 * G2_BYTES), g2ToEngine(curve, pointOutsideG2())),
    );
    await refuses({ ...complete, tauG2: changed(complete.tauG2, 5 * G2_BYTES, outside) }, "powers-inconsistent");
  });

  describe("whose record of contributions", () => {
    const contributions = (): Uint8Array[] => {
      const { contributions: record } = complete;
      const starts = ["first party", "second party", "a beacon"].map((name) => startOf(record, name));
      return starts.map((start, k) => record.slice(start, starts[k + 1]));
    };
    const recordOf = (parts: readonly Uint8Array[]): Uint8Array =>
      Uint8Array.of(parts.length, 0, 0, 0, ...parts.flatMap((part) => [...part]));
    const withRecord = (parts: readonly Uint8Array[]): PowersFile => ({ ...complete, contributions: recordOf(parts) });

    it("is cut, goes on, or is none is refused", async () => {
      const whole = recordOf(contributions());
      assert.deepEqual(whole, complete.contributions, "the test does not take the record apart as it is");
      await refuses({ ...complete, contributions: whole.slice(0, -1) }, "truncated");
      await refuses({ ...complete, contributions: Uint8Array.of(...whole, 0) }, "format");
      await refuses(withRecord([]), "no-contribution");
    });

    it("lacks a contribution or has two in another order is refused", async () => {
      const [first, second, beacon] = contributions() as [Uint8Array, Uint8Array, Uint8Array];
      for (const parts of [
        [second, beacon],
        [first, beacon],
        [second, first, beacon],
        [first, first, second, beacon],
      ])
        await refuses(withRecord(parts), "contribution");
      await refuses(withRecord([first, second]), "powers-inconsistent");
    });

    it("has another point in any place is refused", async () => {
      const [first, ...rest] = contributions() as [Uint8Array, Uint8Array, Uint8Array];
      const [other1, other2] = [curve.G1.gAffine, curve.G2.gAffine];
      const places = [
        ...[0, 1, 2].map((k) => [k === 0 ? 0 : G1_BYTES + G2_BYTES + (k - 1) * G1_BYTES, other1] as const),
        ...[G1_BYTES, ACCUMULATOR_BYTES - G2_BYTES].map((at) => [at, other2] as const),
        ...[0, 1, 2, 3, 4, 5].map((k) => [ACCUMULATOR_BYTES + k * G1_BYTES, other1] as const),
        ...[0, 1, 2].map((k) => [ACCUMULATOR_BYTES + 6 * G1_BYTES + k * G2_BYTES, other2] as const),
      ];
      for (const [at, point] of places) await refuses(withRecord([changed(first, at, point), ...rest]), "contribution");
      for (const [at, point] of places)
        await refuses(withRecord([changed(first, at, new Uint8Array(point.length)), ...rest]), "point-invalid");
    });

    it("claims another beacon, or hashes that are not the points', is refused", async () => {
      const [first, second, beacon] = contributions() as [Uint8Array, Uint8Array, Uint8Array];
      await refuses(withRecord([first, second, changed(beacon, beacon.length - 1, Uint8Array.of(8))]), "beacon");
      const parsed = readPowersRecord(complete.contributions);
      const at = startOf(beacon, parsed[2]!.nextChallenge);
      await refuses(withRecord([first, second, changed(beacon, at, Uint8Array.of(0, 0))]), "challenge");
    });
  });
});

/** Where a contribution with this name begins in the record, or where the bytes stand. */
function startOf(record: Uint8Array, sought: string | Uint8Array): number {
  const at = Buffer.from(record).indexOf(sought);
  assert.ok(at >= 0);
  if (typeof sought !== "string") return at;
  const beforeName = ACCUMULATOR_BYTES + 6 * G1_BYTES + 3 * G2_BYTES + 216 + 64 + 4 + 4 + 2;
  return at - beforeName;
}
