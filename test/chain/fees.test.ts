import assert from "node:assert/strict";
import { FeeData, parseUnits } from "ethers";
import { describe, it } from "mocha";
import { feesOf, feesWithin, replacingWithin } from "../../chain/fees.ts";
import type { Fees } from "../../chain/fees.ts";
import { isVerisumError } from "../../protocol/errors.ts";

const gwei = (amount: string): bigint => parseUnits(amount, "gwei");
const CEILING = gwei("500");

describe("fees below a ceiling", () => {
  it("are those that the chain asks for", () => {
    assert.deepEqual(feesWithin(CEILING, asked("20", "2")), offer("42", "2"));
    assert.deepEqual(feesWithin(CEILING, flat("500")), flat("500"));
  });

  it("leave less room for a base fee that rises, before they are refused", () => {
    assert.deepEqual(feesWithin(CEILING, asked("400", "2")), offer("500", "2"));
    assert.deepEqual(feesWithin(CEILING, asked("500", "2")), offer("500", "2"));
    assert.deepEqual(feesWithin(CEILING, asked("100", "500")), offer("500", "500"));
  });

  for (const [what, fees] of [
    ["base fee", asked("501", "0")],
    ["tip", asked("1", "501")],
    ["gas price", flat("501")],
  ] as const)
    it(`are refused where the ${what} is above it, naming both and the option`, () => {
      assert.throws(
        () => feesWithin(CEILING, fees),
        (error) => {
          assert.ok(isVerisumError(error, "CHAIN_FEES_TOO_HIGH"));
          assert.match(error.message, /501\.0 gwei.*500\.0 gwei.*--max-fee-per-gas/);
          return true;
        },
      );
    });

  it("are raised by an eighth up to it, and no further", () => {
    assert.deepEqual(replacingWithin(CEILING, offer("80", "8"), asked("20", "2")), {
      ...{ type: 2, maxFeePerGas: gwei("90") + 1n, maxPriorityFeePerGas: gwei("9") + 1n },
    });
    let [fees, replacements] = [feesWithin(CEILING, asked("20", "2")), 0];
    const raise = (): void => {
      for (; replacements < 1000; replacements++) fees = replacingWithin(CEILING, fees, asked("20", "2"));
    };
    assert.throws(raise, (error) => isVerisumError(error, "CHAIN_FEES_TOO_HIGH"));
    assert.equal(replacements, 21);
  });
});

/** As an endpoint tells them, in gwei. */
function asked(baseFee: string, tip: string): Fees {
  return feesOf(new FeeData(null, 2n * gwei(baseFee) + gwei(tip), gwei(tip)));
}

function offer(most: string, tip: string): Fees {
  return { type: 2, maxFeePerGas: gwei(most), maxPriorityFeePerGas: gwei(tip) };
}

function flat(price: string): Fees {
  return { type: 0, gasPrice: gwei(price) };
}
