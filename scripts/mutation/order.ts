/** In which order test files try a mutant: those first that most likely notice it, for the time that they take. */
import type { ReachMap } from "./reach.ts";
import type { Result } from "./results.ts";

/** Mutants on so many lines around one are its neighbours: what noticed them most likely notices it. */
const NEAR_LINES = 8;
/** How many neighbours a file counts as having noticed, and as having run against, before there were any. */
const [NOTICED, TRIED] = [0.3, 1];

/**
 * The files that reach a mutant, best first.
 * @param earlier What noticed it when tests were others, which counts most.
 */
export function orderedFiles(
  mutant: { readonly number: number; readonly file: string; readonly line: number },
  reach: ReachMap,
  results: readonly Result[],
  earlier: string,
): readonly string[] {
  const near = results.filter(({ file, line }) => file === mutant.file && Math.abs(line - mutant.line) <= NEAR_LINES);
  const worth = (file: string): number => {
    if (file === earlier) return Infinity;
    const noticed = near.filter(({ by }) => by === file).length;
    const missed = near.filter(({ missed: ran }) => ran.includes(file)).length;
    return (noticed + NOTICED) / (noticed + missed + TRIED) / reach.get(file)!.seconds;
  };
  return [...reach.entries()]
    .filter(([, { reached }]) => reached.includes(mutant.number))
    .map(([file]) => file)
    .sort((a, b) => worth(b) - worth(a));
}
