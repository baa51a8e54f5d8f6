/** The command line of an external prover. */
import { VerisumError } from "../../protocol/errors.ts";

/** Called as `program …arguments circuit.zkey witness.wtns proof.json public.json`; it must write the last two. */
export interface ProverCommand {
  readonly program: string;
  readonly arguments: readonly string[];
  /** After this long a run is ended. */
  readonly timeoutMs: number;
}

const DEFAULT_TIMEOUT_MS = 600_000;

/**
 * A command from one line of text: words between blanks, no quoting, no shell.
 * @throws USAGE if the line is blank
 */
export function proverCommand(line: string, timeoutMs = DEFAULT_TIMEOUT_MS): ProverCommand {
  const [program, ...rest] = line.split(/\s+/).filter((word) => word !== "");
  if (program === undefined) throw new VerisumError("USAGE", "the proving command is blank");
  return { program, arguments: rest, timeoutMs };
}
