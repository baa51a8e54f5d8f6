/** `server` of a task's document: the schema that follows from the rules' parameters. */
import { z } from "zod";
import { DEFAULT_RULE, SERVER_RULES } from "../protocol/server-rules/registry.ts";
import type { ServerSettings } from "../protocol/server-rules/registry.ts";
import type { Parameter, Parameters } from "../protocol/server-rules/server-rule.ts";

/** A fraction of a power of two: `DyadicRational`. */
export const dyadicSchema = z.strictObject({
  numerator: z.int().min(0).max(65_535),
  denominatorBits: z.int().min(0).max(16),
});

/** Without `rule` it is the default one's. */
export const serverSchema = z.discriminatedUnion("rule", [
  settingsSchema(z.literal(DEFAULT_RULE.name).optional(), DEFAULT_RULE.parameters),
  ...SERVER_RULES.slice(1).map(({ name, parameters }) => settingsSchema(z.literal(name), parameters)),
]) as unknown as z.ZodType<ServerSettings>;

function settingsSchema(rule: z.ZodType, parameters: Parameters): z.ZodObject {
  const numbers = Object.entries(parameters).map(([name, parameter]) => [name, numberSchema(parameter)] as const);
  /** Bits after the binary point of a published weight. */
  const fractionalBits = z.int().min(8).max(24);
  return z.strictObject({ rule, fractionalBits, ...Object.fromEntries(numbers) });
}

function numberSchema(parameter: Parameter): z.ZodType {
  switch (parameter.kind) {
    case "dyadic":
      return dyadicSchema;
    case "fraction":
      return dyadicSchema.refine(
        ({ numerator, denominatorBits }) => numerator < 2 ** denominatorBits,
        "a fraction is below 1",
      );
    case "integer":
      return z.int().min(parameter.least).max(parameter.most);
  }
}
