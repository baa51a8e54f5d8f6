/** Which process something belongs to, so that a later one with the same number is not taken for it. */
import { readFile, readlink } from "node:fs/promises";

/** Fields are missing where the system does not say: then the number alone decides. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the machine's start and the process's. */
  readonly startTicks?: string;
  /** Changes with every start of the machine. */
  readonly bootId?: string;
  /** Where the number counts: containers number their processes for themselves. */
  readonly pidNamespace?: string;
}

/** "unseen": it runs in another namespace, or has ended there. */
export type Liveness = "running" | "ended" | "unseen";

/** Field 22 of /proc/<pid>/stat, counted from field 3, the first after the name in parentheses (man 5 proc). */
const START_FIELD = 22 - 3;

export async function thisProcess(): Promise<ProcessIdentity> {
  const [{ startTicks }, bootId, pidNamespace] = await Promise.all([
    procStatOf(process.pid),
    orUndefined(readFile("/proc/sys/kernel/random/boot_id", "utf8")),
    orUndefined(readlink("/proc/self/ns/pid")),
  ]);
  return {
    pid: process.pid,
    ...(startTicks === undefined ? {} : { startTicks }),
    ...(bootId === undefined ? {} : { bootId: bootId.trim() }),
    ...(pidNamespace === undefined ? {} : { pidNamespace }),
  };
}

/** Whether this very process runs now, not merely one with its number. */
export async function livenessOf(identity: ProcessIdentity): Promise<Liveness> {
  const here = await thisProcess();
  if (differ(identity.bootId, here.bootId)) return "ended";
  if (differ(identity.pidNamespace, here.pidNamespace)) return "unseen";
  const { state, startTicks } = await procStatOf(identity.pid);
  // A process that its parent has not asked about yet still gets signals.
  if (!isNumberInUse(identity.pid) || state === "Z" || state === "X") return "ended";
  return differ(identity.startTicks, startTicks) ? "ended" : "running";
}

function differ(recorded: string | undefined, found: string | undefined): boolean {
  return recorded !== undefined && found !== undefined && recorded !== found;
}

function isNumberInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function procStatOf(pid: number): Promise<{ readonly state?: string; readonly startTicks?: string }> {
  const stat = await orUndefined(readFile(`/proc/${pid}/stat`, "utf8"));
  const [state, ...rest] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const startTicks = rest[START_FIELD - 1];
  return { ...(state === undefined ? {} : { state }), ...(startTicks === undefined ? {} : { startTicks }) };
}

function orUndefined<T>(reading: Promise<T>): Promise<T | undefined> {
  return reading.catch(() => undefined);
}
