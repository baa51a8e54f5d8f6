/** What the demo can be asked for. */
import { parseArgs } from "node:util";
import { parseSpecification } from "../task/create-task.ts";
import type { TaskSpecification } from "../task/create-task.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Dealing } from "./shards.ts";

/** Seats of the demo's committee; one of them is stopped, unless the run is plain. */
export const MEMBERS = 4;
const DIGITS = "digits";
const DIGITS_ALPHA = 0.5;
/** Each client measures each model; on a large data set the aggregator's figure alone uses all test rows. */
const CLIENT_TEST_SAMPLES = 1000;
/** Hardhat funds twenty accounts: the operator, the members, and these. */
const MAX_CLIENTS = 15;

export interface DemoFlags {
  readonly task: string;
  readonly data: string;
  readonly clients: number;
  readonly seed: number;
  readonly alpha: number | undefined;
  readonly samples: number | undefined;
  readonly rounds: number | undefined;
  /** No cheat, no crash, no stopped member. */
  readonly plain: boolean;
  /** Trains the same model on all data in one place as well. Always on the digits. */
  readonly central: boolean;
  /** Keeps the gateway running at the end. */
  readonly stay: boolean;
  /** Says where the seconds went. */
  readonly timeline: boolean;
}

/** @throws USAGE for an unknown option or a value out of range */
export function readFlags(args: readonly string[]): DemoFlags {
  const values = parsed(args);
  const isDigits = values.data === DIGITS;
  return {
    task: values.task,
    data: values.data,
    clients: number("clients", values.clients, values.plain ? 3 : 4, MAX_CLIENTS),
    seed: number("seed", values.seed, 0, Number.MAX_SAFE_INTEGER),
    alpha: values.alpha === undefined ? (isDigits ? DIGITS_ALPHA : undefined) : real("alpha", values.alpha),
    samples: values.samples === undefined ? undefined : number("samples", values.samples, 1, Number.MAX_SAFE_INTEGER),
    rounds: values.rounds === undefined ? undefined : number("rounds", values.rounds, 1, 1000),
    plain: values.plain,
    central: values.central || isDigits,
    stay: values.stay,
    timeline: values.timeline,
  };
}

/** @throws USAGE */
function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        task: { type: "string", default: "tasks/digits.json" },
        data: { type: "string", default: DIGITS },
        clients: { type: "string", default: "5" },
        samples: { type: "string" },
        alpha: { type: "string" },
        seed: { type: "string", default: "7" },
        rounds: { type: "string" },
        plain: { type: "boolean", default: false },
        central: { type: "boolean", default: false },
        stay: { type: "boolean", default: false },
        timeline: { type: "boolean", default: false },
      },
    }).values;
  } catch (cause) {
    throw new VerisumError("USAGE", cause instanceof Error ? cause.message : String(cause), {}, { cause });
  }
}

export function demoDealing({ clients, seed, alpha, samples, data }: DemoFlags): Dealing {
  return { clients, seed, alpha, samples, testSamples: data === DIGITS ? undefined : CLIENT_TEST_SAMPLES };
}

/** The task as its file says, with the number of rounds that was asked for. */
export function demoSpecification(json: unknown, { rounds }: DemoFlags): TaskSpecification {
  const specification = parseSpecification(json);
  return rounds === undefined ? specification : { ...specification, maxRounds: rounds };
}

/** The demo's first line. */
export function headline(
  { document, maxRounds, committee }: TaskSpecification,
  { clients }: Dealing,
  data: string,
): string {
  return `${inWords(clients)} clients, a committee of ${inWords(committee.size)} (threshold ${committee.threshold}, quorum ${committee.quorum}), ${inWords(maxRounds)} ${maxRounds === 1 ? "round" : "rounds"} on ${data === DIGITS ? "handwritten digits" : document.name}`;
}

function inWords(count: number): string {
  return ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"][count] ?? String(count);
}

function number(name: string, text: string, least: number, most: number): number {
  const value = real(name, text);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new VerisumError("USAGE", `--${name} must be a whole number from ${least} to ${most}`);
  return value;
}

function real(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new VerisumError("USAGE", `--${name} must be a number`);
  return value;
}
