/** A reporter that keeps what a role said, so that tests can ask for it by event name. For tests only. */
import type { Facts, Level, Reporter } from "../../protocol/reporter.ts";

export interface RecordedEvent {
  readonly level: Level;
  readonly text: string;
  readonly event: string;
  readonly facts: Facts;
}

export interface Recorder extends Reporter {
  readonly events: readonly RecordedEvent[];
  /** Facts of the events with this name, in order; of one round if it is given. */
  facts(event: string, round?: bigint): readonly Facts[];
}

export function createRecorder(): Recorder {
  const events: RecordedEvent[] = [];
  return {
    events,
    say: (level, event, text, facts = {}) => void events.push({ level, event, text, facts }),
    wait: () => undefined,
    facts: (event, round) =>
      events
        .filter((entry) => entry.event === event && (round === undefined || entry.facts.round === round))
        .map((entry) => entry.facts),
  };
}
