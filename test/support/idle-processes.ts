/**
 * A script over two processes of no output, a role and an adopted one, which ends as its first argument says. For tests
 * only.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { withProcesses } from "../../demo/with-processes.ts";

const [ending, program] = process.argv.slice(2) as ["waits" | "stays" | "succeeds" | "fails" | "throws", string];
const write = (line: string): void => void process.stdout.write(`${line}\n`);

await withProcesses("idle", write, async ({ processes, directory, noise, untilInterrupted }) => {
  processes.adopt(spawn(process.execPath, [program], { stdio: "ignore" }));
  processes.start("role", program, [], {
    logFile: join(directory, "role.log"),
    onEvent: () => undefined,
    onNoise: (line) => noise.push(line),
  });
  write("ready");
  if (ending === "waits") await new Promise(() => undefined);
  if (ending === "stays") await untilInterrupted();
  if (ending === "throws") throw new Error("the run does not work");
  return ending !== "fails";
});
