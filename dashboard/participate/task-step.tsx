/** Which task: by its operator's invitation, or by its contract. */
import type { ReactNode } from "react";
import type { PageRun, PageTask } from "../../client/page/state.ts";
import { Id } from "../parts/links.tsx";
import { Notice } from "../parts/notice.tsx";
import { Pair } from "../parts/table.tsx";
import { count } from "../format.ts";
import type { Server } from "./server.ts";
import { Form, Step, Ways, wordsIn } from "./step.tsx";

const LOCAL_RPC = "http://127.0.0.1:8545";

export interface TaskStepProps {
  readonly task: PageTask | null;
  readonly run: PageRun;
  readonly act: Server["act"];
}

export function TaskStep({ task, run, act }: TaskStepProps): ReactNode {
  return (
    <Step number={2} title="The task" state={task === null ? "present" : "done"}>
      {task === null ? (
        <Ways
          ways={{
            "I have an invitation": (
              <Form
                button="Look at the task"
                busy="Reading the chain …"
                send={async (form) => {
                  const file = form.get("invitation") as File;
                  return act("/api/task/invited", { invitation: await file.text() });
                }}
              >
                <label>
                  The invitation’s file
                  <input type="file" name="invitation" required accept="application/json,.json" />
                </label>
              </Form>
            ),
            "I know its contract": (
              <Form
                button="Look at the task"
                busy="Reading the chain …"
                send={(form) =>
                  act("/api/task", {
                    contract: wordsIn(form.get("contract")),
                    rpc: listIn(form.get("rpc")),
                    peers: listIn(form.get("peers")),
                    chainId: wordsIn(form.get("chain")) || null,
                  })
                }
              >
                <label>
                  Contract
                  <input name="contract" required placeholder="0x…" spellCheck={false} autoComplete="off" />
                </label>
                <label>
                  Chain endpoint (JSON-RPC)
                  <input name="rpc" required defaultValue={LOCAL_RPC} inputMode="url" spellCheck={false} />
                </label>
                <label>
                  A node of the task, if the operator named one
                  <input name="peers" placeholder="http://…" inputMode="url" spellCheck={false} />
                </label>
                <label>
                  Chain id, to refuse any other chain
                  <input name="chain" inputMode="numeric" pattern="[1-9][0-9]*" autoComplete="off" />
                </label>
              </Form>
            ),
          }}
        />
      ) : (
        <Chosen task={task} run={run} act={act} />
      )}
    </Step>
  );
}

function Chosen({ task, run, act }: TaskStepProps & { readonly task: PageTask }): ReactNode {
  const isRunning = ["starting", "running", "pausing"].includes(run.state);
  return (
    <>
      <p className="named">
        <strong>{task.name}</strong> {task.description}
      </p>
      <dl className="particulars">
        <Pair name="Contract">
          <Id text={task.contract} label="contract" /> on chain {task.chainId}
        </Pair>
        <Pair name="Operator">
          <Id text={task.operator} label="operator" />
        </Pair>
        <Pair name="Rounds">
          {count(task.finalisedRounds)}
          {task.maxRounds === 0 ? " so far, no end is set" : ` of ${count(task.maxRounds)} are over`}
        </Pair>
      </dl>
      {task.trouble === undefined ? null : (
        <Notice kind="warning" isPart title="Not up to date">
          {task.trouble}. What is shown is what was known before.
        </Notice>
      )}
      {task.registration === "over" ? (
        <Notice kind="empty" isPart title="This task is complete">
          All of its rounds are final: there is nothing left to take part in.
        </Notice>
      ) : null}
      {task.isTrainedHere ? null : (
        <Notice kind="warning" isPart title="This task needs a program of its own to train">
          This page trains with the built-in engine only: take part with <code>fl-client join --trainer</code>.
        </Notice>
      )}
      {isRunning ? null : (
        <p>
          <button type="button" className="plain" onClick={() => void act("/api/leave")}>
            Choose another task
          </button>
        </p>
      )}
    </>
  );
}

function listIn(value: FormDataEntryValue | null): readonly string[] {
  return wordsIn(value)
    .split(/[\s,]+/)
    .filter((word) => word !== "");
}
