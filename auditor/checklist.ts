/** The auditor's findings: one line a check, green or red, each with the code of what went wrong. */
import { isVerisumError, ERRORS, VerisumError } from "../protocol/errors.ts";
import type { ErrorCode } from "../protocol/errors.ts";

export interface Finding {
  /** 0 for checks of the task itself. */
  readonly round: number;
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly code?: ErrorCode;
}

export interface Checklist {
  readonly findings: readonly Finding[];
  readonly ok: boolean;
}

/** A red finding that says nothing of what it is about: what was asked for is away, and may yet come. */
export function isUndecided({ ok, code }: Finding): boolean {
  return !ok && code !== undefined && ERRORS[code].role === "again";
}

/**
 * The failure that findings amount to; undefined if all are green. What is only away may yet come: it fails with its
 * own code, and an audit later may pass.
 * @returns CELLS_DIVERGED if that is what was found first, else AUDIT_FAILED
 */
export function failureOf(findings: readonly Finding[]): VerisumError | undefined {
  const reds = findings.filter(({ ok }) => !ok);
  const found = reds.find((finding) => !isUndecided(finding));
  const red = found ?? reds[0];
  if (red === undefined) return undefined;
  const code = found === undefined || red.code === "CELLS_DIVERGED" ? red.code! : "AUDIT_FAILED";
  const { round, check, detail } = red;
  const others = reds.length > 1 ? `, and ${reds.length - 1} more` : "";
  return new VerisumError(code, `round ${round}: ${check}: ${detail}${others}`, { round, check, failed: reds.length });
}

/**
 * Runs checks in turn; one that throws a VerisumError is red, and the next one still runs.
 * Errors of this machine or its endpoint of the chain say nothing about what is checked: they are passed on.
 */
export class Checker {
  readonly #findings: Finding[] = [];
  readonly #onFinding: (finding: Finding) => void;

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  /** @returns what the check returned, or undefined if it was red */
  async check<T>(
    round: number,
    name: string,
    work: () => Promise<T> | T,
    describe: (value: T) => string,
  ): Promise<T | undefined> {
    try {
      const value = await work();
      this.#add({ round, check: name, ok: true, detail: describe(value) });
      return value;
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about === "host") throw error;
      this.#add({ round, check: name, ok: false, detail: error.message, code: error.code });
      return undefined;
    }
  }

  result(): Checklist {
    return { findings: this.#findings, ok: this.#findings.every(({ ok }) => ok) };
  }

  #add(finding: Finding): void {
    this.#findings.push(finding);
    this.#onFinding(finding);
  }
}
