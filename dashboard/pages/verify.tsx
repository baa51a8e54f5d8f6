/** Verification in the reader's own browser, or of a report that was saved. */
import { useEffect, useRef, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import type { Finding } from "../../auditor/checklist.ts";
import type { SavedReport } from "../../auditor/report/saved-report.ts";
import type { TaskAnswer } from "../../indexer/api/schema.ts";
import { useAnswer } from "../api.ts";
import { counted, dateAndTime, duration } from "../format.ts";
import { Checklist } from "../parts/checklist.tsx";
import { Loading, Notice } from "../parts/notice.tsx";
import { OpenSaved, Report, SaveReport } from "../parts/report.tsx";
import { follow } from "../route.ts";
import { startVerifier } from "../verifier/verifier.ts";
import type { VerifierMessage } from "../verifier/messages.ts";

interface Run extends Partial<SavedReport> {
  readonly findings: readonly Finding[];
  /** What was found before, for which everything is read again. */
  readonly doubt?: string;
  readonly failure?: string;
  /** The file that the verdict was read from: nothing was checked here. */
  readonly file?: string;
}

const LOCAL_RPC = "http://127.0.0.1:8545";

export function VerifyPage({ task }: { readonly task: string }): ReactNode {
  const { value, isMissing, failure } = useAnswer<TaskAnswer>(`/api/tasks/${task}`);
  const [chainId, contract] = task.split("-") as [string, string];
  const [run, setRun] = useState<Run>();
  const stop = useRef<() => void>(undefined);
  useEffect(() => () => stop.current?.(), []);
  if (value === undefined && !isMissing && failure === undefined) return <Loading what="the task" />;

  const hear = (message: VerifierMessage): void =>
    setRun((before) => {
      const findings = before?.findings ?? [];
      switch (message.kind) {
        case "finding":
          return { ...before, findings: [...findings, message.finding] };
        case "again":
          return { findings: [], doubt: message.why };
        case "verdict":
          return { findings: message.verdict.findings, verdict: message.verdict, report: message.report };
        case "failure":
          return { findings, failure: `${message.code}: ${message.message}` };
      }
    });
  const start = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    stop.current?.();
    setRun({ findings: [] });
    stop.current = startVerifier(
      { rpc: wordsOf(form.get("rpc")), gateways: wordsOf(form.get("gateways")) },
      { contract, chainId },
      hear,
    );
  };
  const isRunning = run !== undefined && run.verdict === undefined && run.failure === undefined;
  return (
    <>
      <p className="crumb">
        <a href={`/task/${task}`} onClick={follow}>
          ← The task
        </a>
      </p>
      <div className="title">
        <h1>Verify {value?.snapshot?.name ?? "the task"}</h1>
      </div>
      <p className="lead">
        Your browser reads the task’s events from a chain endpoint that you name, fetches every file by its hash, and
        computes each model again. Nothing that this server says is believed, but the code of this page comes from it:
        whoever wants to trust nobody runs <code>fl verify</code>.
      </p>
      <form className="verify" onSubmit={start}>
        <label>
          Chain endpoint (JSON-RPC)
          <input name="rpc" required defaultValue={LOCAL_RPC} inputMode="url" autoComplete="off" spellCheck={false} />
        </label>
        <label>
          Gateways, one a line
          <textarea
            name="gateways"
            required
            rows={3}
            spellCheck={false}
            defaultValue={[location.origin, ...(value?.snapshot?.gateways ?? [])].join("\n")}
          />
        </label>
        <p>
          <button type="submit" className="main" disabled={isRunning}>
            {isRunning ? "Verifying …" : "Verify in this browser"}
          </button>{" "}
          <OpenSaved
            of={{ contract, chainId }}
            onSaved={(saved, file) => {
              stop.current?.();
              setRun({ ...saved, findings: saved.verdict.findings, file });
            }}
          />
        </p>
      </form>
      {run === undefined ? null : <Outcome run={run} isRunning={isRunning} />}
    </>
  );
}

function Outcome({ run, isRunning }: { readonly run: Run; readonly isRunning: boolean }): ReactNode {
  const { findings, verdict, report, doubt, failure, file } = run;
  const red = findings.filter(({ ok }) => !ok).length;
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome" className="visually-hidden">
        Outcome
      </h2>
      {failure === undefined ? null : (
        <Notice kind="failure" isPart title="The verification could not be finished">
          {failure}
        </Notice>
      )}
      {verdict === undefined ? null : (
        <div className={`verdict ${file !== undefined ? "" : verdict.ok ? "good" : "bad"}`} role="status">
          <strong>
            {file === undefined ? "" : "Saved: "}
            {verdict.ok ? "Verified" : "Not verified"}
          </strong>
          <span>
            {file === undefined
              ? null
              : `So says ${file}${report === undefined ? "" : `, written ${dateAndTime(Date.parse(report.writtenAt) / 1000)}`}, and nothing was checked here. `}
            {verdict.ok
              ? `${counted(findings.length, "check")} passed, up to the model of round ${verdict.lastRound}, in ${duration(verdict.processorMs / 1000)}.`
              : `${red} of ${counted(findings.length, "check")} failed.`}
          </span>
          <SaveReport verdict={verdict} {...(report === undefined ? {} : { report })} />
        </div>
      )}
      {isRunning ? (
        <p className="progress" role="status">
          <i aria-hidden="true" />
          {findings.length === 0
            ? "Reading the chain and opening the engine"
            : `${counted(findings.length, "check")} so far`}
        </p>
      ) : null}
      {doubt === undefined || !isRunning ? null : (
        <Notice kind="warning" isPart title="Everything is read again">
          Nobody is blamed by one reading of the chain. The first one found: {doubt}
        </Notice>
      )}
      <Checklist findings={findings} />
      {verdict === undefined || report === undefined ? null : <Report verdict={verdict} report={report} />}
    </section>
  );
}

function wordsOf(value: FormDataEntryValue | null): readonly string[] {
  return typeof value === "string" ? value.split(/[\s,]+/).filter((word) => word !== "") : [];
}
