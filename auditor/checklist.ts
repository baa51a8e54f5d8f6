/** The auditor's findings: one line a check, green or red, each with the code of what went wrong. */
import { isVerisumError } from "../protocol/errors.ts";
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

/**
 * Runs checks in turn; one that throws a VerisumError is red, and the next one still runs.
 * A chain that cannot be read says nothing about what is on it: its errors are passed on.
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
      if (!isVerisumError(error) || error.code.startsWith("CHAIN_")) throw error;
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
