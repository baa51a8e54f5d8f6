/** Where a run's seconds went: when each step of each round was done, and what every process computed. */
import { readFile } from "node:fs/promises";
import Table from "cli-table3";
import pc from "picocolors";
import type { RoleEvent } from "./processes.ts";

/** A round's steps in the order of the protocol, by the events with which roles report their ends. */
const STEPS = [
  "audited",
  "training",
  "trained",
  "committed",
  "proven",
  "accepted",
  "attested",
  "settled",
  "released",
  "aggregated",
  "signed",
  "finalised",
] as const;
/** Linux counts processor time in these units, whatever its own clock. */
const TICKS_PER_SECOND = 100;

/** When the first and the last role reported a step, in milliseconds since the epoch. */
interface Span {
  first: number;
  last: number;
}

export interface Timeline {
  note(event: RoleEvent): void;
  print(write: (line: string) => void): Promise<void>;
}

/** @param processes those running now, by name */
export function createTimeline(processes: () => ReadonlyMap<string, number>): Timeline {
  const opened = new Map<number, number>();
  const spans = new Map<string, Span>();
  /** Taken at each opening, so that the differences are what a round cost. */
  const computed: Promise<ReadonlyMap<string, number>>[] = [];
  return {
    note: ({ event, time, facts }) => {
      // A model is audited for the round after it.
      const round = Number(facts.round) + (event === "audited" ? 1 : 0);
      if (event === "round-opened") {
        opened.set(round, time);
        computed.push(processorSeconds(processes()));
      }
      const span = spans.get(`${round} ${event}`);
      if (span === undefined) spans.set(`${round} ${event}`, { first: time, last: time });
      else span.last = time;
    },
    print: async (write) => {
      write(pc.bold("Seconds from each round's opening to the first and the last report of a step"));
      write(stepTable(opened, spans));
      write(pc.bold("Seconds of processor time"));
      write(processTable(await Promise.all([...computed, processorSeconds(processes())])));
    },
  };
}

function stepTable(opened: ReadonlyMap<number, number>, spans: ReadonlyMap<string, Span>): string {
  const rounds = [...opened.keys()].sort((a, b) => a - b);
  const table = new Table({ head: ["step", ...rounds.map((round) => `round ${round}`)], style: PLAIN });
  for (const step of STEPS) table.push([step, ...rounds.map((round) => cell(opened.get(round)!, spans, round, step))]);
  table.push(["next opening", ...rounds.map((round) => since(opened.get(round)!, opened.get(round + 1)))]);
  return table.toString();
}

const PLAIN = { head: [], border: [] };

function cell(from: number, spans: ReadonlyMap<string, Span>, round: number, step: string): string {
  const span = spans.get(`${round} ${step}`);
  if (span === undefined) return "";
  return span.first === span.last ? since(from, span.last) : `${since(from, span.first)} to ${since(from, span.last)}`;
}

function since(from: number, to: number | undefined): string {
  return to === undefined ? "" : ((to - from) / 1000).toFixed(2);
}

/** @param computed in all, at each round's opening and at the end */
function processTable(computed: readonly ReadonlyMap<string, number>[]): string {
  const names = [...computed.at(-1)!.keys()];
  const table = new Table({
    head: ["process", "set-up", ...computed.slice(1).map((_, i) => `round ${i + 1}`)],
    style: PLAIN,
  });
  const spent = (name: string): number[] =>
    computed.map((seconds, i) => (seconds.get(name) ?? 0) - (computed[i - 1]?.get(name) ?? 0));
  const rows = names.map((name) => [name, ...spent(name).map((seconds) => seconds.toFixed(1))]);
  const sums = computed.map((_, i) => names.reduce((sum, name) => sum + spent(name)[i]!, 0));
  table.push(...rows, ["together", ...sums.map((seconds) => seconds.toFixed(1))]);
  return table.toString();
}

/** What each process computed so far, its threads included; none of those that ended, or where there is no /proc. */
async function processorSeconds(processes: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
  const read = async ([name, pid]: readonly [string, number]): Promise<readonly (readonly [string, number])[]> => {
    const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (line === undefined) return [];
    // Fields 14 and 15; the second one, the name, is in parentheses and may hold blanks (proc_pid_stat(5)).
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return [[name, (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND]];
  };
  return new Map((await Promise.all([...processes].map(read))).flat());
}
