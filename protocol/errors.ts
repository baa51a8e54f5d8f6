/**
 * The one error class of the project, and its codes. A code is one entry in `protocol/errors/`: what it says, what a
 * user does, and what programs do about it. Nothing else keeps a list of codes; `docs/errors.md` is generated.
 */
import { CELLS_ERRORS } from "./errors/cells.ts";
import { CHAIN_ERRORS } from "./errors/chain.ts";
import { COMMAND_ERRORS } from "./errors/command.ts";
import { CONTENT_ERRORS } from "./errors/content.ts";
import { DATABASE_ERRORS } from "./errors/database.ts";
import { ENCODING_ERRORS } from "./errors/encoding.ts";
import type { ErrorEntry } from "./errors/entry.ts";
import { LEARNING_ERRORS } from "./errors/learning.ts";
import { NODE_ERRORS } from "./errors/node.ts";
import { PRIVACY_ERRORS } from "./errors/privacy.ts";
import { PROVING_ERRORS } from "./errors/proving.ts";
import { ROUND_ERRORS } from "./errors/round.ts";
import { SETUP_ERRORS } from "./errors/setup.ts";
import { STORAGE_ERRORS } from "./errors/storage.ts";
import { TASK_ERRORS } from "./errors/task.ts";
import { TRAINER_ERRORS } from "./errors/trainer.ts";
import { maskUrls } from "./secrets.ts";

const REGISTRY = {
  ...TASK_ERRORS,
  ...ENCODING_ERRORS,
  ...ROUND_ERRORS,
  ...CELLS_ERRORS,
  ...PROVING_ERRORS,
  ...SETUP_ERRORS,
  ...CONTENT_ERRORS,
  ...NODE_ERRORS,
  ...CHAIN_ERRORS,
  ...LEARNING_ERRORS,
  ...TRAINER_ERRORS,
  ...PRIVACY_ERRORS,
  ...STORAGE_ERRORS,
  ...DATABASE_ERRORS,
  ...COMMAND_ERRORS,
};

export type ErrorCode = keyof typeof REGISTRY;

/** Every error that Verisum raises on purpose, by code. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = REGISTRY;

/** True if a text that came from elsewhere is a code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/** Evidence that travels with an error: plain data, never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean | readonly string[]>>;

/**
 * The one error class of the project. Its message shows of a URL what is no secret.
 *
 * @example throw new VerisumError("SHARE_INDEX", "share index 0 is not allowed", { index: 0 });
 */
export class VerisumError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(maskUrls(message), options);
    this.name = "VerisumError";
    this.code = code;
    this.details = masked(details);
  }

  /** What is known of its code: what roles and commands do about it, and what it says anything about. */
  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }
}

function masked(details: ErrorDetails): ErrorDetails {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, maskedValue(value)]));
}

function maskedValue(value: ErrorDetails[string]): ErrorDetails[string] {
  if (typeof value === "string") return maskUrls(value);
  return typeof value === "object" ? value.map(maskUrls) : value;
}

/**
 * Goes on only if the condition holds; the compiler knows it from then on.
 *
 * @throws the code, if it does not
 * @example ensure(seat >= 1, "SHARE_INDEX", `share index ${seat} is not allowed`, { seat });
 */
export function ensure(
  condition: boolean,
  code: ErrorCode,
  message: string,
  details?: ErrorDetails,
): asserts condition {
  if (!condition) throw new VerisumError(code, message, details);
}

/**
 * The same for rules that values must keep, each named by its own words. All are evaluated: none may rest on another.
 *
 * @throws the code, naming the first rule that does not hold
 * @example ensureRules("PRIVACY_PARAMETERS_INVALID", { "0 < delta < 1": delta > 0 && delta < 1 });
 */
export function ensureRules(
  code: ErrorCode,
  rules: Readonly<Record<string, boolean>>,
  details: ErrorDetails = {},
): void {
  for (const [rule, holds] of Object.entries(rules)) ensure(holds, code, `${rule} does not hold`, { ...details, rule });
}

/** True if `error` is a VerisumError, with the given code if one is named. */
export function isVerisumError(error: unknown, code?: ErrorCode): error is VerisumError {
  return error instanceof VerisumError && (code === undefined || error.code === code);
}

/** True if what failed is to be tried again: it may pass by itself. */
export function mayPass(error: unknown): error is VerisumError {
  return isVerisumError(error) && error.entry.role === "again";
}
