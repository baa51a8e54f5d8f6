/**
 * Runs every n-th schedule of a range and reports each outcome to its parent. It takes the processor that nobody else
 * wants: schedules have a clock of their own, and whatever else is tried beside them has the machine's.
 */
import { constants, setPriority } from "node:os";
import { runSchedule } from "./schedule.ts";
import type { PlainOutcome } from "./run.ts";

setPriority(constants.priority.PRIORITY_LOW);
process.on("disconnect", () => process.exit());
const [first, end, step] = process.argv.slice(2).map(Number) as [number, number, number];
for (let number = first; number < end; number += step) {
  const { faults, ...rest } = await runSchedule(String(number));
  const outcome: PlainOutcome = { ...rest, faults: [...faults] };
  await new Promise<void>((resolve) => process.send!(outcome, () => resolve()));
}
process.disconnect();
