/**
 * What guesses about many coins of one training prove about its epsilon: Steinke, Nasr, Jagielski 2023, "Privacy
 * Auditing with One (1) Training Run" (arXiv 2305.08846), Theorem 5.2 and Corollary 5.4.
 *
 * Each of m records is in the training data or not by a fair coin of its own. Whoever sees the result guesses r of the
 * coins, a number fixed beforehand, and chooses which. If one record changes the result's distribution by (epsilon,
 * delta) at most, then
 *
 *   P(v or more guesses are right) <= P(W >= v) + 2·m·delta · max over i = 1 … v of P(v > W >= v − i)/i,
 *
 * W binomial with r trials and the probability of randomised response, e^epsilon/(1 + e^epsilon). The theorem says so
 * of sums of r independent trials for whatever guesses were made, and so of their number.
 *
 * Runs with coins and noise of their own are one such mechanism: its input is all their coins, and a coin changes the
 * distribution of one component alone, by (epsilon, delta), whatever the others are. Their m, r and v add up, and delta
 * is counted for every coin.
 */

export interface Guesses {
  /** Coins, of all runs, also those that nobody guessed. */
  readonly coins: number;
  /** Fixed before the runs. */
  readonly guesses: number;
  readonly right: number;
}

const MAX_EPSILON = 64;
const BISECTIONS = 50;

/**
 * An upper bound on the probability of so many right guesses or more under (epsilon, delta).
 * @throws RangeError unless 0 <= right <= guesses <= coins, in whole numbers, 0 <= epsilon and 0 <= delta <= 1
 */
export function guessProbability({ coins, guesses, right }: Guesses, epsilon: number, delta: number): number {
  const ordered = 0 <= right && right <= guesses && guesses <= coins;
  if (!ordered || ![coins, guesses, right].every(Number.isInteger) || !(epsilon >= 0) || !(delta >= 0 && delta <= 1))
    throw new RangeError(
      "right guesses, guesses and coins are whole numbers in this order, epsilon >= 0, 0 <= delta <= 1",
    );
  const terms = binomialTerms(guesses, epsilon);
  let tail = 0;
  for (let k = guesses; k >= right; k--) tail += terms[k]!;
  let steepest = 0;
  let below = 0;
  for (let i = 1; i <= right; i++) {
    below += terms[right - i]!;
    steepest = Math.max(steepest, below / i);
  }
  return Math.min(1, tail + 2 * coins * delta * steepest);
}

/**
 * The epsilon below which guesses as good as these have probability 1 − `confidence` at most: at this confidence the
 * mechanism's own is no smaller. 0 if they prove nothing.
 * @param delta of the guarantee that is put to the test
 */
export function epsilonFromGuesses(counted: Guesses, delta: number, confidence: number): number {
  let low = 0;
  let high = MAX_EPSILON;
  if (guessProbability(counted, 0, delta) > 1 - confidence) return 0;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (guessProbability(counted, middle, delta) > 1 - confidence) high = middle;
    else low = middle;
  }
  return low;
}

/** P(W = k) for k = 0 … trials, where an answer is true with odds e^epsilon. */
function binomialTerms(trials: number, epsilon: number): Float64Array {
  const logTrue = -Math.log1p(Math.exp(-epsilon));
  const terms = new Float64Array(trials + 1);
  let logChoices = 0;
  for (let k = 0; k <= trials; k++) {
    terms[k] = Math.exp(logChoices + k * logTrue + (trials - k) * (logTrue - epsilon));
    logChoices += Math.log((trials - k) / (k + 1));
  }
  return terms;
}
