/** `fl-client open`. */
import { join } from "node:path";
import type { Command } from "commander";
import { integerWithin, confirmationsOption, formatOption, reporterFor } from "../../command/options.ts";
import { runCommand } from "../../command/run.ts";
import type { OpenFlags } from "./open-page.ts";

const PORT = 7900;

/** Adds `open`. */
export function addOpenCommand(program: Command): void {
  formatOption(
    program
      .command("open")
      .description("take part by a page in your browser: choose a task, connect data, start, watch; no terminal needed")
      .addOption(confirmationsOption()),
  )
    .option("--port <n>", "where the page is served, on this machine alone", integerWithin(0, 65_535), PORT)
    .option("--state <directory>", "private folder of the page", join(".verisum", "participant"))
    .option("--no-browser", "do not open a browser; the address is printed either way")
    .action(async (flags: OpenFlags) => {
      const reporter = reporterFor(flags, "participant");
      await runCommand(reporter, async (signal) => (await import("./open-page.ts")).openPage(flags, reporter, signal));
    });
}
