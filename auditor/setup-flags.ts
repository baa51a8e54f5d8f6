/** Options of `fl setup`. */
import type { Format } from "../command/reporter.ts";

export interface ImportFlags {
  readonly powers: string;
  readonly preset: string;
  readonly kinds: number;
  readonly out: string;
  readonly format: Format;
}

export interface ContributeFlags {
  readonly setup: string;
  readonly out: string;
  readonly name: string;
  /** A file whose contents add to the platform's randomness. */
  readonly entropy?: string;
  /** Public randomness, hexadecimal, in place of secrets. */
  readonly beacon?: string;
  readonly iterations: number;
  readonly format: Format;
}

export interface VerifySetupFlags {
  readonly setup: string;
  readonly format: Format;
}

export interface ExportFlags extends VerifySetupFlags {
  readonly out: string;
}
