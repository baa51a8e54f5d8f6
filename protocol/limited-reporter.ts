/** Keeps strangers from flooding a log: what they cause is said once in a while, with how often it was left out. */
import type { Facts, Level, Reporter } from "./reporter.ts";

/** An event is said of one subject once in this time. */
const WINDOW_MS = 60_000;
/** Subjects that one event is said of in that time; strangers may have any number of addresses. */
const SUBJECTS_PER_EVENT = 64;

interface Said {
  readonly at: number;
  /** Times it was left out since. */
  unsaid: number;
}

interface EventRecord {
  readonly said: Map<string, Said>;
  /** Times it was left out because it had been said of too many subjects. */
  unsaid: number;
}

/**
 * Says an event once a minute for each `subject` among its facts, of at most 64 subjects. The next time it adds how
 * often it did not, as the fact `unsaid`. What is waited for passes as it is.
 * @param clock monotonic milliseconds
 */
export function limitedReporter(reporter: Reporter, clock: () => number): Reporter {
  const events = new Map<string, EventRecord>();
  return {
    wait: (text, facts) => reporter.wait(text, facts),
    say: (level: Level, event: string, text: string, facts: Facts = {}) => {
      const record = events.get(event) ?? { said: new Map<string, Said>(), unsaid: 0 };
      events.set(event, record);
      const unsaid = admit(record, String(facts["subject"]), clock());
      if (unsaid === undefined) return;
      if (unsaid === 0) reporter.say(level, event, text, facts);
      else reporter.say(level, event, `${text} (${unsaid} like it were left out)`, { ...facts, unsaid });
    },
  };
}

/** How often the event was left out before, or undefined if it is left out now. */
function admit(record: EventRecord, subject: string, now: number): number | undefined {
  const last = record.said.get(subject);
  if (last !== undefined && now - last.at < WINDOW_MS) {
    last.unsaid++;
    return undefined;
  }
  if (last === undefined && record.said.size >= SUBJECTS_PER_EVENT) forgetOld(record, now);
  if (last === undefined && record.said.size >= SUBJECTS_PER_EVENT) {
    record.unsaid++;
    return undefined;
  }
  const unsaid = (last?.unsaid ?? 0) + record.unsaid;
  record.unsaid = 0;
  record.said.set(subject, { at: now, unsaid: 0 });
  return unsaid;
}

function forgetOld(record: EventRecord, now: number): void {
  for (const [subject, { at, unsaid }] of record.said) {
    if (now - at < WINDOW_MS) continue;
    record.unsaid += unsaid;
    record.said.delete(subject);
  }
}
