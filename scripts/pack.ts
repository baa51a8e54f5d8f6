/**
 * Compiles what roles run with to `dist/`, for `npm pack`: JavaScript with types, and beside it the files that the code
 * finds by its own place (contracts, pages, circuits, digits). Sources are not shipped, so neither are source maps; the
 * output keeps names, comments and lines apart, and its stack traces can be read.
 *
 *   npm pack              runs this first
 *   npm run pack:dist     this only
 */
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProgram } from "../command/program.ts";
import { buildContracts } from "../operator/build-contracts.ts";
import { buildPages } from "./pages/build-pages.ts";
import { copyAssets } from "./packing/assets.ts";
import { brokenImports } from "./packing/broken-imports.ts";
import { rewritten } from "./packing/rewrite.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");

async function rewriteOutput(): Promise<void> {
  for (const name of globSync("**/*.{js,d.ts}", { cwd: DIST })) {
    const path = join(DIST, name);
    const text = await readFile(path, "utf8");
    await writeFile(path, rewritten(name, text));
  }
}

await createProgram("pack", "compile what roles run with to dist/")
  .action(async () => {
    await rm(DIST, { recursive: true, force: true });
    await buildContracts();
    await buildPages();
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    execFileSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], { cwd: ROOT, stdio: ["ignore", 2, 2] });
    await rewriteOutput();
    await copyAssets(ROOT, DIST);
    const broken = await brokenImports(ROOT, DIST);
    if (broken.length > 0)
      throw new Error(`dist/ imports what an installed package does not have:\n${broken.join("\n")}`);
  })
  .parseAsync();
