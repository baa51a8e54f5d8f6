/** Every kind of head. To add one: a file beside this one, and its entry here. */
import { z } from "zod";
import { classesHead } from "./classes.ts";
import type { Head } from "./head.ts";
import { regressionHead, regressionSchema } from "./regression.ts";

/** What a model's description says of its outputs: a number of classes, or another head. */
export const HEAD_FIELDS = {
  classCount: z.int().min(2).max(65_536).optional(),
  head: regressionSchema.optional(),
};

/** The two of them, one of which is there. */
export interface HeadFields {
  readonly classCount?: number | undefined;
  readonly head?: z.output<typeof regressionSchema> | undefined;
}

export function hasOneHead({ classCount, head }: HeadFields): boolean {
  return (classCount === undefined) !== (head === undefined);
}

export function headOf({ classCount, head }: HeadFields): Head {
  return head === undefined ? classesHead(classCount!) : regressionHead(head);
}
