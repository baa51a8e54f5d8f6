/** A dashboard beside the aggregator: pages that say whose server they come from. */
import { join } from "node:path";
import { showDashboard } from "../auditor/dashboard.ts";
import { failureOf } from "../command/failure.ts";
import type { ListenAddress } from "../command/listen-address.ts";
import type { CommonFlags } from "../command/options.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";

export interface BesideFlags extends CommonFlags {
  readonly dashboard: ListenAddress;
  /** The aggregator's own gateway. */
  readonly gateway: string;
}

/** Serves it until the signal. Rounds do not wait for it: what fails is said, and the aggregator goes on. */
export async function dashboardBeside(flags: BesideFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const { dashboard, gateway, store: _, ...common } = flags;
  const state = join(flags.state ?? join(".verisum", "aggregator"), "dashboard");
  try {
    await showDashboard(
      {
        ...{ ...common, state, listen: dashboard, contract: [flags.contract] },
        ...{ peer: [gateway, ...flags.peer], servedBy: "aggregator" },
      },
      reporter,
      signal,
    );
  } catch (error) {
    if (isVerisumError(error, "INTERRUPTED")) return;
    const { code, text } = failureOf(error);
    reporter.say("error", "dashboard-ended", `no dashboard any more: ${code}: ${text}`, { code });
  }
}
