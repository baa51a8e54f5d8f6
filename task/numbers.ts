/** Numbers of a task's document and specification, with the limits of what takes them. */
import { z } from "zod";
import type { Range } from "../learning/trainers/limits.ts";
import { largestParameter } from "../protocol/task.ts";
import type { NumericParameter } from "../protocol/task.ts";

/** A number that training takes. */
export function numberWithin({ least, most, below, whole = false }: Range): z.ZodNumber {
  const number = (whole ? z.int() : z.number()).min(least);
  if (below !== undefined) return number.lt(below);
  return most === undefined ? number : number.max(most);
}

/** A whole number that the contract's field holds, if `most` allows no less. */
export function parameterNumber(name: NumericParameter, least = 0, most = Number.MAX_SAFE_INTEGER): z.ZodNumber {
  const largest = largestParameter(name);
  return z
    .int()
    .min(least)
    .max(BigInt(most) < largest ? most : Number(largest));
}
