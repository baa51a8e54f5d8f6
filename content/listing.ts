import { escapeHtml } from "./escape-html.ts";
import { htmlPage } from "./page.ts";
import { PROFILE_NAME } from "./profile.ts";
import type { ListedFile } from "./directory.ts";

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

/** The page that shows a directory. */
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
  return htmlPage(
    root,
    `<h1>Published directory</h1><code>${escapeHtml(root)}</code>
<table><thead><tr><th>Name</th><th class="size">Size</th><th class="cid">CID</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table>
<p>${count}, ${formatBytes(totalBytes)}. <a href="/ipfs/${escapeHtml(root)}?format=car">Download everything as a CAR</a>,
which any IPFS tool can check against the CID above.</p>
<footer>CID profile ${PROFILE_NAME}</footer>`,
  );
}
