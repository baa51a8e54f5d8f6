/** The HTML that a gateway serves: pages of its own, made of escaped text, in which nothing runs. */
import { createHash } from "node:crypto";
import { escapeHtml } from "./escape-html.ts";

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--dim:#777}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}
h1{font-size:1.35rem;margin:0 0 .25rem}
code{font:13px/1.4 ui-monospace,monospace;overflow-wrap:anywhere;color:var(--dim)}
table{border-collapse:collapse;width:100%;margin:1.5rem 0}
th{text-align:left;font-weight:600;font-size:.85rem;color:var(--dim)}
th,td{padding:.5rem .6rem;border-bottom:1px solid var(--line);vertical-align:baseline}
tbody tr:hover{background:var(--soft)}
td.size,th.size{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
td.name{overflow-wrap:anywhere}
p,footer{color:var(--dim);font-size:.9rem}
@media(max-width:40rem){.cid{display:none}}
`;

/** Allows the page's own style sheet and nothing else: no script, no image, no form, no frame. */
export const PAGE_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A whole page. @param title plain text @param body HTML, made of {@link escapeHtml}'s texts */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body>${body}</body></html>
`;
}
