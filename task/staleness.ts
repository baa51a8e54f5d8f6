/** How much an update counts whose base is no longer the newest model (docs/protocol.md, section 6.4). */
import { z } from "zod";

/** Of FedAsync (Xie, Koyejo and Gupta 2019) and FedBuff (Nguyen et al. 2022, with the exponent 1/2). */
export const stalenessSchema = z.strictObject({
  kind: z.literal("polynomial"),
  /** How fast the scale falls; 0 lets every update count alike. */
  exponent: z
    .number()
    .min(
      0,
      "is below 0: s(τ) = (1 + τ)^(−exponent) would be above 1, and a stale update count for more than a fresh one",
    )
    .max(8),
});

export type Staleness = z.infer<typeof stalenessSchema>;

/**
 * s(τ) = (1 + τ)^(−exponent), by which a client multiplies its update before it is clipped; 1 where the task says
 * nothing. Nobody can check it: it binds the honest only.
 * @param staleness τ: models that were made since the base, when the vector is made
 * @returns in (0, 1]
 */
export function stalenessScale(rule: Staleness | undefined, staleness: number): number {
  return rule === undefined ? 1 : (1 + staleness) ** -rule.exponent;
}
