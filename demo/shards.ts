/** How one data set is dealt to the clients of a demo or a simulation: as `--data` arguments of the ordinary client. */

export interface Dealing {
  readonly clients: number;
  /** Fixes who gets what. */
  readonly seed: number;
  /** Concentration of the Dirichlet label skew; undefined for equal shards of a shuffle. */
  readonly alpha: number | undefined;
  /** At most so many rows for each client; undefined for all of the shard. */
  readonly samples: number | undefined;
  /** At most so many test rows for each client; undefined for all. */
  readonly testSamples: number | undefined;
}

/** The data specification of one client, counted from 0. @param data a specification without a shard */
export function shardSpecification(
  data: string,
  client: number,
  { clients, seed, alpha, samples, testSamples }: Dealing,
): string {
  return withOptions(data, { client, clients, alpha, seed, samples, testSamples });
}

/** Options that say how data is dealt; the rest of a specification says what it is. */
const DEALT_BY = ["partition", "classesEach", "sizes"];

/** A specification of as many rows as the clients have together, from the same data. */
export function unionSpecification(data: string, { clients, samples }: Dealing): string {
  return withOptions(wholeSpecification(data), { samples: samples === undefined ? undefined : samples * clients });
}

/** All of the data: how it would be dealt says nothing then. */
export function wholeSpecification(data: string): string {
  const [source = "", options = ""] = data.split("?");
  const left = options.split("&").filter((option) => option !== "" && !DEALT_BY.includes(option.split("=")[0]!));
  return left.length === 0 ? source : `${source}?${left.join("&")}`;
}

function withOptions(data: string, options: Readonly<Record<string, number | undefined>>): string {
  const written = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return written.length === 0 ? data : `${data}${data.includes("?") ? "&" : "?"}${written.join("&")}`;
}
