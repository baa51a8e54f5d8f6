/** Every task of the index, on one page. */
import type { ReactNode } from "react";
import type { TaskList } from "../../indexer/api/schema.ts";
import { useAnswer, useNow } from "../api.ts";
import { count, counted, number, onClock, percent } from "../format.ts";
import { Sparkline } from "../parts/chart.tsx";
import { Id } from "../parts/links.tsx";
import { Freshness } from "../parts/live-round.tsx";
import { Loading, Notice } from "../parts/notice.tsx";
import { follow } from "../route.ts";

export function Overview(): ReactNode {
  const { value, failure } = useAnswer<TaskList>("/api/tasks");
  if (value === undefined)
    return failure === undefined ? (
      <Loading what="the tasks" />
    ) : (
      <Notice kind="failure" title="The server does not answer">
        It was asked for its tasks: {failure}. The page asks again by itself.
      </Notice>
    );
  if (value.tasks.length === 0)
    return (
      <Notice kind="empty" title="No task yet">
        The index is being built, or the chain does not answer yet: what <code>fl dashboard</code> prints says which.
        The page goes on by itself.
      </Notice>
    );
  return (
    <>
      <h1>Tasks</h1>
      {failure === undefined ? null : (
        <Notice kind="warning" isPart title="Not up to date">
          {failure}. What is shown is what was known before.
        </Notice>
      )}
      <ul className="tasks">
        {value.tasks.map((task) => (
          <TaskCard key={task.task} task={task} />
        ))}
      </ul>
    </>
  );
}

function TaskCard({ task }: { readonly task: TaskList["tasks"][number] }): ReactNode {
  const { snapshot, accuracy, accuracies } = task;
  const now = useNow();
  return (
    <li>
      <div className="task-head">
        <h2>
          <a href={`/task/${task.task}`} onClick={follow}>
            {snapshot?.name ?? task.contract}
          </a>
        </h2>
        <p>
          chain {task.chainId}, contract <Id text={task.contract} label="contract" />
        </p>
        <Freshness task={task} />
      </div>
      {snapshot === null ? (
        <p>Its document is on its way.</p>
      ) : (
        <dl className="figures">
          <div>
            <dt>Now</dt>
            <dd>{nowIn(snapshot, now)}</dd>
          </div>
          <div>
            <dt>Rounds</dt>
            <dd>
              {count(snapshot.finalisedRounds)}
              {snapshot.maxRounds === 0 ? "" : ` of ${count(snapshot.maxRounds)}`}
            </dd>
          </div>
          <div>
            <dt>Clients</dt>
            <dd>{count(snapshot.clients)}</dd>
          </div>
          <div>
            <dt>Privacy</dt>
            <dd>
              {snapshot.privacy === null
                ? "off"
                : `ε ${number(snapshot.privacy.epsilon.rdp.spent)} of ${number(snapshot.privacy.epsilon.rdp.budget)}`}
            </dd>
          </div>
          <div className="wide">
            <dt>Accuracy, claimed</dt>
            <dd>
              {accuracy === null ? "–" : percent(accuracy)} <Sparkline values={accuracies} />
            </dd>
          </div>
        </dl>
      )}
    </li>
  );
}

function nowIn(
  { round, finalisedRounds, maxRounds }: NonNullable<TaskList["tasks"][number]["snapshot"]>,
  now: number,
): string {
  if (maxRounds > 0 && finalisedRounds >= maxRounds) return "complete";
  if (round.number === 0) return "not started";
  const left = round.deadline - now;
  const isRunning = ["Collecting", "Attesting", "Aggregating"].includes(round.phase);
  return `${counted(round.number, "round").replace(/^(\S+) \S+$/, "round $1")}, ${round.phase.toLowerCase()}${isRunning && left > 0 ? `, ${onClock(left)}` : ""}`;
}
