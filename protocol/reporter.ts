/** How a role says what it does, as a port: who prints, and in which form, is the command's decision. */
export type Level = "info" | "good" | "warn" | "error" | "wait";

/** Plain data that goes with a line. Never secrets. A `subject` names what or whom an event is about. */
export type Facts = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

export interface Reporter {
  /** One event; `event` is a stable kebab-case name for programs, `text` is for people. */
  say(level: Level, event: string, text: string, facts?: Facts): void;

  /** What the command waits for now; repeated texts are printed once. */
  wait(text: string, facts?: Facts): void;
}
