/** The data: connected, never sent anywhere; looked at as training would take it. */
import { useState } from "react";
import type { ReactNode } from "react";
import { answersText } from "../../client/answers-text.ts";
import type { PageData, PageFailure, PageTask } from "../../client/page/state.ts";
import { bytes, count, number, percent } from "../format.ts";
import { Table } from "../parts/table.tsx";
import type { Server } from "./server.ts";
import { Form, Problem, Step, Ways, wordsIn } from "./step.tsx";

export interface DataStepProps {
  readonly data: PageData | null;
  readonly task: PageTask | null;
  readonly isRunning: boolean;
  readonly act: Server["act"];
}

export function DataStep({ data, task, isRunning, act }: DataStepProps): ReactNode {
  const [isChanging, setChanging] = useState(false);
  const isReady = data !== null && data.report.refused === undefined && data.report.task?.fits !== false;
  const connected = async (path: string, body: object): Promise<PageFailure | undefined> => {
    const problem = await act(path, body);
    if (problem === undefined) setChanging(false);
    return problem;
  };
  return (
    <Step number={3} title="Your data" state={isReady ? "done" : "present"}>
      {data === null || isChanging ? (
        <>
          <p>
            Training happens on this machine. Nothing of the data leaves it: others get proofs and encrypted shares of
            what training changed, and no row.
          </p>
          <Ways
            ways={{
              "Pick a file": (
                <Form
                  button="Connect"
                  busy="Reading …"
                  send={(form) => {
                    const file = form.get("file") as File;
                    return connected(`/api/data?name=${encodeURIComponent(file.name)}`, file);
                  }}
                >
                  <label>
                    A table (CSV, TSV, JSON Lines, Parquet)
                    <input type="file" name="file" required />
                  </label>
                  <p className="aside">
                    The program keeps a copy in its own folder on this machine, since a browser does not tell where
                    files are.
                  </p>
                </Form>
              ),
              "Name its path": (
                <Form
                  button="Connect"
                  busy="Reading …"
                  send={(form) => connected("/api/data/path", { path: wordsIn(form.get("path")) })}
                >
                  <label>
                    A file or folder of this machine
                    <input
                      name="path"
                      required
                      placeholder="/home/me/table.csv"
                      spellCheck={false}
                      autoComplete="off"
                    />
                  </label>
                  <p className="aside">It is read where it lies, and not copied.</p>
                </Form>
              ),
            }}
          />
        </>
      ) : (
        <>
          <Preview data={data} task={task} act={act} isRunning={isRunning} />
          {isRunning ? null : (
            <p>
              <button type="button" className="plain" onClick={() => setChanging(true)}>
                Connect other data
              </button>
            </p>
          )}
        </>
      )}
    </Step>
  );
}

const CLASSES_UNSTATED = "DATASET_CLASSES_UNSTATED";

interface PreviewProps {
  readonly data: PageData;
  readonly task: PageTask | null;
  readonly isRunning: boolean;
  readonly act: Server["act"];
}

