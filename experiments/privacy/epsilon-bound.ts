/**
 * What runs of a mechanism prove about its epsilon: a lower bound at a confidence, from how well a threshold on some
 * statistic tells two neighbouring inputs apart (Jagielski, Ullman, Oprea 2020). A mechanism that is (epsilon,
 * delta)-private has P(found | there) <= e^epsilon · P(found | not there) + delta, for every test, and with the two
 * inputs exchanged.
 */

export interface EpsilonBound {
  /** At least so large, at the confidence; 0 if the runs prove nothing. */
  readonly epsilon: number;
  /** Runs with and without, of the half that decides. */
  readonly trials: number;
  /** Runs of the deciding half that the test takes for runs with, of those with and of those without. */
  readonly found: { readonly with: number; readonly without: number };
}

/** The statistic of each run, by neighbour; independent runs. */
export interface Observations {
  readonly with: Float64Array;
  readonly without: Float64Array;
}

/** Thresholds that the first half chooses among. */
const CANDIDATES = 64;
const BISECTIONS = 60;

/** A test: found above the threshold, or below it. */
interface Test {
  readonly threshold: number;
  readonly above: boolean;
}

/**
 * The first half of the runs chooses the test, the second half alone is counted, so that the choice costs no
 * confidence.
 * @param delta of the guarantee that is put to the test
 * @param confidence of the bound, for instance 0.95; shared evenly by the two probabilities
 * @throws RangeError for fewer than four runs of each
 */
export function epsilonLowerBound(observations: Observations, delta: number, confidence: number): EpsilonBound {
  const trials = Math.min(observations.with.length, observations.without.length) >> 1;
  if (trials < 2) throw new RangeError("an audit needs four runs of each neighbour");
  const half = (from: number): Observations => ({
    with: observations.with.slice(from, from + trials),
    without: observations.without.slice(from, from + trials),
  });
  const [choosing, deciding] = [half(0), half(trials)];
  const boundOf = (counted: Observations, test: Test): EpsilonBound => {
    const found = { with: count(counted.with, test), without: count(counted.without, test) };
    return { epsilon: epsilonFrom(found, trials, delta, (1 - confidence) / 2), trials, found };
  };
  const sorted = Float64Array.from([...choosing.with, ...choosing.without]).sort();
  let best: { readonly test: Test; readonly epsilon: number } = {
    test: { threshold: sorted[trials]!, above: true },
    epsilon: -1,
  };
  for (let i = 1; i < CANDIDATES; i++) {
    for (const above of [true, false]) {
      const test = { threshold: sorted[Math.floor((i * sorted.length) / CANDIDATES)]!, above };
      const { epsilon } = boundOf(choosing, test);
      if (epsilon > best.epsilon) best = { test, epsilon };
    }
  }
  return boundOf(deciding, best.test);
}

/** The larger of what both directions give; each probability is off with probability `error` at most. */
function epsilonFrom(
  found: { readonly with: number; readonly without: number },
  trials: number,
  delta: number,
  error: number,
): number {
  const ratio = (high: number, low: number): number =>
    Math.log((lowerProbability(high, trials, error) - delta) / upperProbability(low, trials, error));
  const epsilon = found.with >= found.without ? ratio(found.with, found.without) : ratio(found.without, found.with);
  return epsilon > 0 ? epsilon : 0;
}

function count(values: Float64Array, { threshold, above }: Test): number {
  let found = 0;
  for (const value of values) if (value > threshold === above) found++;
  return found;
}

/**
 * Clopper and Pearson (1934): the probability below which so many successes or more have probability `error` at most.
 */
export function lowerProbability(successes: number, trials: number, error: number): number {
  return successes === 0 ? 0 : 1 - upperProbability(trials - successes, trials, error);
}

/** The probability above which so few successes or fewer have probability `error` at most. */
export function upperProbability(successes: number, trials: number, error: number): number {
  if (successes >= trials) return 1;
  let low = 0;
  let high = 1;
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (atMost(successes, trials, middle) > error) low = middle;
    else high = middle;
  }
  return high;
}

/** P(X <= successes) of a binomial distribution: from the largest term that counts downwards, until terms vanish. */
function atMost(successes: number, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  let term = Math.exp(
    logFactorial(trials) -
      logFactorial(successes) -
      logFactorial(trials - successes) +
      successes * Math.log(probability) +
      (trials - successes) * Math.log1p(-probability),
  );
  // Above the mean the terms grow downwards at first, where the complement is at least a half: it is no bound that is
  // looked for.
  if (successes >= trials * probability) return 1;
  let sum = 0;
  for (let k = successes; k >= 0 && term > sum * 1e-17; k--) {
    sum += term;
    term *= k / ((trials - k + 1) * odds);
  }
  return sum;
}

const logFactorials: number[] = [0];

function logFactorial(n: number): number {
  for (let k = logFactorials.length; k <= n; k++) logFactorials.push(logFactorials[k - 1]! + Math.log(k));
  return logFactorials[n]!;
}
