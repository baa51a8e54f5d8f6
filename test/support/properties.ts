import fc from "fast-check";
import { FIELD_ORDER } from "../../protocol/parameters.ts";

/** Seed of every property, printed by fast-check with a failure; `PROPERTY_SEED` replays or varies it. */
const seed = Number(process.env["PROPERTY_SEED"] ?? 20_240_229);

/** Checks a property with the pinned seed. */
export function check<T>(arbitrary: fc.Arbitrary<T>, predicate: (value: T) => void, numRuns = 100): void {
  fc.assert(fc.property(arbitrary, predicate), { seed, numRuns });
}

/** The same for what is asynchronous. */
export function checkAsync<T>(
  arbitrary: fc.Arbitrary<T>,
  predicate: (value: T) => Promise<void>,
  numRuns: number,
): Promise<void> {
  return fc.assert(fc.asyncProperty(arbitrary, predicate), { seed, numRuns });
}

/** Elements of Fr, its ends included. */
export const element: fc.Arbitrary<bigint> = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0n, 1n, 2n, FIELD_ORDER - 1n, FIELD_ORDER - 2n, (FIELD_ORDER - 1n) / 2n, 1n << 252n),
  },
);
