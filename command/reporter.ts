/**
 * What a command says while it works: lines for people, or one JSON object a line for programs. Results go to stdout.
 */
import pc from "picocolors";
import type { Facts, Level, Reporter } from "../protocol/reporter.ts";
import { withoutControls } from "../protocol/plain-text.ts";
import { maskUrls } from "../protocol/secrets.ts";

export type Format = "text" | "json";

const MARKS: Readonly<Record<Level, string>> = { info: "·", good: "✓", warn: "!", error: "✗", wait: "…" };

/**
 * Whatever is said, an endpoint's URL is shown without what may be a secret, and what others wrote moves no cursor.
 * @param write receives whole lines
 * @param now milliseconds since the epoch
 */
export function createReporter(
  format: Format,
  who: string,
  write: (line: string) => void,
  now: () => number,
): Reporter {
  let lastWait = "";
  const emit = (level: Level, event: string, text: string, facts: Facts): void => {
    if (format === "json") {
      const data = Object.fromEntries(
        Object.entries(facts).map(([key, value]) => [key, typeof value === "bigint" ? value.toString() : value]),
      );
      const said = { time: new Date(now()).toISOString(), who, level, event, text };
      // What is said keeps its name, whatever a trainer of somebody else calls its numbers.
      write(maskUrls(JSON.stringify({ ...said, ...data, ...said })));
      return;
    }
    write(
      `${pc.dim(new Date(now()).toISOString().slice(11, 19))} ${paint(level, MARKS[level])} ${maskUrls(withoutControls(text, "\n"))}`,
    );
  };
  return {
    say: (level, event, text, facts = {}) => {
      lastWait = "";
      emit(level, event, text, facts);
    },
    wait: (text, facts = {}) => {
      if (text === lastWait) return;
      lastWait = text;
      emit("wait", "waiting", text, facts);
    },
  };
}

function paint(level: Level, mark: string): string {
  switch (level) {
    case "good":
      return pc.green(mark);
    case "warn":
      return pc.yellow(mark);
    case "error":
      return pc.red(mark);
    case "info":
    case "wait":
      return pc.dim(mark);
  }
}
