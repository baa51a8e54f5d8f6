/** What taking part reveals and costs, and taking part. */
import { useState } from "react";
import type { ReactNode } from "react";
import type { Contribution, PageFailure, PageRun, PageState, PageTask } from "../../client/page/state.ts";
import { useNow } from "../api.ts";
import { bytes, count, dateAndTime, number, onClock, spentOf } from "../format.ts";
import { Id } from "../parts/links.tsx";
import { intakeWords } from "../parts/live-round.tsx";
import { Notice } from "../parts/notice.tsx";
import { Pair, Table } from "../parts/table.tsx";
import type { Server } from "./server.ts";
import { Problem, Step } from "./step.tsx";

export function TermsStep({ task, isAhead }: { readonly task: PageTask | null; readonly isAhead: boolean }): ReactNode {
  return (
    <Step number={4} title="What it reveals and costs" state={isAhead || task === null ? "ahead" : "present"}>
      {task === null ? null : <Terms task={task} />}
    </Step>
  );
}

function Terms({ task }: { readonly task: PageTask }): ReactNode {
  const { privacy, funds, roundMinutes, registration } = task;
  return (
    <>
      <ul>
        {task.terms.map((term) => (
          <li key={term}>{capital(term)}.</li>
        ))}
      </ul>
      <dl className="figures">
        <Pair name="Privacy">{privacy === null ? "no noise, no ε" : `${spentOf(privacy)}, δ ${privacy.delta}`}</Pair>
        <Pair name="Gas of a round">
          {funds === undefined ? "–" : `about ${count(funds.gas)}, up to ${ether(funds.perRound)}`}
        </Pair>
        <Pair name="A round lasts">{`up to ${number(roundMinutes)} min`}</Pair>
        <Pair name="You have">{funds === undefined ? "–" : ether(funds.balance)}</Pair>
      </dl>
      {funds === undefined || funds.isEnough ? null : (
        <Notice kind="warning" isPart title="The account has too little for a round">
          It has {ether(funds.balance)}, and a round costs up to {ether(funds.perRound)}. Send some ether to the account
          above, or ask the operator; the page notices by itself.
        </Notice>
      )}
      {registration === "unlisted" ? (
        <Notice kind="warning" isPart title="The operator has not listed this account">
          Registration is closed: only listed accounts take part. Give the operator ({task.operator}) your address; once
          it is listed, this client takes part from the next round on.
        </Notice>
      ) : null}
    </>
  );
}

const STATES: Readonly<Record<PageRun["state"], string>> = {
  idle: "Not started",
  starting: "Getting ready",
  running: "Taking part",
  pausing: "Pausing",
  paused: "Paused",
  done: "Complete: your part in the task is done",
  failed: "Stopped by an error",
};

export interface PartStepProps {
  readonly state: PageState;
  readonly isAhead: boolean;
  readonly act: Server["act"];
}

export function PartStep({ state: { run, task, events, history }, isAhead, act }: PartStepProps): ReactNode {
  const [problem, setProblem] = useState<PageFailure>();
  const press = (path: string) => (): void => void act(path).then(setProblem);
  const isRunning = run.state === "starting" || run.state === "running";
  const isOver = task?.registration === "over" || run.state === "done";
  return (
    <Step number={5} title="Taking part" state={isAhead ? "ahead" : "present"}>
      <p className="run" role="status">
        <strong>{STATES[run.state]}</strong>{" "}
        {run.doing === null || run.state === "done" ? null : <span>{run.doing}</span>}
      </p>
      {run.training === null ? null : (
        <p>
          <label>
            Round {count(run.training.round)}: training, step {count(run.training.step)} of {count(run.training.steps)}
            <progress value={run.training.step} max={run.training.steps} />
          </label>
        </p>
      )}
      {task === null ? null : <LiveLine task={task} />}
      <Problem problem={problem ?? run.failure ?? undefined} />
      <p>
        {isOver ? null : isRunning || run.state === "pausing" ? (
          <>
            <button type="button" className="main" onClick={press("/api/pause")} disabled={run.state === "pausing"}>
              Pause
            </button>
            <button type="button" className="plain" onClick={press("/api/leave")} disabled={run.state === "pausing"}>
              Stop
            </button>
          </>
        ) : (
          <button type="button" className="main" onClick={press("/api/start")} disabled={task?.isTrainedHere === false}>
            {run.state === "idle" ? startWords(task) : "Go on"}
          </button>
        )}
      </p>
      {history.length === 0 ? (
        isRunning ? (
          <p className="aside">Nothing was contributed yet.</p>
        ) : null
      ) : (
        <History history={history} />
      )}
      {events.length === 0 ? null : (
        <details>
          <summary>What happened, {count(events.length)} lines</summary>
          <ol className="log">
            {events.toReversed().map(({ at, level, text }, i) => (
              <li key={events.length - i} className={level}>
                <time dateTime={new Date(at).toISOString()}>{dateAndTime(at / 1000)}</time> {text}
              </li>
            ))}
          </ol>
        </details>
      )}
    </Step>
  );
}

function startWords(task: PageTask | null): string {
  return task?.registration === "open" ? "Agree, register and start" : "Agree and start";
}

function LiveLine({ task: { round } }: { readonly task: PageTask }): ReactNode {
  const left = round.deadline - useNow();
  if (round.number === 0) return <p>No round has been opened yet.</p>;
  return (
    <p>
      Round {count(round.number)}, {round.phase.toLowerCase()}: {intakeWords(round, round.isBuffer)}
      {round.deadline > 0 && left > 0 ? `, ${onClock(left)} left` : ""}
    </p>
  );
}

const MARKS: Readonly<Record<Contribution["state"], string>> = {
  accepted: "to-submit",
  counted: "done",
  "left out": "left-out",
};

function History({ history }: { readonly history: readonly Contribution[] }): ReactNode {
  return (
    <>
      <h3>Your contributions</h3>
      <Table
        columns={[
          { number: "Round" },
          "State",
          { number: "Proofs" },
          { number: "Shares" },
          { number: "Gas" },
          { number: "Block" },
          "Transaction",
        ]}
      >
        {history.map((one) => (
          <tr key={one.round}>
            <th scope="row" className="number">
              {count(one.round)}
            </th>
            <td>
              <span className={`state ${MARKS[one.state]}`}>{one.state}</span>
            </td>
            <td className="number">{bytes(one.proofBytes)}</td>
            <td className="number">{bytes(one.shareBytes)}</td>
            <td className="number">{one.gas === null ? "relayed" : count(one.gas)}</td>
            <td className="number">{count(one.block)}</td>
            <td>
              <Id text={one.transaction} label="transaction" />
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function ether(amount: string): string {
  return `${number(Number(amount))} ETH`;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
