/** One kind of fault, tried over whole tasks. */
import type { PartReport } from "./report.ts";
import type { AdversarialTask } from "./task.ts";

export interface PartContext {
  readonly task: AdversarialTask;
  /** A new folder, for one fleet's state and logs. */
  readonly folder: () => Promise<string>;
  /** Faults to inject at most; all if absent. */
  readonly sample: number | undefined;
  readonly say: (line: string) => void;
}

export type Part = (context: PartContext) => Promise<PartReport>;

/** So many of a list, evenly spread over it. */
export function spread<T>(list: readonly T[], count: number | undefined): readonly T[] {
  if (count === undefined || count >= list.length) return list;
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}
