/** A role's edges in the simulation: every call goes through the world, which may disturb it. */
import type { TaskWriter } from "../../chain/task-chain.ts";
import type { ContentStore } from "../../content/store.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { storeOf, unavailable } from "./content.ts";
import type { Scene } from "./scene.ts";
import type { Life, World } from "./world.ts";

/** Calls that change the chain; all others read. */
const WRITES: ReadonlySet<string> = new Set([
  ...["join", "registerMember", "registerClient", "registerRoundKeys", "announce", "openRound", "submit"],
  ...["submitBatch", "abort", "settle", "finalize"],
]);
/** What needs no endpoint. */
const LOCAL: ReadonlySet<string> = new Set([
  ...["signSubmission", "signAttestation", "signRelease", "signResult", "signText", "at"],
]);

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** An account's chain, as one process sees it. */
export function chainOf(world: World, life: Life, { chain, writer }: Scene, account: number): TaskWriter {
  const direct = writer(account);
  const disturbed = Object.entries(direct).map(([name, value]: [string, unknown]) => {
    if (typeof value !== "function" || LOCAL.has(name)) return [name, value];
    const method = value as Method;
    const call: Method = (...args) =>
      world.call(life, {
        act: () => method(...args),
        failure: () =>
          WRITES.has(name) && world.dice.oneIn(2)
            ? new VerisumError("CHAIN_TRANSACTION_LOST", `${name}: the transaction is gone`)
            : new VerisumError("CHAIN_UNREACHABLE", `${name}: 503`),
        ...(WRITES.has(name) ? {} : { stale: () => lagging(() => method(...args)) }),
      });
    return [name, call];
  });
  /** Whatever a reader looks at, it looks at when it is called. */
  const lagging = (read: () => Promise<unknown>): Promise<unknown> => {
    const now = chain.snapshot();
    chain.restore(chain.lagging(world.dice.between(1, 6)));
    try {
      return read();
    } finally {
      chain.restore(now);
    }
  };
  return { ...direct, ...(Object.fromEntries(disturbed) as Partial<TaskWriter>) };
}

/** A party's store: its own directories, and those of whoever is up. */
export function storeAt(world: World, life: Life, { content }: Scene): ContentStore {
  const { name } = life.actor.script;
  const others = (): string[] =>
    world.actors.filter(({ life: other }) => other !== undefined).map(({ script }) => script.name);
  return storeOf({
    has: (cid) => world.call(life, { act: async () => content.holds(name, cid) }),
    pin: () => world.call(life, { act: () => Promise.resolve() }),
    putDirectory: (files) => world.call(life, { act: () => content.put(name, files) }),
    getFile: (cid, file, { maxBytes }) =>
      world.call(life, {
        act: async () => content.read([name, ...others()], cid, file, maxBytes),
        failure: () => unavailable(cid),
      }),
  });
}

/** Copies a directory to the other serving parties that are up; as with real nodes, one other copy is enough. */
export function replicateFrom(
  world: World,
  life: Life,
  { content }: Scene,
  holders: readonly string[],
): (cid: string) => Promise<void> {
  const { name } = life.actor.script;
  return (cid) =>
    world.call(life, {
      act: async () => {
        const up = world.actors
          .filter(
            ({ life: other, script }) => other !== undefined && script.name !== name && holders.includes(script.name),
          )
          .map(({ script }) => script.name);
        if (up.length === 0) throw unavailable(cid);
        content.copy(cid, name, up);
      },
      failure: () => unavailable(cid),
    });
}
