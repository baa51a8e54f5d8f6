/**
 * How long an aggregator looks for the best set to settle on, where corrupt clients choose who misses their shares: 32
 * members, of whom any ten may be left out, 256 clients, of whom 126 are missed by a few members each. Each instance
 * has a pattern of its own, which its number gives; the slowest are kept.
 *
 *   node experiments/settlement-search.ts --instances 2000
 */
import { positiveInteger } from "../command/options.ts";
import { createProgram } from "../command/program.ts";
import { seededStream } from "../learning/seeded-stream.ts";
import { bestProposal } from "../protocol/committee.ts";
import type { Bitmap } from "../protocol/committee.ts";

const [MEMBERS, THRESHOLD, CLIENTS, MISSED] = [32, 11, 256, 126];
const QUORUM = MEMBERS - THRESHOLD + 1;
const SMALLEST = CLIENTS - MISSED;
const SLOWEST_SHOWN = 5;
/** Members that miss one client's share: as few as two, and as many as may be left out. */
const MISSERS = [2, 3, 4, 5, 6, 8, 11];

/** Who misses a client's share. */
type Pattern = (client: number) => readonly number[];

interface Instance {
  readonly name: string;
  readonly missersOf: Pattern;
}

function instanceOf(instance: number): Instance {
  const { below } = seededStream("settlement-search", instance);
  const count = MISSERS[below(MISSERS.length)]!;
  const family = ["at random", "evenly", "by mixed numbers"][instance % 3]!;
  const strides = Array.from({ length: count }, () => [below(MEMBERS), below(MEMBERS)] as const);
  const draw = (most: number): readonly number[] => {
    const seats = new Set<number>();
    while (seats.size < most) seats.add(below(MEMBERS));
    return [...seats];
  };
  const patterns: Readonly<Record<string, Pattern>> = {
    "at random": () => draw(count),
    evenly: (client) => strides.map(([from, lap]) => (client + from + lap * Math.floor(client / MEMBERS)) % MEMBERS),
    "by mixed numbers": () => draw(2 + below(count)),
  };
  return { name: `${instance}: by ${count} members at most, ${family}`, missersOf: patterns[family]! };
}

/** Processor time of the search, in seconds. */
function secondsOf({ missersOf }: Instance): number {
  const everybody = (1n << BigInt(CLIENTS)) - 1n;
  const bitmaps = new Map<number, Bitmap>(Array.from({ length: MEMBERS }, (_, i) => [i + 1, everybody]));
  for (let client = 0; client < MISSED; client++)
    for (const seat of missersOf(client)) bitmaps.set(seat + 1, bitmaps.get(seat + 1)! & ~(1n << BigInt(client)));
  const before = process.cpuUsage();
  const proposal = bestProposal(bitmaps, QUORUM, SMALLEST, CLIENTS);
  const { user, system } = process.cpuUsage(before);
  if (proposal === undefined) throw new Error("every missed client can be left out, and no set was found");
  return (user + system) / 1e6;
}

const { instances } = createProgram("settlement-search", "the slowest searches for the best set to settle on")
  .option("--instances <n>", "patterns that are tried", positiveInteger, 2000)
  .parse()
  .opts<{ readonly instances: number }>();

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const timed = Array.from({ length: instances }, (_, number) => {
  const instance = instanceOf(number);
  return { name: instance.name, seconds: secondsOf(instance) };
}).sort((a, b) => b.seconds - a.seconds);
for (const { name, seconds } of timed.slice(0, SLOWEST_SHOWN))
  write(`${seconds.toFixed(3)} s of processor time, instance ${name}`);
write(`median ${timed[Math.floor(timed.length / 2)]!.seconds.toFixed(3)} s of ${instances}`);
