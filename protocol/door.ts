/**
 * The protocol's words, as `verisum/protocol`. Every other rule is imported by its file, as `verisum/protocol/sharing`.
 */
export { isVerisumError, VerisumError } from "./errors.ts";
export type { ErrorCode } from "./errors.ts";
export type { ModelState } from "./model.ts";
export { PRESETS } from "./parameters.ts";
export type { Preset } from "./parameters.ts";
export type { RandomBytes } from "./random.ts";
export type { Facts, Level, Reporter } from "./reporter.ts";
export type { TaskParameters } from "./task.ts";
export { fromHex, toHex } from "./transcript.ts";
export type { Hex } from "./transcript.ts";
