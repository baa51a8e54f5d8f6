/** The participant's page: five steps, one below the other. */
import type { ReactNode } from "react";
import type { PageFailure, PageState } from "../../client/page/state.ts";
import { Loading, Notice } from "../parts/notice.tsx";
import { AccountStep } from "./account-step.tsx";
import { DataStep, Left } from "./data-step.tsx";
import { PartStep, TermsStep } from "./part-step.tsx";
import { useServer } from "./server.ts";
import type { Server } from "./server.ts";
import { TaskStep } from "./task-step.tsx";

export function ParticipatePage({ opened }: { readonly opened: Promise<PageFailure | undefined> }): ReactNode {
  const { state, away, isLocked, act } = useServer(opened);
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <span className="mark">Verisum</span>
        {state === undefined ? null : <Left {...state.left} />}
      </header>
      <main id="content" tabIndex={-1} className="participate">
        {isLocked ? (
          <Locked />
        ) : state === undefined ? (
          <Waiting away={away} />
        ) : (
          <Steps state={state} away={away} act={act} />
        )}
      </main>
      <footer className="bottom">
        <p>This page comes from a program on your own machine, and asks nobody else.</p>
      </footer>
    </>
  );
}

function Locked(): ReactNode {
  return (
    <Notice kind="empty" title="This window is not open">
      Each address is good for one window. Open the address that <code>fl-client open</code> printed last.
    </Notice>
  );
}

function Waiting({ away }: { readonly away: PageFailure | undefined }): ReactNode {
  if (away === undefined) return <Loading what="the page" />;
  return (
    <Notice kind="failure" title="The program does not answer">
      {away.message} {away.advice}
    </Notice>
  );
}

interface StepsProps {
  readonly state: PageState;
  readonly away: PageFailure | undefined;
  readonly act: Server["act"];
}

function Steps({ state, away, act }: StepsProps): ReactNode {
  const { account, task, data, run } = state;
  const isRunning = ["starting", "running", "pausing"].includes(run.state);
  const fits = data !== null && data.report.refused === undefined && data.report.task?.fits !== false;
  return (
    <>
      <h1>Take part</h1>
      {away === undefined ? null : (
        <Notice kind="failure" isPart title="The program does not answer">
          {away.message} {away.advice} What is shown is what was known before.
        </Notice>
      )}
      <AccountStep account={account} act={act} />
      <TaskStep task={task} run={run} act={act} />
      <DataStep data={data} task={task} isRunning={isRunning} act={act} />
      <TermsStep task={task} isAhead={account === null} />
      <PartStep state={state} isAhead={account?.isOpen !== true || task === null || !fits} act={act} />
    </>
  );
}
