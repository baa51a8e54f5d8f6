/** One task: now, so far, and why to believe it. */
import { useEffect } from "react";
import type { ReactNode } from "react";
import type { Round, TaskAnswer } from "../../indexer/api/schema.ts";
import { useAnswer } from "../api.ts";
import { count } from "../format.ts";
import { Charts } from "../parts/charts.tsx";
import { Cid, Id } from "../parts/links.tsx";
import { Freshness, LiveRound } from "../parts/live-round.tsx";
import { Notice, Pending } from "../parts/notice.tsx";
import { Participants } from "../parts/participants.tsx";
import { Rounds } from "../parts/rounds.tsx";
import { Pair } from "../parts/table.tsx";
import { Trust } from "../parts/trust.tsx";

const MOST_ROUNDS = 200;

export function TaskPage({ task }: { readonly task: string }): ReactNode {
  const { value, failure, isMissing } = useAnswer<TaskAnswer>(`/api/tasks/${task}`, task);
  const list = useAnswer<{ readonly rounds: readonly Round[] }>(`/api/tasks/${task}/rounds?limit=${MOST_ROUNDS}`, task);
  const name = value?.snapshot?.name;
  useEffect(() => {
    document.title = name === undefined ? "Verisum" : `${name} · Verisum`;
  }, [name]);
  if (isMissing)
    return (
      <Notice kind="empty" title="This task is not in the index">
        Is it on another chain, or not given to <code>fl dashboard</code> as <code>--contract</code>?{" "}
        <a href="/">All tasks</a>
      </Notice>
    );
  if (value === undefined) return <Pending what="the task" failure={failure} />;
  const { snapshot } = value;
  if (snapshot === null)
    return (
      <Notice kind="empty" title="The task’s document is on its way">
        Its contract is known, and no node has answered with its content yet.
      </Notice>
    );
  const rounds = list.value?.rounds ?? [];
  return (
    <>
      <div className="title">
        <h1>{snapshot.name}</h1>
        <Freshness task={value} failure={failure} />
      </div>
      <p className="lead">{snapshot.description}</p>
      <dl className="particulars">
        <Pair name="Contract">
          <Id text={value.contract} label="contract" /> on chain {value.chainId}
        </Pair>
        <Pair name="Document">
          <Cid cid={snapshot.taskCid} label="The task’s document" />
        </Pair>
        <Pair name="Model">
          {count(snapshot.dimension)} coordinates{snapshot.model === "" ? "" : `: ${snapshot.model}`}
        </Pair>
        <Pair name="Operator">
          <Id text={snapshot.operator} label="operator" />
        </Pair>
      </dl>
      <LiveRound snapshot={snapshot} />
      <Trust task={value} snapshot={snapshot} />
      {rounds.length === 0 ? null : <Charts rounds={rounds.toReversed()} snapshot={snapshot} />}
      <Participants task={task} snapshot={snapshot} />
      {rounds.length === 0 ? (
        <Notice kind="empty" isPart title="No round yet">
          A round opens when the committee’s keys are there and {count(snapshot.limits.minClients)} clients are
          registered.
        </Notice>
      ) : (
        <Rounds task={task} rounds={rounds} snapshot={snapshot} />
      )}
    </>
  );
}
