/** Rules of the contract's parameters, said in the fields that an operator writes. */
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";

/** Where a specification has a parameter, if it has it under another name. */
const FIELDS: Partial<Record<keyof TaskParameters, string>> = {
  committeeSize: "committee.size",
  threshold: "committee.threshold",
  quorum: "committee.quorum",
  minClients: "clients.min",
  minHonest: "clients.minHonest",
  maxCorrupt: "clients.maxCorrupt",
  maxWeight: "clients.maxWeight",
  openRegistration: "clients.openRegistration",
  bondWei: "clients.bondWei",
  maxRefusals: "clients.maxRefusals",
  maxRoundsPerClient: "clients.maxRoundsPerClient",
  keyWindowSeconds: "windowSeconds.key",
  collectSeconds: "windowSeconds.collect",
  attestSeconds: "windowSeconds.attest",
  aggregateSeconds: "windowSeconds.aggregate",
  bufferGoal: "rounds.bufferGoal",
  maxStaleness: "rounds.maxStaleness",
  minSeparation: "rounds.minSeparation",
  minCollectSeconds: "rounds.minCollectSeconds",
};

/**
 * Runs a check of the parameters.
 * @throws what it throws; PARAMETERS_INVALID with the specification's fields, and their values where a rule names them
 */
export function withFieldNames(parameters: TaskParameters, check: (parameters: TaskParameters) => void): void {
  try {
    check(parameters);
  } catch (error) {
    if (!isVerisumError(error, "PARAMETERS_INVALID")) throw error;
    const { details } = error;
    const named = (Object.keys(parameters) as (keyof TaskParameters)[]).filter((name) =>
      new RegExp(`\\b${name}\\b`).test(error.message),
    );
    const values = named.map((name) => `${FIELDS[name] ?? name} is ${String(parameters[name])}`);
    const said = error.message.replaceAll(/\w+/g, (word) => FIELDS[word as keyof TaskParameters] ?? word);
    const message = details["rule"] === undefined || values.length === 0 ? said : `${said}: ${values.join(", ")}`;
    throw new VerisumError("PARAMETERS_INVALID", `the specification: ${message}`, details, { cause: error });
  }
}
