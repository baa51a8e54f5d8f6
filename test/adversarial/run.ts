/**
 * Faults in whole tasks: over processes that are the real commands, and in random schedules over a virtual clock.
 * Processes mostly wait, for windows and for blocks: two lanes of parts run side by side, and schedules beside both
 * with the processor that they leave.
 *
 *   npm run test:adversarial                                  everything
 *   npm run test:adversarial -- --only endpoint --sample 20   one part of it, with so many of its faults
 *   npm run test:adversarial -- --only endurance --rounds 50  what each role takes of its machine, over so many rounds
 *   npm run test:adversarial -- --schedules 100 --from 501    schedules only; a seed is a schedule's number
 *   npm run test:adversarial -- --json FILE                   the table as JSON
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crashPart } from "./parts/crash.ts";
import { endurancePart } from "./parts/endurance.ts";
import { endpointPart } from "./parts/endpoint.ts";
import { missingLogPart } from "./parts/missing-log.ts";
import { reorganisationPart } from "./parts/reorganisation.ts";
import { schedulesPart } from "./parts/schedules.ts";
import { slowMemberPart } from "./parts/slow-member.ts";
import type { Part } from "./part.ts";
import { inLanes } from "./lanes.ts";
import { reportOf, tableOf } from "./report.ts";
import type { PartReport } from "./report.ts";
import { prepareAdversarialTask } from "./task.ts";

const PARTS = ["endpoint", "crash", "reorganisation", "missing-log", "slow-member", "endurance", "schedules"] as const;

type PartName = (typeof PARTS)[number];

/** About as long as each other. */
const LANES: readonly (readonly PartName[])[] = [
  ["endpoint", "slow-member"],
  ["crash", "reorganisation", "missing-log", "endurance"],
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      sample: { type: "string" },
      rounds: { type: "string" },
      schedules: { type: "string" },
      from: { type: "string" },
      jobs: { type: "string" },
      json: { type: "string" },
    },
  });
  const ofSchedules = values.schedules !== undefined || values.from !== undefined;
  const names = values.only?.split(",") ?? (ofSchedules ? ["schedules"] : PARTS);
  const unknown = names.filter((name) => !PARTS.includes(name as PartName));
  if (unknown.length > 0) {
    console.error(`✗ USAGE: there is no part ${unknown.join(", ")}; the parts are ${PARTS.join(", ")}`);
    return 4;
  }
  const parts: Readonly<Record<PartName, Part>> = {
    endpoint: endpointPart,
    crash: crashPart,
    reorganisation: reorganisationPart,
    "missing-log": missingLogPart,
    "slow-member": slowMemberPart,
    endurance: endurancePart(values),
    schedules: schedulesPart(values),
  };
  const directory = await mkdtemp(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "verisum-adversarial-"));
  const task = await prepareAdversarialTask(directory);
  const sample = values.sample === undefined ? undefined : Number(values.sample);
  const run = (name: PartName): Promise<PartReport> => {
    const say = (line: string): void => console.log(`${name}: ${line}`);
    const folder = (): Promise<string> => mkdtemp(join(directory, `${name}-`));
    return parts[name]({ task, folder, sample, say });
  };
  // After each part: what was measured stays if a later one is cut off.
  const keep = async (reports: readonly PartReport[]): Promise<void> => {
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(reportOf(reports), undefined, 2)}\n`);
  };
  const report = reportOf(await inLanes(names as readonly PartName[], LANES, run, keep));
  console.log(tableOf(report));
  if (report.ok) await rm(directory, { recursive: true, force: true });
  else console.log(`the roles' logs are in ${directory}`);
  return report.ok ? 0 : 1;
}

for (const [signal, status] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.on(signal, () => process.exit(status));
process.exit(await main());