function Preview({ data, task, isRunning, act }: PreviewProps): ReactNode {
  const { report, name, isKept, label } = data;
  const { table, examples, notes, refused } = report;
  const fits = report.task;
  return (
    <>
      <p>
        <strong>{name}</strong>, {report.format}
        {table === undefined ? "" : `, ${count(table.rows)} rows, ${count(table.columns.length)} columns`}
        {isKept ? "; the copy in this program’s folder is read" : "; read where it lies"}
      </p>
      {table === undefined || task?.hasSchema === true || isRunning ? null : (
        <PickLabel columns={table.columns.map((column) => column.name)} label={label} act={act} />
      )}
      {!isRunning && (refused?.code === CLASSES_UNSTATED || data.classes !== null) ? (
        <Form
          button="Take these classes"
          busy="Reading …"
          send={(form) => act("/api/data/label", { label, classes: wordsIn(form.get("classes")) || null })}
        >
          <label>
            All classes in the task’s order, with commas between
            <input name="classes" required defaultValue={data.classes ?? ""} spellCheck={false} autoComplete="off" />
          </label>
        </Form>
      ) : null}
      {examples === undefined ? null : (
        <p>
          {count(examples.train)} training and {count(examples.test)} test examples, split by {examples.split}.
          {examples.majority === null
            ? null
            : ` Always answering the most frequent class is right in ${percent(examples.majority)} of the test data.`}
        </p>
      )}
      {fits === undefined || refused !== undefined ? null : (
        <p className={fits.fits ? "good" : "problem"}>
          The task takes {count(fits.inputs.expected)} inputs and {answersText(fits.classes.expected)}; here are{" "}
          {fits.inputs.found ?? "?"} and {answersText(fits.classes.found)}: {fits.fits ? "it fits" : "it does not fit"}.
        </p>
      )}
      <div role="status">
        {refused === undefined ? null : (
          <p className="problem">
            {refused.message} <code>{refused.code}</code>
          </p>
        )}
      </div>
      {notes.length === 0 ? null : (
        <ul className="notes">
          {notes.map(({ text }) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {examples === undefined || examples.classes.length === 0 ? null : (
        <details>
          <summary>{count(examples.classes.length)} classes</summary>
          <Table columns={["Class", { number: "Training" }, { number: "Test" }, { number: "Share" }]}>
            {examples.classes.map((one) => (
              <tr key={one.name}>
                <th scope="row">{one.name}</th>
                <td className="number">{count(one.train)}</td>
                <td className="number">{count(one.test)}</td>
                <td className="number">{percent(one.share)}</td>
              </tr>
            ))}
          </Table>
        </details>
      )}
      {table === undefined ? null : (
        <details>
          <summary>{count(table.columns.length)} columns</summary>
          <Table columns={["Column", "Role", "Type", { number: "Missing" }, "Values"]}>
            {table.columns.map(({ name: column, role, type, missing, figures, values }) => (
              <tr key={column}>
                <th scope="row">{column}</th>
                <td>{role}</td>
                <td>{type}</td>
                <td className="number">{count(missing)}</td>
                <td>
                  {figures === undefined || role === "label"
                    ? values
                        .slice(0, 5)
                        .map(([value, times]) => `${value} (${count(times)})`)
                        .join(", ")
                    : `${number(figures.least)} to ${number(figures.most)}, mean ${number(figures.mean)}`}
                </td>
              </tr>
            ))}
          </Table>
        </details>
      )}
    </>
  );
}

interface PickLabelProps {
  readonly columns: readonly string[];
  readonly label: string | null;
  readonly act: Server["act"];
}

function PickLabel({ columns, label, act }: PickLabelProps): ReactNode {
  const [problem, setProblem] = useState<PageFailure>();
  return (
    <>
      <label className="pick">
        The column to be predicted
        <select
          value={label ?? ""}
          onChange={({ target }) =>
            void act("/api/data/label", { label: target.value || null, classes: null }).then(setProblem)
          }
        >
          <option value="">Choose …</option>
          {columns.map((column) => (
            <option key={column} value={column}>
              {column}
            </option>
          ))}
        </select>
      </label>
      <Problem problem={problem} />
    </>
  );
}

/** What left this machine, and what did not. */
export function Left({
  proofBytes,
  shareBytes,
  rows,
}: {
  readonly proofBytes: number;
  readonly shareBytes: number;
  readonly rows: 0;
}): ReactNode {
  return (
    <dl className="left" aria-label="What left this machine">
      <div>
        <dt>Rows of data</dt>
        <dd>{rows}</dd>
      </div>
      <div>
        <dt>Proofs</dt>
        <dd>{bytes(proofBytes)}</dd>
      </div>
      <div>
        <dt>Encrypted shares</dt>
        <dd>{bytes(shareBytes)}</dd>
      </div>
    </dl>
  );
}
