/** Of the numbers that somebody else's program gives, in one line. */
const MOST_SHOWN = 8;

/** The first few, rounded for people: `loss 0.312`. */
export function metricWords(metrics: Readonly<Record<string, number>>): string[] {
  return Object.entries(metrics)
    .slice(0, MOST_SHOWN)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
}
