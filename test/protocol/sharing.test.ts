import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import fc from "fast-check";
import {
  encodeElements,
  encodeWords,
  evaluatePolynomial,
  multiply,
  power,
  randomElements,
  toField,
} from "../../protocol/field.ts";
import { FIELD_ORDER, MAX_COMMITTEE } from "../../protocol/parameters.ts";
import {
  checkShare,
  drawSharing,
  expandShareSeed,
  expectedShareEvaluation,
  interpolate,
  isSeedSeat,
  lagrangeAtZero,
  linearCombination,
  SHARE_SEED_BYTES,
  shareEvaluations,
  shareFor,
  shareHash,
} from "../../protocol/sharing.ts";
import { domainTag, leafDigest } from "../../protocol/transcript.ts";
import { throwsCode } from "../support/errors.ts";
import { check, element } from "../support/properties.ts";
import { seededRandom } from "../support/random.ts";

const secret = randomElements(7, seededRandom("secret"));
const seatsOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Every subset of `items` with `size` members. */
function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) => subsets(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

describe("Shamir sharing", () => {
  for (const [t, n] of [
    [2, 4],
    [3, 7],
    [4, 10],
  ] as const) {
    it(`interpolates from every ${t} of ${n} shares and from no fewer`, () => {
      const coefficients = drawSharing(t, secret, seededRandom(`${t} of ${n}`)).coefficients;
      const shares = new Map(seatsOf(n).map((seat) => [seat, shareFor(seat, secret, coefficients)]));
      for (const seats of subsets(seatsOf(n), t))
        assert.deepEqual(
          interpolate(
            t,
            seats,
            seats.map((seat) => shares.get(seat)!),
          ),
          secret,
        );
      const fewer = seatsOf(t - 1);
      assert.notDeepEqual(
        linearCombination(
          fewer.map((seat) => shares.get(seat)!),
          lagrangeAtZero(fewer),
        ),
        secret,
      );
    });
  }

  it("adds up: the weighted sum of shares is the share of the weighted sum", () => {
    check(
      fc.tuple(
        fc.array(element, { minLength: 3, maxLength: 3 }),
        fc.array(element, { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 1, max: 511 }),
        fc.integer({ min: 1, max: 511 }),
      ),
      ([a, b, v, w]) => {
        const sharingA = drawSharing(3, a, seededRandom("a")).coefficients;
        const sharingB = drawSharing(3, b, seededRandom("b")).coefficients;
        const weights = [BigInt(v), BigInt(w)];
        const sums = [5, 1, 4].map((seat) =>
          linearCombination([shareFor(seat, a, sharingA), shareFor(seat, b, sharingB)], weights),
        );
        assert.deepEqual(interpolate(3, [5, 1, 4], sums), linearCombination([a, b], weights));
      },
      30,
    );
  });

  it("refuses a sharing that hides nothing", () => {
    for (const threshold of [1, 0, -1, 1.5, NaN, MAX_COMMITTEE + 1])
      throwsCode(() => drawSharing(threshold, secret, seededRandom("x")), "PARAMETERS_INVALID");
    throwsCode(() => shareFor(1, secret, []), "PARAMETERS_INVALID");
  });

  it("refuses coefficients that are not as long as the secret", () => {
    throwsCode(() => shareFor(1, secret, [secret.slice(1)]), "ENCODING_LENGTH");
    throwsCode(() => shareFor(1, secret, [secret, [...secret, 1n]]), "ENCODING_LENGTH");
  });

  for (const seat of [0, -1, 1.5, NaN, MAX_COMMITTEE + 1, Number(FIELD_ORDER)]) {
    it(`refuses seat ${seat} everywhere`, () => {
      const coefficients = drawSharing(2, secret, seededRandom("x")).coefficients;
      throwsCode(() => shareFor(seat, secret, coefficients), "SHARE_INDEX");
      throwsCode(() => lagrangeAtZero([1, seat]), "SHARE_INDEX");
      throwsCode(() => interpolate(2, [1, seat], [secret, secret]), "SHARE_INDEX");
      throwsCode(() => expectedShareEvaluation(seat, 1n, [1n]), "SHARE_INDEX");
    });
  }

  it("serves the last seat that a committee can have", () => {
    const coefficients = drawSharing(2, secret, seededRandom("last seat")).coefficients;
    const seats = [MAX_COMMITTEE, 1];
    assert.deepEqual(
      interpolate(
        2,
        seats,
        seats.map((seat) => shareFor(seat, secret, coefficients)),
      ),
      secret,
    );
  });

  it("refuses a repeated seat", () => {
    throwsCode(() => lagrangeAtZero([3, 3]), "SHARE_INDEX");
    throwsCode(() => interpolate(2, [3, 3], [secret, secret]), "SHARE_INDEX");
  });

  it("refuses more or fewer shares than the threshold, and shares of different lengths", () => {
    throwsCode(() => interpolate(3, [1, 2], [secret, secret]), "SHARE_COUNT");
    throwsCode(() => interpolate(2, [1, 2, 3], [secret, secret, secret]), "SHARE_COUNT");
    throwsCode(() => interpolate(2, [1, 2], [secret]), "SHARE_COUNT");
    throwsCode(() => interpolate(2, [1, 2], [secret, secret.slice(1)]), "ENCODING_LENGTH");
    throwsCode(() => linearCombination([secret], [1n, 2n]), "ENCODING_LENGTH");
  });

  it("combines with negative weights into canonical elements", () => {
    assert.deepEqual(linearCombination([[1n, 5n]], [-2n]), [FIELD_ORDER - 2n, FIELD_ORDER - 10n]);
  });

  it("has Lagrange weights that keep constants and cancel powers below the threshold", () => {
    for (const seats of subsets(seatsOf(7), 4)) {
      const weights = lagrangeAtZero(seats);
      for (let kappa = 0; kappa < 4; kappa++) {
        const total = seats.reduce(
          (sum, seat, i) => sum + multiply(weights[i]!, power(BigInt(seat), BigInt(kappa))),
          0n,
        );
        assert.equal(toField(total), kappa === 0 ? 1n : 0n);
      }
    }
  });
});

describe("seats that are sent a seed", () => {
  for (const threshold of [2, 3, 5]) {
    it(`are the ${threshold - 1} lowest for threshold ${threshold}, and their seeds expand to their shares`, () => {
      const { coefficients, seeds } = drawSharing(threshold, secret, seededRandom(`seeds ${threshold}`));
      assert.equal(seeds.length, threshold - 1);
      assert.deepEqual(
        seatsOf(9).filter((seat) => isSeedSeat(seat, threshold)),
        seatsOf(threshold - 1),
      );
      seeds.forEach((seed, i) =>
        assert.deepEqual(expandShareSeed(seed, secret.length), shareFor(i + 1, secret, coefficients)),
      );
    });
  }

  it("leave one polynomial of degree t - 1 through the secret: the one that Lagrange's formula gives", () => {
    check(
      fc.tuple(
        fc.array(element, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: MAX_COMMITTEE }),
      ),
      ([values, threshold, seat]) => {
        const { coefficients, seeds } = drawSharing(threshold, values, seededRandom("polynomial"));
        const known = seeds.map((seed) => expandShareSeed(seed, values.length));
        // The share at any other seat, with t - 1 known ones, gives back the secret.
        const seats = seat < threshold ? [...seatsOf(threshold - 1), threshold] : [...seatsOf(threshold - 1), seat];
        const last = shareFor(seats.at(-1)!, values, coefficients);
        assert.equal(coefficients.length, threshold - 1);
        assert.deepEqual(interpolate(threshold, seats, [...known, last]), values);
      },
      40,
    );
  });

  it("expand a seed as SHAKE128 of the tag and the seed, 48 bytes an element", () => {
    const seed = seededRandom("a seed")(SHARE_SEED_BYTES);
    const count = 20_003;
    const stream = createHash("shake128", { outputLength: count * 48 })
      .update(encodeWords([domainTag("share-seed")]))
      .update(seed)
      .digest("hex");
    const expanded = expandShareSeed(seed, count);
    for (const i of [0, 1, 19_999, 20_000, count - 1])
      assert.equal(expanded[i], BigInt(`0x${stream.slice(i * 96, (i + 1) * 96)}`) % FIELD_ORDER);
    assert.equal(expanded.length, count);
  });

  it("expand different seeds differently, and refuse seeds of another length", () => {
    const seed = new Uint8Array(SHARE_SEED_BYTES);
    assert.notDeepEqual(expandShareSeed(seed.with(31, 1), 2), expandShareSeed(seed, 2));
    for (const length of [0, 31, 33]) throwsCode(() => expandShareSeed(new Uint8Array(length), 2), "ENCODING_LENGTH");
  });
});

