/**
 * Mocha reporter: the usual `spec` output, and, as JSON in the file named by the reporter option `summary`, the counts
 * and what failed: the file from the root, the title and the beginning of the reason.
 */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import Mocha from "mocha";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failures = [];
    runner.on("fail", (test, error) => {
      const reason = String(error?.message ?? error)
        .replaceAll(/\s+/gu, " ")
        .slice(0, 300);
      failures.push(`${relative(ROOT, test.file ?? ".")}: ${test.fullTitle()}: ${reason}`);
    });
    runner.once("end", () => {
      const { passes, failures: failed, pending } = runner.stats;
      writeFileSync(
        options.reporterOptions.summary,
        JSON.stringify({ passed: passes, failed, skipped: pending, failures }),
      );
    });
  }
}

// Mocha loads reporters with `require`.
export { SummaryReporter as "module.exports" };
