/**
 * A process in the copy that runs test files against one mutant after another. What the tests use stays loaded; the
 * tests themselves and all else below `test/` are loaded anew for each mutant, so that none sees what another left.
 */
import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Mocha from "mocha";
import { reached, switchTo } from "./chain.ts";

/** What a worker is asked: to run these files, in this order, until one test fails. */
export interface TrialRequest {
  /** 0 is none. */
  readonly mutant: number;
  readonly files: readonly string[];
  /** Of the processor; a trial that takes more ends the process. */
  readonly limitSeconds: number;
}

/** What it answers. */
export interface TrialReport {
  /** Title and reason of the first failure, and the file that it stands in. */
  readonly failure: { readonly title: string; readonly reason: string; readonly file: string } | undefined;
  readonly passed: number;
  /** Numbers of the mutants that were reached, where they are counted. */
  readonly reached: readonly number[];
  /** Of the processor. */
  readonly seconds: number;
}

/** The exit status of a process whose trial took too long. */
export const TOO_LONG = 3;
const TESTS = pathToFileURL(join(process.cwd(), "test/")).href;

let trial = 0;
registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    return resolved.url.startsWith(TESTS)
      ? { ...resolved, url: `${resolved.url.split("?")[0]}?trial=${trial}` }
      : resolved;
  },
});

function processorSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Waiting for its turn on a busy machine is no failure: what is limited is the processor's time of all of them. */
function withoutTimeouts(suite: Mocha.Suite): void {
  suite.timeout(0);
  const runnables = suite as unknown as Record<string, Mocha.Runnable[]>;
  for (const kind of ["tests", "_beforeAll", "_beforeEach", "_afterEach", "_afterAll"])
    for (const runnable of runnables[kind]!) runnable.timeout(0);
  suite.suites.forEach(withoutTimeouts);
}

/** Runs one file. @returns how many tests passed, and the first failure */
async function runFile(file: string): Promise<Pick<TrialReport, "failure" | "passed">> {
  const mocha = new Mocha({ bail: true, reporter: class {} as never });
  mocha.suite.emit("pre-require", globalThis, file, mocha);
  await import(pathToFileURL(file).href);
  mocha.suite.emit("post-require", globalThis, file, mocha);
  withoutTimeouts(mocha.suite);
  let failure: TrialReport["failure"];
  let passed = 0;
  await new Promise<void>((resolve) => {
    const runner = mocha.run(() => resolve());
    runner.on("pass", () => void passed++);
    runner.on("fail", (test, { message }: Error) => {
      failure ??= { title: test.fullTitle(), reason: message.split("\n")[0]!.slice(0, 200), file };
    });
  });
  return { failure, passed };
}

async function answer({ mutant, files, limitSeconds }: TrialRequest): Promise<TrialReport> {
  trial++;
  switchTo(mutant);
  reached.clear();
  const startedAt = processorSeconds();
  const clock = setInterval(() => {
    if (processorSeconds() - startedAt > limitSeconds) process.exit(TOO_LONG);
  }, 200);
  let failure: TrialReport["failure"];
  let passed = 0;
  for (const file of files) {
    const ran = await runFile(file);
    passed += ran.passed;
    failure = ran.failure;
    if (failure !== undefined) break;
  }
  clearInterval(clock);
  return { failure, passed, reached: [...reached], seconds: processorSeconds() - startedAt };
}

process.on("message", (request: TrialRequest) => {
  void answer(request).then((report) => process.send!(report));
});
