/**
 * Runs test files again whenever they change, or anything they import:
 *
 *   npm run test:watch -- test/protocol/model.test.ts
 *
 * Node watches, because mocha cannot load an ES module a second time.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const mocha = dirname(createRequire(import.meta.url).resolve("mocha/package.json"));
const args = ["--watch", "--disable-warning=ExperimentalWarning", join(mocha, "bin/_mocha"), ...process.argv.slice(2)];
spawn(process.execPath, args, { stdio: "inherit" }).on("close", (code) => (process.exitCode = code ?? 1));
