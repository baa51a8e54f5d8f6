/**
 * Mocha reporter: the usual `spec` output, and the counts as JSON in the file named by the reporter option `summary`.
 */
import { writeFileSync } from "node:fs";
import Mocha from "mocha";

class SummaryReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once("end", () => {
      const { passes, failures, pending } = runner.stats;
      writeFileSync(
        options.reporterOptions.summary,
        JSON.stringify({ passed: passes, failed: failures, skipped: pending }),
      );
    });
  }
}

// Mocha loads reporters with `require`.
export { SummaryReporter as "module.exports" };