describe("what t - 1 members see", () => {
  it("is uniform whatever the secret: chi-squared over the top bits of each share", () => {
    const bins = 32;
    const draws = 6_000;
    const random = seededRandom("uniform shares");
    for (const value of [0n, 1n, FIELD_ORDER - 1n]) {
      const { coefficients } = drawSharing(3, Array<bigint>(draws).fill(value), random);
      const counts = new Map<string, number[]>();
      for (const seat of [1, 4]) {
        const row = Array<number>(bins).fill(0);
        for (const share of shareFor(seat, Array<bigint>(draws).fill(value), coefficients))
          row[Number((share * BigInt(bins)) / FIELD_ORDER)]!++;
        counts.set(`seat ${seat}`, row);
      }
      for (const [seat, row] of counts) {
        const expected = draws / bins;
        const statistic = row.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
        // 31 degrees of freedom: 70 is beyond the 99.99th percentile.
        assert.ok(statistic < 70, `secret ${value}, ${seat}: ${statistic}`);
      }
    }
  });

  it("is jointly uniform: two shares of a threshold of three fall evenly into a grid", () => {
    const side = 6;
    const draws = 7_200;
    const random = seededRandom("joint shares");
    const grid = Array<number>(side * side).fill(0);
    const values = Array<bigint>(draws).fill(42n);
    const { coefficients } = drawSharing(3, values, random);
    const [rows, columns] = [2, 5].map((seat) =>
      shareFor(seat, values, coefficients).map((share) => Number((share * BigInt(side)) / FIELD_ORDER)),
    );
    rows!.forEach((row, i) => grid[row * side + columns![i]!]!++);
    const expected = draws / grid.length;
    const statistic = grid.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 35 degrees of freedom: 77 is beyond the 99.99th percentile.
    assert.ok(statistic < 77, String(statistic));
  });

  it("fits every secret: for any guess there are coefficients that give the same t - 1 shares", () => {
    const coefficients = drawSharing(2, [5n], seededRandom("guess")).coefficients;
    const [known] = shareFor(3, [5n], coefficients);
    for (const guess of [0n, 6n, FIELD_ORDER - 1n]) {
      const slope = multiply(toField(known! - guess), power(3n, FIELD_ORDER - 2n));
      assert.deepEqual(shareFor(3, [guess], [[slope]]), [known]);
    }
  });
});

