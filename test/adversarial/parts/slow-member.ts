/**
 * One member's release is there and hardly to be had: whoever fetches it waits 19 seconds for a block, and so does the
 * member where it sends a copy. Windows are of a minute.
 */
import { Fleet } from "../fleet.ts";
import type { Part, PartContext } from "../part.ts";
import { partReport } from "../report.ts";
import type { PartReport } from "../report.ts";
import { slowContent } from "../slow-proxy.ts";
import type { Slowed } from "../slow-proxy.ts";
import { prepareAdversarialTask } from "../task.ts";
import { Tally } from "../tally.ts";

const SECONDS_PER_BLOCK = 19;
const WINDOW_SECONDS = 60;
const SLOW = "member 2";
const ROUNDS = 5;
/** Four windows, and what two cores take. */
const ROUND_SECONDS = 300;

export const slowMemberPart: Part = (context) => slowMember(context, ROUNDS);

/** So many rounds, all of which are final. */
export async function slowMember({ folder, say }: PartContext, rounds: number): Promise<PartReport> {
  const startedAt = performance.now();
  const tally = new Tally(say);
  const directory = await folder();
  const window = WINDOW_SECONDS;
  const task = await prepareAdversarialTask(directory, {
    key: window,
    collect: window,
    attest: window,
    aggregate: window,
  });
  const closers: (() => void)[] = [];
  const slowly =
    (what: Slowed) =>
    async (name: string, url: string): Promise<string> => {
      if (name !== SLOW) return url;
      // What is slow after the last round is nothing that a round could overcome.
      const count = (): void => (tally.roundsFinal < rounds ? tally.inject(what) : undefined);
      const proxy = await slowContent(url, SECONDS_PER_BLOCK, what, count);
      closers.push(proxy.close);
      return proxy.url;
    };
  try {
    const fleet = await Fleet.launch({
      ...{ task, tally, directory },
      reachedAt: slowly("given out"),
      reaches: slowly("taken in"),
    });
    await fleet.conclude(() => tally.roundsFinal >= rounds - 1, rounds * ROUND_SECONDS, ROUND_SECONDS);
  } finally {
    for (const close of closers) close();
  }
  return partReport("slow member", tally, { seconds: (performance.now() - startedAt) / 1000 });
}
