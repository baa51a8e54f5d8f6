/**
 * Builds what tests and a local task need: contracts, the dashboard's pages, circuits compiled and audited, and
 * development keys of the tiny preset and of the standard preset's smallest chunk. Everything is kept by content, so a
 * second run only checks.
 *
 *   npm run build             the above
 *   npm run build -- --all    every chunk size of every preset
 *   npm run build -- --pages  the pages alone
 */
import { createProgram } from "../command/program.ts";
import { closeCurve } from "../proving/node/open-curve.ts";
import { PRESETS } from "../protocol/parameters.ts";
import { setUpDevelopmentKeys } from "./setup-dev.ts";
import { buildPages } from "./pages/build-pages.ts";
import { buildContracts } from "../operator/build-contracts.ts";

/** Elements of the longest vector that the built keys commit to. */
const POWERS = 1024;
const ALL_POWERS = 2 ** 17;

const program = createProgram("build", "compile contracts, pages and circuits, and make development keys").option(
  "--all",
  "every chunk size of every preset",
  false,
);
program.option("--pages", "the pages alone", false);
const { all, pages } = (await program.parseAsync()).opts<{ readonly all: boolean; readonly pages: boolean }>();
const report = (line: string): void => void process.stderr.write(`${line}\n`);
if (pages) {
  await buildPages();
  process.exit();
}
try {
  await buildContracts();
  await buildPages();
  await setUpDevelopmentKeys(PRESETS.tiny, PRESETS.tiny.kinds.length, POWERS, report);
  if (all) await setUpDevelopmentKeys(PRESETS.standard, PRESETS.standard.kinds.length, ALL_POWERS, report);
  else await setUpDevelopmentKeys(PRESETS.standard, 1, POWERS, report);
} finally {
  await closeCurve();
}
