/** The options of `fl dp account` and `fl dp noise`. */
import type { Format } from "../command/reporter.ts";

export interface PrivacyFlags {
  readonly mechanism: "gaussian" | "ddgauss" | "skellam";
  readonly accountant: "rdp" | "pld";
  readonly delta: number;
  readonly epsilon?: number;
  readonly noiseMultiplier?: number;
  readonly samplingRate: number;
  readonly steps?: number;
  readonly noiseStdDev?: number;
  readonly granularity: number;
  readonly clip?: number;
  readonly clients?: number;
  readonly mostClients?: number;
  readonly dimension?: number;
  readonly rounds: number;
  readonly beta?: number;
  readonly coordinateBits?: number;
  readonly format: Format;
}

/** What noise amounts to, or which noise a target needs. */
export type PrivacyQuestion = "account" | "noise";
