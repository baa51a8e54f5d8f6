/** A report as one HTML file: nothing in it runs, nothing is fetched, and it prints. */
import { escapeHtml } from "../../content/escape-html.ts";
import type { Verdict } from "../verdict.ts";
import { reportSections, verdictSentence } from "./report-text.ts";
import type { ReportSection, ReportTable } from "./report-text.ts";
import type { TaskReport } from "./report.ts";

/** The file's own policy: it holds wherever the file is opened. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE = `
:root{color-scheme:light dark;--line:#8886;--dim:#595959;--paper:#fff;--ink:#161616}
@media screen and (prefers-color-scheme:dark){:root{--dim:#b0b0b0;--paper:#161616;--ink:#eee}}
html{background:var(--paper);color:var(--ink)}
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2.5rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p,li{max-width:46rem}p.dim{color:var(--dim)}
.verdict{border:2px solid;border-radius:.4rem;padding:.8rem 1rem;margin:1.2rem 0}
.verdict strong{font-size:1.2rem;display:block}
.good{border-color:#1a7f37}.bad{border-color:#cf222e}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;vertical-align:baseline;padding:.3rem .5rem;border-bottom:1px solid var(--line)}
td.long{overflow-wrap:anywhere;min-width:9rem}
@media(max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}table{min-width:36rem}}
@media print{body{margin:0;max-width:none;font-size:10pt}h2{break-after:avoid}tr,dl>*{break-inside:avoid}.wide{overflow:visible}table{min-width:0;font-size:7.5pt}}
`;

/** What may be broken anywhere: hashes and CIDs. */
const LONG_WORD = /\S{25}/;

export function reportHtml(verdict: Verdict, report: TaskReport): string {
  const title = `Verification of ${report.task.name}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main>
<h1>${escapeHtml(title)}</h1>
<p class="dim">${escapeHtml(`${report.writtenAt}, ${report.program}`)}</p>
<p class="verdict ${verdict.ok ? "good" : "bad"}"><strong>${verdict.ok ? "Verified" : "Not verified"}</strong> ${escapeHtml(verdictSentence(verdict))}</p>
${reportSections(verdict, report).map(sectionHtml).join("\n")}
</main></body></html>
`;
}

function sectionHtml({ heading, paragraphs = [], pairs = [], list = [], table }: ReportSection): string {
  const terms = pairs.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return [
    `<section><h2>${escapeHtml(heading)}</h2>`,
    ...paragraphs.map((text) => `<p>${escapeHtml(text)}</p>`),
    terms.length === 0 ? "" : `<dl>${terms.join("\n")}</dl>`,
    list.length === 0 ? "" : `<ul>${list.map((item) => `<li>${escapeHtml(item)}</li>`).join("\n")}</ul>`,
    table === undefined ? "" : tableHtml(heading, table),
    "</section>",
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function tableHtml(heading: string, { columns, rows }: ReportTable): string {
  const row = (cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<td${LONG_WORD.test(cell) ? ' class="long"' : ""}>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join("");
  return `<div class="wide" tabindex="0" role="group" aria-label="${escapeHtml(heading)}"><table><thead><tr>${head}</tr></thead><tbody>
${rows.map(row).join("\n")}
</tbody></table></div>`;
}
