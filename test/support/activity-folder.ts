/** Sensor windows of the project's own making, in the layout of UCI's human-activity sets. */
import { seededStream } from "../../learning/seeded-stream.ts";
import type { Folder } from "./tables.ts";

const ACTIVITIES = ["STILL", "WALKING", "SHAKING"] as const;
const CHANNELS = ["acc_x", "acc_y", "gyro_x"] as const;

export interface ActivitySet {
  readonly trainSubjects: readonly number[];
  readonly testSubjects: readonly number[];
  /** Of each subject and activity. */
  readonly windows: number;
  readonly length: number;
  readonly seed: number;
}

/** Waves whose height and pace tell the activity, and whose resting place tells the subject. @returns the folder */
export async function writeActivityFolder(
  folder: Folder,
  name: string,
  { trainSubjects, testSubjects, windows, length, seed }: ActivitySet,
): Promise<string> {
  const stream = seededStream("activity-folder", seed);
  const path = await folder.file(
    `${name}/activity_labels.txt`,
    ACTIVITIES.map((activity, i) => `${i + 1} ${activity}\n`).join(""),
  );
  for (const [part, subjects] of [
    ["train", trainSubjects],
    ["test", testSubjects],
  ] as const) {
    const rows = subjects.flatMap((subject) =>
      ACTIVITIES.flatMap((_, activity) => Array.from({ length: windows }, () => ({ subject, activity }))),
    );
    const write = (file: string, lines: readonly string[]): Promise<string> =>
      folder.file(`${name}/${part}/${file}`, lines.map((line) => `${line}\n`).join(""));
    await write(
      `y_${part}.txt`,
      rows.map(({ activity }) => String(activity + 1)),
    );
    await write(
      `subject_${part}.txt`,
      rows.map(({ subject }) => String(subject)),
    );
    const phases = rows.map(() => 2 * Math.PI * stream.uniform());
    for (const [c, channel] of CHANNELS.entries())
      await write(
        `Inertial Signals/${channel}_${part}.txt`,
        rows.map(({ subject, activity }, i) =>
          Array.from({ length }, (_, t) => {
            const wave = activity * Math.sin(phases[i]! + (1 + activity) * 0.4 * t + c);
            return `  ${(wave + 0.1 * subject + 0.2 * (stream.uniform() - 0.5)).toExponential(7)}`;
          }).join(""),
        ),
      );
    await write(
      `X_${part}.txt`,
      rows.map(({ activity, subject }) => ` ${activity.toExponential(7)}  ${(subject / 10).toExponential(7)}`),
    );
  }
  return path.slice(0, -"/activity_labels.txt".length);
}
