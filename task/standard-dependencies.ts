/** What a program that plays one role is given besides its options, where it has no wishes of its own. */
import { platformRandom } from "../command/platform-random.ts";
import { createReporter } from "../command/reporter.ts";
import type { RoleDependencies } from "./role.ts";

/**
 * Says what happens in lines on standard error, draws from the platform's CSPRNG, and stops the role, with INTERRUPTED,
 * at the first SIGINT or SIGTERM.
 * @param who the role's name in the lines
 */
export function standardDependencies(who: string): RoleDependencies {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop.abort());
  return {
    reporter: createReporter("text", who, (line) => void process.stderr.write(`${line}\n`), Date.now),
    random: platformRandom,
    signal: stop.signal,
  };
}
