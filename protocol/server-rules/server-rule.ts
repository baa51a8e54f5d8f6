/**
 * What a server rule is: how the clients' sum moves the model. Each is one file in this folder and one entry in
 * registry.ts. Everybody computes the next model alike, so a rule is exact integer arithmetic and states its rounding.
 */
import type { DyadicRational } from "../integers.ts";
import type { ModelState } from "../model.ts";

/**
 * One number of a rule in a task's document, as data: what reads documents makes its schema of it. A fraction is a
 * dyadic rational below 1.
 */
export type Parameter =
  | { readonly kind: "dyadic" | "fraction" }
  | { readonly kind: "integer"; readonly least: number; readonly most: number };

export type Parameters = Readonly<Record<string, Parameter>>;

/** The values of such parameters. */
export type ValuesOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends { readonly kind: "integer" } ? number : DyadicRational;
};

/** What `server` of a document holds for a rule with such parameters. */
export type SettingsOf<P extends Parameters> = ValuesOf<P> & {
  /** Bits after the binary point of a weight. */
  readonly fractionalBits: number;
};

/**
 * The weighted mean of the updates: its coordinate i is sums[i]·numerator/denominator, exactly, in units of
 * 2^−fractionalBits.
 */
export interface MeanUpdate {
  readonly sums: Int32Array;
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export interface ServerRule<Name extends string, P extends Parameters> {
  /** As `server.rule` of a document names it. */
  readonly name: Name;

  /** What `server` of a document holds beside `fractionalBits`. */
  readonly parameters: P;

  /**
   * Vectors that the model's state keeps beside its weights, in the order of `state.bin`: int32, one number for each
   * weight, zero at the start. In units of the rule's own choice.
   */
  readonly keeps: readonly string[];

  /**
   * The state after one round; a deterministic function of its arguments, which it does not change.
   * @param state whose `kept` are the vectors that `keeps` names
   * @throws MODEL_OVERFLOW if a weight or a kept number leaves int32 (`fixedPoint` in protocol/model.ts)
   */
  next(state: ModelState, mean: MeanUpdate, settings: SettingsOf<P>): ModelState;

  /**
   * How far one round can move a number of the state from rest, be it a weight or a kept one, each in its own units.
   * @param mean the largest coordinate of the mean update, in units of 2^−fractionalBits
   */
  largestMove(mean: number, settings: SettingsOf<P>): number;
}
