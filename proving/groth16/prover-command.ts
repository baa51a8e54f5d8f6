/** The command line of an external prover. */
import { commandWords } from "../../protocol/command-words.ts";

/** Called as `program …arguments circuit.zkey witness.wtns proof.json public.json`; it must write the last two. */
export interface ProverCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  /** After this long a run is ended. */
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * A command from one line of text, read as `commandWords` does; no shell.
 * @throws USAGE
 */
export function proverCommand(line: string, timeoutMs = DEFAULT_TIMEOUT_MS): ProverCommand {
  const [program, ...rest] = commandWords(line, "the proving command");
  return { program, arguments: rest, timeoutMs };
}
