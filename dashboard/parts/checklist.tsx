/** Findings of an audit, green and red, by round. */
import type { ReactNode } from "react";
import type { Finding } from "../../auditor/checklist.ts";

export function Checklist({ findings }: { readonly findings: readonly Finding[] }): ReactNode {
  const rounds = [...new Set(findings.map(({ round }) => round))];
  return rounds.map((round) => (
    <div className="checklist" key={round}>
      <h3>{round === 0 ? "The task itself" : `Round ${round}`}</h3>
      <ul>
        {findings
          .filter((finding) => finding.round === round)
          .map(({ check, ok, detail, code }, i) => (
            <li key={i} className={ok ? "green" : "red"}>
              <b aria-hidden="true">{ok ? "✓" : "✗"}</b>
              <span className="visually-hidden">{ok ? "passed" : "failed"}</span>
              <span>{check}</span>
              <span>
                {detail}
                {code === undefined ? null : <code> {code}</code>}
              </span>
            </li>
          ))}
      </ul>
    </div>
  ));
}
