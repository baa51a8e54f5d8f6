/** The present round: its phase, the time it has left, and how far it is. */
import type { ReactNode } from "react";
import type { TaskAnswer, TaskSnapshot } from "../../indexer/api/schema.ts";
import { hasAllRounds } from "../../task/completion.ts";
import { useNow } from "../api.ts";
import { count, counted, onClock, since } from "../format.ts";

/** What the chain's phases are to people, in order. */
const STAGES = [
  { phase: "Collecting", name: "Collecting", says: "Clients train and submit their proven updates." },
  { phase: "Attesting", name: "Checking", says: "The committee checks the shares that it was sent." },
  { phase: "Aggregating", name: "Adding up", says: "The committee releases the sum, and nothing else." },
] as const;

const BETWEEN: Readonly<Record<string, string>> = {
  Idle: "No round has been opened yet.",
  Finalised: "The round is over, and its model is the task’s latest.",
  Aborted: "The round ended without a result. Nobody’s update was revealed by that, and the model stays as it was.",
};

export function LiveRound({ snapshot }: { readonly snapshot: TaskSnapshot }): ReactNode {
  const now = useNow();
  const { round, finalisedRounds, maxRounds } = snapshot;
  const isComplete = hasAllRounds(snapshot, finalisedRounds);
  const stage = STAGES.findIndex(({ phase }) => phase === round.phase);
  const left = round.deadline - now;
  return (
    <section className="live" aria-labelledby="live">
      <div className="live-head">
        <h2 id="live">
          {isComplete ? "Complete" : round.number === 0 ? "Not started" : `Round ${count(round.number)}`}
        </h2>
        <p>
          {isComplete
            ? `All ${counted(maxRounds, "round")} are final.`
            : (STAGES[stage]?.says ?? BETWEEN[round.phase] ?? round.phase)}
        </p>
        {stage === -1 || isComplete ? null : (
          <p
            className="countdown"
            role="timer"
            aria-label={left > 0 ? `${Math.round(left)} seconds left` : "Time is up"}
          >
            {left > 0 ? onClock(left) : "0:00"}
            <small>{left > 0 ? "left" : "waiting for the next step"}</small>
          </p>
        )}
      </div>
      <ol className="stages">
        {STAGES.map(({ phase, name }, i) => (
          <li key={phase} className={stateOf(i, stage, isComplete)} aria-current={i === stage ? "step" : undefined}>
            <b>{name}</b>
            <span>{progressOf(phase, snapshot)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function stateOf(at: number, stage: number, isComplete: boolean): string {
  if (isComplete || stage === -1) return "idle";
  return at < stage ? "past" : at === stage ? "present" : "ahead";
}

function progressOf(phase: (typeof STAGES)[number]["phase"], { round, committee, limits }: TaskSnapshot): string {
  if (phase === "Collecting") return intakeWords(round, limits.bufferGoal > 0);
  if (phase === "Attesting") return `${count(round.attested)} of ${committee.quorum} attestations needed`;
  return `${count(round.released)} of ${committee.threshold} releases needed`;
}

/** A buffer closes with its goal of submissions, whoever makes them; another round waits for its clients. */
export function intakeWords(
  { submitted, expected }: { readonly submitted: number; readonly expected: number },
  isBuffer: boolean,
): string {
  return isBuffer
    ? `${count(submitted)} of goal ${count(expected)} submitted`
    : `${count(submitted)} of ${counted(expected, "client")} submitted`;
}

/** How fresh the page is. Says so loudly once it is not. */
export function Freshness({
  task,
  failure,
}: {
  readonly task: TaskAnswer;
  readonly failure?: string | undefined;
}): ReactNode {
  const { trouble, checkedSecondsAgo, block } = task;
  const stale = failure ?? trouble ?? (checkedSecondsAgo !== null && checkedSecondsAgo > 60 ? "no news" : undefined);
  return (
    <p className={stale === undefined ? "fresh" : "fresh stale"} role="status">
      <i aria-hidden="true" />
      {stale === undefined
        ? `Block ${count(block)}`
        : `Stale: ${stale}. Shown is block ${count(block)}${checkedSecondsAgo === null ? "" : `, seen ${since(checkedSecondsAgo)}`}.`}
    </p>
  );
}
