import assert from "node:assert/strict";
import { describe, it } from "mocha";
import fc from "fast-check";
import { bestProposal, bitCount, bitIndexes } from "../../protocol/committee.ts";
import { check } from "../support/properties.ts";

describe("bitmaps", () => {
  it("list their bits, up to the last of a word", () => {
    assert.deepEqual(bitIndexes(0n), []);
    assert.deepEqual(bitIndexes((1n << 255n) | 0b101n), [0, 2, 255]);
    assert.equal(bitCount((1n << 256n) - 1n), 256);
  });
});

describe("bestProposal", () => {
  it("prefers more clients, then more members", () => {
    const attestations = new Map([
      [1, 0b111n],
      [2, 0b111n],
      [3, 0b011n],
      [4, 0b111n],
    ]);
    assert.deepEqual(bestProposal(attestations, 3, 1), { members: 0b1011n, included: 0b111n });
    assert.deepEqual(bestProposal(attestations, 4, 1), { members: 0b1111n, included: 0b011n });
    assert.deepEqual(
      bestProposal(
        new Map([
          [1, 1n],
          [2, 1n],
          [3, 1n],
        ]),
        2,
        1,
      ),
      { members: 0b111n, included: 1n },
    );
  });

  it("finds nothing below the quorum or the smallest number of clients", () => {
    assert.equal(
      bestProposal(
        new Map([
          [1, 7n],
          [2, 7n],
        ]),
        3,
        1,
      ),
      undefined,
    );
    assert.equal(
      bestProposal(
        new Map([
          [1, 7n],
          [2, 1n],
          [3, 7n],
        ]),
        3,
        2,
      ),
      undefined,
    );
    assert.equal(bestProposal(new Map(), 1, 0), undefined);
  });

  it("keeps the first of equal proposals", () => {
    const attestations = new Map([
      [1, 0b01n],
      [2, 0b01n],
      [3, 0b10n],
      [4, 0b10n],
    ]);
    assert.deepEqual(bestProposal(attestations, 2, 1), { members: 0b0011n, included: 0b01n });
  });

  it("leaves out, of more than twelve attesters, the ones that cost most clients, down to the quorum", () => {
    const all = (1n << 8n) - 1n;
    const attestations = new Map(
      Array.from({ length: 15 }, (_, i): [number, bigint] => [i + 1, i === 3 ? 0b11n : i === 9 ? 0b1111n : all]),
    );
    assert.deepEqual(bestProposal(attestations, 13, 1), {
      members: 0x7fffn & ~(1n << 3n) & ~(1n << 9n),
      included: all,
    });
    assert.deepEqual(bestProposal(attestations, 14, 1), { members: 0x7fffn & ~(1n << 3n), included: 0b1111n });
    assert.deepEqual(bestProposal(attestations, 15, 1), { members: 0x7fffn, included: 0b11n });
  });

  it("proposes only what each of its members attested, with a quorum", () => {
    const committee = fc.array(fc.bigInt({ min: 0n, max: 255n }), { minLength: 1, maxLength: 16 });
    check(
      fc.tuple(committee, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 4 })),
      ([bitmaps, quorum, smallest]) => {
        const proposal = bestProposal(new Map(bitmaps.map((bitmap, i) => [i + 1, bitmap])), quorum, smallest);
        if (proposal === undefined) return;
        const members = bitIndexes(proposal.members);
        assert.ok(members.length >= quorum && bitCount(proposal.included) >= smallest);
        assert.equal(
          members.map((i) => bitmaps[i]!).reduce((a, b) => a & b),
          proposal.included,
        );
      },
    );
  });
});
