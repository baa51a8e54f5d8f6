/** A verifier that is asked twice: while a round's result is awaited, and when the round is audited. */
import type { SubmissionClaim, SubmissionVerifier } from "../protocol/batch-verification.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";

/**
 * Passes on the claims that did not hold in the call before. Claims are the same if all that their equations take is:
 * a chain that was reorganised in between changes nothing about what holds.
 */
export function rememberingVerifier(verifier: SubmissionVerifier): SubmissionVerifier {
  let held = new Set<string>();
  let under: VerificationKeys | undefined;
  return {
    failing: async (keys, claims) => {
      const known = keys === under ? held : new Set<string>();
      const names = claims.map(nameOf);
      const open = names.flatMap((name, i) => (known.has(name) ? [] : [i]));
      const failing = (
        await verifier.failing(
          keys,
          open.map((i) => claims[i]!),
        )
      ).map((k) => open[k]!);
      const refused = new Set(failing);
      // No more than one call's: memory does not grow with the rounds.
      held = new Set(names.filter((_, i) => !refused.has(i)));
      under = keys;
      return failing;
    },
  };
}

function nameOf(claim: SubmissionClaim): string {
  return JSON.stringify(claim, (_, value: unknown) => (typeof value === "bigint" ? value.toString(36) : value));
}
