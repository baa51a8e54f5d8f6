/** The demo's last words: one table, two accuracies, one verdict. */
import Table from "cli-table3";
import pc from "picocolors";
import { neverBetter } from "../learning/evaluation.ts";
import type { Compared } from "../learning/evaluation.ts";
import type { CheckpointConfig } from "../task/checkpoint.ts";
import { group } from "./account.ts";
import type { RoundFigures } from "./account.ts";

export interface DemoResult {
  /** Wall time in which the roles started and read and checked the keys. */
  readonly startSeconds: number;
  /** Wall time of the rounds, from the first opening on. */
  readonly seconds: number;
  /** Test accuracy of the same model trained on all data in one place; undefined where that was not asked for. */
  readonly central: number | undefined;
  readonly verified: boolean;
  /** Where the task's keys come from. */
  readonly keysSay: string;
  /** What the task's noise guarantees after these rounds; null without noise. */
  readonly privacy: CheckpointConfig["privacy"];
}

export function printSummary(
  write: (line: string) => void,
  rounds: ReadonlyMap<number, RoundFigures>,
  { startSeconds, seconds, central, verified, keysSay, privacy }: DemoResult,
): void {
  const table = new Table({
    head: [
      "round",
      "test accuracy",
      "balanced",
      "accepted",
      "refused",
      "proof s (median)",
      "submit gas (median)",
      "finalize gas",
    ],
    style: { head: [], border: [] },
  });
  for (const [round, { accepted, refused, accuracy, balancedAccuracy, finalizeGas }] of rounds) {
    const proofs = accepted.flatMap(({ proveMs }) => (proveMs === undefined ? [] : [proveMs]));
    table.push([
      round,
      percent(accuracy),
      percent(balancedAccuracy),
      accepted.length,
      refused.length === 0 ? "" : pc.red(refused.join(", ")),
      proofs.length === 0 ? "" : (median(proofs) / 1000).toFixed(2),
      group(median(accepted.map(({ gas }) => gas))),
      group(finalizeGas ?? 0),
    ]);
  }
  write("");
  write(table.toString());
  const federated = [...rounds.values()].at(-1)?.accuracy;
  const compared =
    central === undefined
      ? ""
      : `, all data in one place${privacy === null ? "" : " without noise"} ${pc.bold(percent(central))}`;
  const majority = [...rounds.values()].at(-1)?.majority;
  const always = majority === undefined ? "" : ` (majority class ${percent(majority)})`;
  const reached = federated === undefined ? "" : `federated ${pc.bold(percent(federated))}${always}${compared}; `;
  write(
    `${reached}${rounds.size} ${rounds.size === 1 ? "round" : "rounds"} in ${seconds.toFixed(0)} s, after a start of ${startSeconds.toFixed(0)} s`,
  );
  const nothing = neverBetter([...rounds.values()].flatMap((figures) => comparedIn(figures) ?? []));
  if (nothing !== undefined) write(pc.yellow(nothing));
  write(
    privacy === null
      ? pc.dim("differential privacy is off (on: npm run demo -- --task tasks/digits-private.json)")
      : `differential privacy per ${privacy.unit}: epsilon ${pc.bold(privacy.epsilon.toFixed(2))} at delta ${privacy.delta}: ${privacy.statement}`,
  );
  write(keysSay);
  write(
    verified
      ? pc.green(pc.bold("Every round verified from chain and IPFS alone."))
      : pc.red(pc.bold("The audit FAILED.")),
  );
}

function comparedIn(figures: RoundFigures): Compared | undefined {
  const { accuracy, majority, rootMeanSquaredError, baselineError } = figures;
  if (accuracy !== undefined && majority !== undefined) return { accuracy, majority };
  if (rootMeanSquaredError !== undefined && baselineError !== undefined) return { rootMeanSquaredError, baselineError };
  return undefined;
}

function percent(fraction: number | undefined): string {
  return fraction === undefined ? "" : `${(fraction * 100).toFixed(1)} %`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
