/** The demo's live account: what happened, round by round, in words. */
import pc from "picocolors";
import type { RoleEvent } from "./processes.ts";

/** Figures of one round, as the roles reported them. */
export interface RoundFigures {
  accepted: { readonly client: string; readonly gas: number; readonly proveMs: number | undefined }[];
  refused: string[];
  finalizeGas?: number;
  accuracy?: number;
  /** Accuracy of always answering the most frequent class of the test data, and the mean recall of its classes. */
  majority?: number;
  balancedAccuracy?: number;
  /** Of numbers to predict, and of always answering their mean. */
  rootMeanSquaredError?: number;
  baselineError?: number;
  modelCid?: string;
}

/** What an aggregator says of a model. */
const MEASURED = ["accuracy", "majority", "balancedAccuracy", "rootMeanSquaredError", "baselineError"] as const;

export interface Account {
  readonly rounds: Map<number, RoundFigures>;
  note(event: RoleEvent): void;
}

/**
 * @param write receives whole lines; @param elapsed seconds since the rounds began; @param gateway base URL for links
 */
export function createAccount(write: (line: string) => void, elapsed: () => number, gateway: string): Account {
  const rounds = new Map<number, RoundFigures>();
  const proveMs = new Map<string, number>();
  const figures = (round: number): RoundFigures => {
    let entry = rounds.get(round);
    if (entry === undefined) rounds.set(round, (entry = { accepted: [], refused: [] }));
    return entry;
  };
  let warned = false;
  const say = (who: string, text: string): void =>
    write(`${pc.dim(`${elapsed().toFixed(1).padStart(5)}s`)}  ${who.padEnd(11)} ${text}`);
  const note = ({ role, event, level, text, facts }: RoleEvent): void => {
    const round = Number(facts.round);
    switch (event) {
      case "round-opened":
        write("");
        say(pc.bold("chain"), pc.bold(text));
        return;
      case "proven":
        proveMs.set(role, Number(facts.milliseconds));
        return;
      case "accepted": {
        const ms = proveMs.get(role);
        figures(round).accepted.push({ client: role, gas: Number(facts.gas), proveMs: ms });
        say(
          role,
          pc.green(`accepted by the contract`) +
            pc.dim(
              `  proof ${ms === undefined ? "kept from before the restart" : `${(ms / 1000).toFixed(1)} s`}, ${group(Number(facts.gas))} gas`,
            ),
        );
        return;
      }
      case "refused":
        figures(round).refused.push(role);
        say(role, pc.red(text));
        return;
      case "trained":
        // The built-in engine has nothing else to say than what the models then reach.
        if (facts.steps === undefined) say(role, pc.dim(text));
        return;
      case "drawn":
        if (Number(facts.staleness) > 0) say(role, pc.dim(text));
        return;
      case "evaluated":
        say(role, text);
        return;
      case "settled":
      case "released":
      case "resumed":
        say(role, text);
        return;
      case "aggregated":
        for (const name of MEASURED) {
          const value = facts[name];
          if (typeof value === "number") figures(round)[name] = value;
        }
        return;
      case "finalised": {
        const entry = figures(round);
        entry.finalizeGas = Number(facts.gas);
        entry.modelCid = String(facts.modelCid);
        const reached = reachedText(entry);
        say(
          pc.bold("chain"),
          pc.green(`round ${round} is final: `) + `${reached}finalize ${group(Number(facts.gas))} gas`,
        );
        say("", pc.dim(`checkpoint ${gateway}/ipfs/${entry.modelCid}/`));
        return;
      }
      case "insecure-keys":
        if (!warned) say("keys", pc.yellow(text));
        warned = true;
        return;
      default:
        if (level === "warn" || level === "error") say(role, (level === "error" ? pc.red : pc.yellow)(text));
    }
  };
  return { rounds, note };
}

function reachedText({ accuracy, majority, rootMeanSquaredError, baselineError }: RoundFigures): string {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  if (accuracy !== undefined)
    return `test accuracy ${pc.bold(percent(accuracy))}${majority === undefined ? "" : ` (majority class ${percent(majority)})`}, `;
  if (rootMeanSquaredError === undefined) return "";
  const always = baselineError === undefined ? "" : ` (always the mean ${baselineError.toPrecision(4)})`;
  return `test error ${pc.bold(rootMeanSquaredError.toPrecision(4))}${always}, `;
}

/** 1234567 as 1,234,567. */
export function group(value: number): string {
  return value.toLocaleString("en-US");
}