describe("the check of a share against the commitment", () => {
  const t = 3;
  const z = randomElements(1, seededRandom("z"))[0]!;
  const y = evaluatePolynomial(secret, z);
  const coefficients = drawSharing(t, secret, seededRandom("check")).coefficients;
  const evaluations = shareEvaluations(coefficients, z);
  const recorded = (
    share: readonly bigint[],
  ): { hash: `0x${string}`; z: bigint; y: bigint; evaluations: readonly bigint[] } => ({
    hash: shareHash(share),
    z,
    y,
    evaluations,
  });

  it("accepts every seat's honest share", () => {
    assert.equal(evaluations.length, t - 1);
    for (const seat of seatsOf(9)) {
      const share = shareFor(seat, secret, coefficients);
      assert.equal(evaluatePolynomial(share, z), expectedShareEvaluation(seat, y, evaluations));
      checkShare(seat, share, recorded(share));
    }
  });

  it("hashes the canonical bytes", () => {
    assert.equal(shareHash(secret), leafDigest("share", encodeElements(secret)));
    throwsCode(() => shareHash([FIELD_ORDER]), "ENCODING_NOT_CANONICAL");
  });

  it("rejects a share that is not the hashed one", () => {
    const share = shareFor(2, secret, coefficients);
    throwsCode(() => checkShare(2, [...share.slice(1), share[0]!], recorded(share)), "SHARE_DIGEST_MISMATCH");
  });

  it("rejects a hashed share that differs in any one element, or belongs to another seat", () => {
    const share = shareFor(2, secret, coefficients);
    share.forEach((_, i) => {
      const wrong = share.map((value, k) => (k === i ? toField(value + 1n) : value));
      throwsCode(() => checkShare(2, wrong, recorded(wrong)), "SHARE_EVALUATION_MISMATCH");
    });
    throwsCode(() => checkShare(3, share, recorded(share)), "SHARE_EVALUATION_MISMATCH");
  });

  it("rejects shares of a polynomial of degree t for all seats but the few that it can be fitted to", () => {
    const steep = [...coefficients, randomElements(secret.length, seededRandom("degree t"))];
    const accepted = seatsOf(9).filter((seat) => {
      const share = shareFor(seat, secret, steep);
      return evaluatePolynomial(share, z) === expectedShareEvaluation(seat, y, evaluations);
    });
    assert.deepEqual(accepted, []);
    for (const seat of seatsOf(9)) {
      const share = shareFor(seat, secret, steep);
      throwsCode(() => checkShare(seat, share, recorded(share)), "SHARE_EVALUATION_MISMATCH");
    }
  });

  it("can be fitted to t - 1 seats by a lying client, which is why a quorum has 2t - 1", () => {
    const garbage = new Map(
      [1, 2, 3].map((seat) => [seat, randomElements(secret.length, seededRandom(`garbage ${seat}`))]),
    );
    // Solve y + E_1 j + E_2 j^2 = p_garbage(z) for the two seats 1 and 2.
    const target = [1, 2].map((seat) => toField(evaluatePolynomial(garbage.get(seat)!, z) - y));
    const second = multiply(toField(target[1]! - 2n * target[0]!), power(2n, FIELD_ORDER - 2n));
    const fitted = [toField(target[0]! - second), second];
    for (const seat of [1, 2])
      checkShare(seat, garbage.get(seat)!, { ...recorded(garbage.get(seat)!), evaluations: fitted });
    throwsCode(
      () => checkShare(3, garbage.get(3)!, { ...recorded(garbage.get(3)!), evaluations: fitted }),
      "SHARE_EVALUATION_MISMATCH",
    );
  });

  it("notices another commitment, another z and another evaluation", () => {
    const share = shareFor(4, secret, coefficients);
    throwsCode(() => checkShare(4, share, { ...recorded(share), y: toField(y + 1n) }), "SHARE_EVALUATION_MISMATCH");
    throwsCode(() => checkShare(4, share, { ...recorded(share), z: toField(z + 1n) }), "SHARE_EVALUATION_MISMATCH");
    throwsCode(
      () => checkShare(4, share, { ...recorded(share), evaluations: [...evaluations].reverse() }),
      "SHARE_EVALUATION_MISMATCH",
    );
    throwsCode(
      () => checkShare(4, share, { ...recorded(share), evaluations: evaluations.slice(1) }),
      "SHARE_EVALUATION_MISMATCH",
    );
  });
});
