/** The rules by which a sum can move a model. A new one is a file beside this one and an entry here. */
import type { ModelState } from "../model.ts";
import { fedAdam } from "./fedadam.ts";
import { fedAvgM } from "./fedavgm.ts";
import type { MeanUpdate, ServerRule, SettingsOf } from "./server-rule.ts";

/** The rule of documents that name none. */
export const DEFAULT_RULE = fedAvgM;
export const SERVER_RULES = [DEFAULT_RULE, fedAdam] as const;

type Rule = (typeof SERVER_RULES)[number];

/** `server` of a task's document for one rule. */
type SettingsFor<R> =
  R extends ServerRule<infer Name, infer P>
    ? SettingsOf<P> &
        (Name extends typeof DEFAULT_RULE.name ? { readonly rule?: Name | undefined } : { readonly rule: Name })
    : never;

/** How a task's server moves its model. */
export type ServerSettings = SettingsFor<Rule>;

/** A rule with the numbers of a task's document; its functions as in `ServerRule`. */
export interface RuleInUse {
  readonly keeps: readonly string[];
  next(state: ModelState, mean: MeanUpdate): ModelState;
  largestMove(mean: number): number;
}

/** Whichever rule it is: what it takes is then known to nobody but its schema. */
interface AnyRule {
  readonly keeps: readonly string[];
  next(state: ModelState, mean: MeanUpdate, settings: never): ModelState;
  largestMove(mean: number, settings: never): number;
}

/** The rule that these settings name; they passed its schema and are what its functions take. */
export function ruleOf(settings: ServerSettings): RuleInUse {
  const rule: AnyRule = SERVER_RULES.find(({ name }) => name === (settings.rule ?? DEFAULT_RULE.name))!;
  return {
    keeps: rule.keeps,
    next: (state, mean) => rule.next(state, mean, settings as never),
    largestMove: (mean) => rule.largestMove(mean, settings as never),
  };
}
