/**
 * Runs a program once for each of many command lines, in one process, up to where it would exit:
 *
 *     node test/support/command-lines.ts FILE '[["verify","--help"],["verify","--rpc",""]]'
 *
 * Prints what each wrote and with which status it would have ended, as JSON. For tests only.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

export interface CommandLineResult {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

class Exit extends Error {}

const [file, lines] = process.argv.slice(2) as [string, string];
const results: CommandLineResult[] = [];
const [stdout, stderr] = [process.stdout, process.stderr].map((stream) => stream.write.bind(stream));
process.setMaxListeners(0);
for (const [place, args] of (JSON.parse(lines) as string[][]).entries()) {
  const result = { status: undefined as number | undefined, stdout: "", stderr: "" };
  process.argv = [process.execPath, file, ...args];
  process.stdout.write = (text: string) => ((result.stdout += text), true);
  process.stderr.write = (text: string) => ((result.stderr += text), true);
  process.exit = (status) => {
    result.status ??= Number(status ?? 0);
    throw new Exit();
  };
  try {
    await import(`${pathToFileURL(resolve(file)).href}?${place}`);
  } catch (error) {
    if (!(error instanceof Exit)) result.stderr += String(error);
  }
  results.push(result);
}
process.stdout.write = stdout as typeof process.stdout.write;
process.stderr.write = stderr as typeof process.stderr.write;
process.stdout.write(JSON.stringify(results));
process.exitCode = 0;
