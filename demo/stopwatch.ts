/** How long a client takes for an update, by its own account: how much slower another one is to be follows from it. */
import type { RoleEvent } from "./processes.ts";

export interface Stopwatch {
  note(event: RoleEvent): void;
  /** Training and proving of the first update that a client made. */
  readonly seconds: Promise<number>;
}

export function createStopwatch(): Stopwatch {
  const trained = new Map<string, number>();
  let measured: (seconds: number) => void = () => undefined;
  const seconds = new Promise<number>((resolve) => (measured = resolve));
  return {
    seconds,
    note: ({ role, event, facts }) => {
      const { milliseconds } = facts;
      if (event === "drawn") trained.set(role, Number(milliseconds));
      const training = trained.get(role);
      if (event === "proven" && training !== undefined) measured((training + Number(milliseconds)) / 1000);
    },
  };
}
