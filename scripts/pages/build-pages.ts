/** The dashboard's bundle. */
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** The verifier's worker holds what checks a task, by way of `auditor/verify-here.ts`. */
const SOURCES = [
  "{auditor,chain,client,content,dashboard,learning,protocol,proving,storage,task}/**/*.{ts,tsx,css,html,svg}",
  "package-lock.json",
];
/** Names every file of the bundle with its digest, and what it was made of. */
const DIGESTS = "digests.json";

/** Makes the bundle unless it is there and its sources are what it was made of. @param outDir its folder */
export async function buildPages(outDir = join(ROOT, "build", "dashboard")): Promise<void> {
  const sources = digestOfSources();
  const made = await readFile(join(outDir, DIGESTS), "utf8").catch(() => "{}");
  if ((JSON.parse(made) as { readonly sources?: string }).sources === sources) return;
  await build({ configFile: join(ROOT, "dashboard", "vite.config.ts"), mode: "production", build: { outDir } });
  const files = globSync("**/*", { cwd: outDir })
    .filter((name) => statSync(join(outDir, name)).isFile())
    .sort();
  const digests = Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(outDir, name)))]));
  await writeFile(join(outDir, DIGESTS), `${JSON.stringify({ sources, files: digests }, undefined, 2)}\n`);
}

function digestOfSources(): string {
  const names = globSync(SOURCES, { cwd: ROOT }).sort();
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(join(ROOT, name)));
  return hash.digest("hex");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
