import { createHash } from "node:crypto";
import { PROFILE_NAME } from "./profile.ts";
import type { ListedFile } from "./store.ts";

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
export const LISTING_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Escapes text for HTML content and double-quoted attributes; control and bidirectional marks become visible. */
export function escapeHtml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd")
      .replace(/[&<>"'`]/g, (mark) => `&#${mark.charCodeAt(0)};`)
  );
}

/** The URL path of an entry, absolute on the gateway. */
export function entryPath(root: string, name: string): string {
  return `/ipfs/${root}/${encodeURIComponent(name)}`;
}

/** A length as people read it: 512 B, 1.5 KiB, 3.0 MiB. */
export function formatBytes(sizeBytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** The page that shows a directory: the only HTML the gateway ever serves, made here from escaped text. */
export function directoryPage(root: string, files: readonly ListedFile[]): string {
  const totalBytes = files.reduce((total, file) => total + file.sizeBytes, 0);
  const rows = files.map(
    (
      file,
    ) => `<tr><td class="name"><a href="${escapeHtml(entryPath(root, file.name))}">${escapeHtml(file.name)}</a></td>
<td class="size" title="${file.sizeBytes} bytes">${formatBytes(file.sizeBytes)}</td>
<td class="cid"><code>${escapeHtml(file.cid)}</code></td></tr>`,
  );
  const count = `${files.length} ${files.length === 1 ? "file" : "files"}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(root)}</title><style>${STYLE}</style></head>
<body><h1>Published directory</h1><code>${escapeHtml(root)}</code>
<table><thead><tr><th>Name</th><th class="size">Size</th><th class="cid">CID</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table>
<p>${count}, ${formatBytes(totalBytes)}. <a href="/ipfs/${escapeHtml(root)}?format=car">Download everything as a CAR</a>,
which any IPFS tool can check against the CID above.</p>
<footer>CID profile ${PROFILE_NAME}</footer></body></html>
`;
}
