/** The ordinary client with something replaced, as a program of the demo. */
import { Command } from "commander";
import { connectionOptions, contentOptions, nodeOptions, reporterFor } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom as random } from "../command/platform-random.ts";
import { runCommand } from "../command/run.ts";
import { joinTask } from "../client/join.ts";
import type { Participation } from "../client/join.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { OpenTask } from "../task/opened-task.ts";

export interface Altering<Flags> {
  readonly flags: Flags;
  readonly task: OpenTask;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Runs the command line as `fl-client join`, with what it adds.
 * @param addOptions those of the program's own
 * @param alter the parts that the client would use
 */
export async function runAlteredClient<Own>(
  name: string,
  addOptions: (command: Command) => Command,
  alter: (parts: Participation, altering: Altering<Own>) => Participation,
): Promise<void> {
  const command = contentOptions(connectionOptions(new Command(name), true)).requiredOption("--data <spec>");
  await addOptions(command)
    .action(async (flags: CommonFlags & { readonly data: string } & Own) => {
      const reporter = reporterFor(flags, "client");
      await runCommand(reporter, (signal) =>
        joinTask(nodeOptions(flags, "client"), { reporter, random, signal }, (parts, task) =>
          alter(parts, { flags, task, reporter, signal }),
        ),
      );
    })
    .parseAsync();
}
