/** A report's facts on the page, and its two files. */
import { useState } from "react";
import type { ChangeEvent, ReactNode } from "react";
import { reportHtml } from "../../auditor/report/report-html.ts";
import { factSections } from "../../auditor/report/report-text.ts";
import type { ReportSection } from "../../auditor/report/report-text.ts";
import { reportJson, savedReportIn } from "../../auditor/report/saved-report.ts";
import type { SavedReport } from "../../auditor/report/saved-report.ts";
import { verdictJson } from "../../auditor/verdict.ts";
import type { Verdict } from "../../auditor/verdict.ts";
import { Pair, Table } from "./table.tsx";

export function Report({ verdict, report }: Required<SavedReport>): ReactNode {
  return factSections(verdict, report).map((section) => <Section key={section.heading} section={section} />);
}

function Section({ section }: { readonly section: ReportSection }): ReactNode {
  const { heading, paragraphs = [], pairs = [], list = [], table } = section;
  return (
    <section className="report">
      <h3>{heading}</h3>
      {paragraphs.map((text, i) => (
        <p key={i}>{text}</p>
      ))}
      {pairs.length === 0 ? null : (
        <dl className="particulars">
          {pairs.map(([name, value]) => (
            <Pair key={name} name={name}>
              {value}
            </Pair>
          ))}
        </dl>
      )}
      {list.length === 0 ? null : (
        <ul>
          {list.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ul>
      )}
      {table === undefined || table.rows.length === 0 ? null : (
        <Table columns={table.columns}>
          {table.rows.map((cells, i) => (
            <tr key={i}>
              {cells.map((cell, j) => (
                <td key={j} className="whole">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </Table>
      )}
    </section>
  );
}

/** The report as a page to be filed, and the same JSON as `fl verify` writes. */
export function SaveReport({ verdict, report }: SavedReport): ReactNode {
  const name = `verification-${verdict.contract}`;
  return (
    <>
      {report === undefined ? null : (
        <SaveButton name={`${name}.html`} type="text/html" content={() => reportHtml(verdict, report)}>
          Save the report
        </SaveButton>
      )}
      <SaveButton
        name={`${name}.json`}
        type="application/json"
        content={() => (report === undefined ? `${verdictJson(verdict)}\n` : reportJson(verdict, report))}
      >
        Save as JSON
      </SaveButton>
    </>
  );
}

interface SaveButtonProps {
  readonly name: string;
  readonly type: string;
  readonly content: () => string;
  readonly children: string;
}

function SaveButton({ name, type, content, children }: SaveButtonProps): ReactNode {
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([content()], { type }));
    Object.assign(document.createElement("a"), { href: url, download: name }).click();
    URL.revokeObjectURL(url);
  };
  return (
    <button type="button" className="plain" onClick={save}>
      {children}
    </button>
  );
}

interface OpenSavedProps {
  readonly of: Pick<Verdict, "contract" | "chainId">;
  readonly onSaved: (saved: SavedReport, file: string) => void;
}

/** Nothing is asked of anybody: it works without a connection. */
export function OpenSaved({ of, onSaved }: OpenSavedProps): ReactNode {
  const [problem, setProblem] = useState("");
  const open = async ({ target }: ChangeEvent<HTMLInputElement>): Promise<void> => {
    const [file] = target.files ?? [];
    if (file === undefined) return;
    const saved = savedReportIn(await file.text(), of);
    setProblem(saved === undefined ? "This file is no report or verdict of fl verify about this task." : "");
    if (saved !== undefined) onSaved(saved, file.name);
  };
  return (
    <label className="file">
      or open a saved report or verdict (JSON){" "}
      <input type="file" accept="application/json,.json" onChange={(event) => void open(event)} />
      <span role="alert">{problem}</span>
    </label>
  );
}
