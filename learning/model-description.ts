/** What the descriptions of all kinds of models have in common. */
import type { z } from "zod";
import { invalidModel } from "./layers/layer.ts";

/** True if a description says that it is of this kind, be it right or wrong otherwise. */
export function isOfKind(description: unknown, kind: string): boolean {
  return typeof description === "object" && description !== null && "kind" in description && description.kind === kind;
}

/** @throws MODEL_DESCRIPTION_INVALID with the first problem's place */
export function parsedDescription<Schema extends z.ZodType>(schema: Schema, description: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(description);
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw invalidModel(`model: ${issue?.path.join(".")} ${issue?.message}`);
}
