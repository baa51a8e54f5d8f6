/** Powers of tau as a public ceremony publishes them, made by snarkjs. For tests only. */
import path from "node:path";
import { curves, powersOfTau } from "snarkjs";

/** Files of one small ceremony, each with one contribution more than the one before. */
export interface PublicPowers {
  readonly untouched: string;
  readonly one: string;
  /** Two parties and a beacon of 2^10 iterations. */
  readonly complete: string;
}

/** Makes 2^power powers in a folder; seconds from 2^12 on. @param contributions what is asked for: one, or all */
export async function makePublicPowers(folder: string, power: number, contributions = 3): Promise<PublicPowers> {
  const file = (name: string): string => path.join(folder, `${name}.ptau`);
  await powersOfTau.newAccumulator(await curves.getCurveFromName("bn128"), power, file("untouched"));
  await powersOfTau.contribute(file("untouched"), file("one"), "first party", "any text");
  if (contributions > 1) await complete(file);
  return { untouched: file("untouched"), one: file("one"), complete: file("complete") };
}

async function complete(file: (name: string) => string): Promise<void> {
  await powersOfTau.contribute(file("one"), file("two"), "second party", "another text");
  await powersOfTau.beacon(file("two"), file("complete"), "a beacon", "07".repeat(32), 10);
}
