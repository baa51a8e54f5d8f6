import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { bestProposal, bitCount, bitIndexes, isBetter } from "../../protocol/committee.ts";
import { check } from "../support/properties.ts";

describe("bitmaps", () => {
  it("list their bits, up to the last of a word", () => {
    assert.deepEqual(bitIndexes(0n), []);
    assert.deepEqual(bitIndexes((1n << 255n) | 0b101n), [0, 2, 255]);
    assert.equal(bitCount((1n << 256n) - 1n), 256);
  });
});

/** The best proposal by trying every set of members. */
function bruteForce(
  bitmaps: readonly bigint[],
  quorum: number,
  smallest: number,
): readonly [number, number] | undefined {
  let best: readonly [number, number] | undefined;
  for (let mask = 1; mask < 2 ** bitmaps.length; mask++) {
    const chosen = bitmaps.filter((_, i) => (mask >> i) & 1);
    const clients = bitCount(chosen.reduce((a, b) => a & b));
    if (chosen.length < quorum || clients < smallest) continue;
    const isBest = best === undefined || clients > best[0] || (clients === best[0] && chosen.length > best[1]);
    if (isBest) best = [clients, chosen.length];
  }
  return best;
}

const bySeat = (bitmaps: readonly bigint[]): Map<number, bigint> =>
  new Map(bitmaps.map((bitmap, i) => [i + 1, bitmap]));

describe("bestProposal", () => {
  it("prefers more clients, then more members", () => {
    const attestations = bySeat([0b111n, 0b111n, 0b011n, 0b111n]);
    assert.deepEqual(bestProposal(attestations, 3, 1, 3), { members: 0b1011n, included: 0b111n });
    assert.deepEqual(bestProposal(attestations, 4, 1, 3), { members: 0b1111n, included: 0b011n });
    assert.deepEqual(bestProposal(bySeat([1n, 1n, 1n]), 2, 1, 1), { members: 0b111n, included: 1n });
  });

  it("names seats, whichever of them attested", () => {
    const attestations = new Map([
      [32, 0b11n],
      [7, 0b11n],
      [9, 0b01n],
    ]);
    assert.deepEqual(bestProposal(attestations, 2, 1, 2), { members: (1n << 31n) | (1n << 6n), included: 0b11n });
  });

  it("finds nothing below the quorum or the smallest number of clients", () => {
    assert.equal(bestProposal(bySeat([7n, 7n]), 3, 1, 3), undefined);
    assert.equal(bestProposal(bySeat([7n, 1n, 7n]), 3, 2, 3), undefined);
    assert.equal(bestProposal(new Map(), 1, 0, 0), undefined);
  });

  it("leaves two of thirteen members out who attested one client only, last", () => {
    const all = (1n << 20n) - 1n;
    // Honest members lack one corrupt client each: leaving any one of them out looks better than one of the colluders.
    const honest = Array.from({ length: 11 }, (_, i) => all & ~(1n << BigInt(i % 2)));
    assert.deepEqual(bestProposal(bySeat([...honest, 0b100n, 0b100n]), 9, 18, 20), {
      members: 0x7ffn,
      included: all & ~0b11n,
    });
  });

  it("is the best that trying every set finds", () => {
    const committee = fc.integer({ min: 1, max: 8 }).chain((clients) =>
      fc.record({
        clients: fc.constant(clients),
        bitmaps: fc.array(fc.bigInt({ min: 0n, max: (1n << BigInt(clients)) - 1n }), { minLength: 1, maxLength: 10 }),
      }),
    );
    check(
      fc.tuple(committee, fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 4 })),
      ([{ clients, bitmaps }, quorum, smallest]) => {
        const expected = bruteForce(bitmaps, quorum, Math.min(smallest, clients));
        const proposal = bestProposal(bySeat(bitmaps), quorum, Math.min(smallest, clients), clients);
        if (proposal === undefined) return assert.equal(expected, undefined);
        const members = bitIndexes(proposal.members);
        assert.deepEqual([bitCount(proposal.included), members.length], expected);
        assert.equal(
          members.map((i) => bitmaps[i]!).reduce((a, b) => a & b),
          proposal.included,
        );
      },
      2000,
    );
  });

  it("finds an admissible set of 256 clients whatever t - 1 of 32 members and f clients do", () => {
    const seats = fc.integer({ min: 0, max: 0x7fff_ffff });
    const corrupt = fc.integer({ min: 0, max: 64 });
    check(
      fc.tuple(fc.integer({ min: 2, max: 11 }), corrupt, fc.array(seats, { minLength: 256, maxLength: 256 })),
      ([threshold, f, dice]) => {
        const isMissed = (seat: number, client: number): boolean => {
          // Corrupt members are the last, corrupt clients the first: honest members miss none but those.
          if (seat <= 32 - (threshold - 1) && client >= f) return false;
          return (dice[client]! >> (seat % 31)) % 4 === 0;
        };
        const bitmaps = Array.from({ length: 32 }, (_, i) =>
          Array.from({ length: 256 }, (_, client) => (isMissed(i + 1, client) ? 0n : 1n << BigInt(client))).reduce(
            (a, b) => a | b,
          ),
        );
        const proposal = bestProposal(bySeat(bitmaps), 32 - (threshold - 1), 256 - f, 256);
        assert.ok(proposal !== undefined && bitCount(proposal.included) >= 256 - f);
      },
      30,
    );
  });

  it("is found without trying most sets where 126 of 256 clients are missed by few of 32 members each", () => {
    const evenly = (client: number): number[] => {
      const lap = Math.floor(client / 32);
      return [client, client + 5 + lap, client + 13 + 2 * lap];
    };
    const closely = (client: number): number[] => [client, client + 1 + 3 * Math.floor(client / 32)];
    for (const missersOf of [evenly, closely]) {
      const missed = Array.from({ length: 126 }, (_, client) => missersOf(client).map((seat) => seat % 32));
      const bitmaps = Array.from({ length: 32 }, (_, seat) =>
        missed.reduce(
          (bitmap, missers, client) => (missers.includes(seat) ? bitmap & ~(1n << BigInt(client)) : bitmap),
          (1n << 256n) - 1n,
        ),
      );
      const proposal = bestProposal(bySeat(bitmaps), 21, 130, 256)!;
      assert.ok(bitCount(proposal.members) >= 21 && bitCount(proposal.included) > 130);
    }
  });
});

describe("isBetter", () => {
  it("wants more clients, or as many and more members", () => {
    const standing = { members: 0b0111n, included: 0b011n };
    assert.equal(isBetter({ members: 0b0111n, included: 0b111n }, standing), true);
    assert.equal(isBetter({ members: 0b1111n, included: 0b011n }, standing), true);
    assert.equal(isBetter({ members: 0b1110n, included: 0b110n }, standing), false);
    assert.equal(isBetter({ members: 0b1111n, included: 0b001n }, standing), false);
  });
});
