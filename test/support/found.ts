/** What becomes of a file as people have it: it is read, with these warnings, or refused by name. */
import type { ErrorCode, ErrorDetails } from "../../protocol/errors.ts";

export type Outcome =
  | { readonly code: ErrorCode; readonly details: ErrorDetails }
  | {
      readonly examples: number;
      readonly values: number;
      readonly classes: number;
      /** Events of all notes but the dialect's, without repetition. */
      readonly events: string;
    };

export type FoundFile = readonly [name: string, content: string | Uint8Array, options: string, outcome: Outcome];

export function read(examples: number, values: number, classes: number, events: string): Outcome {
  return { examples, values, classes, events };
}

export function refused(code: ErrorCode, details: ErrorDetails = {}): Outcome {
  return { code, details };
}

/** That many lines. */
export const rows = (n: number, f: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => f(i)).join("\n");
/** Numbers without a pattern, in [0, 1), with three digits. */
export const u = (i: number): number => ((i * 7919) % 1000) / 1000;
/** Names of two features and a label, and rows of them. */
export const H = "a,b,label\n";
export const R = (n = 30): string => rows(n, (i) => `${u(i)},${u(i + 3)},${i % 2}`);
