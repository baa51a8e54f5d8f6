/** Every task of the index, on one page. */
import type { ReactNode } from "react";
import type { TaskList, TaskSnapshot } from "../../indexer/api/schema.ts";
import { hasAllRounds } from "../../task/completion.ts";
import { useAnswer, useNow } from "../api.ts";
import { count, onClock, percent, spentOf } from "../format.ts";
import { Sparkline } from "../parts/chart.tsx";
import { Id } from "../parts/links.tsx";
import { Freshness } from "../parts/live-round.tsx";
import { Notice, Pending } from "../parts/notice.tsx";
import { Pair } from "../parts/table.tsx";
import { follow } from "../route.ts";

export function Overview(): ReactNode {
  const { value, failure } = useAnswer<TaskList>("/api/tasks");
  if (value === undefined) return <Pending what="the tasks" failure={failure} />;
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
          <Pair name="Now">{nowIn(snapshot, now)}</Pair>
          <Pair name="Rounds">
            {count(snapshot.finalisedRounds)}
            {snapshot.maxRounds === 0 ? "" : ` of ${count(snapshot.maxRounds)}`}
          </Pair>
          <Pair name="Clients">{count(snapshot.clients)}</Pair>
          <Pair name="Privacy">{snapshot.privacy === null ? "off" : spentOf(snapshot.privacy)}</Pair>
          <Pair name="Accuracy, claimed" className="wide">
            {accuracy === null ? "–" : percent(accuracy)} <Sparkline values={accuracies} />
          </Pair>
        </dl>
      )}
    </li>
  );
}

function nowIn(snapshot: TaskSnapshot, now: number): string {
  const { round, finalisedRounds } = snapshot;
  if (hasAllRounds(snapshot, finalisedRounds)) return "complete";
  if (round.number === 0) return "not started";
  const left = round.deadline - now;
  return `round ${count(round.number)}, ${round.phase.toLowerCase()}${left > 0 ? `, ${onClock(left)}` : ""}`;
}
