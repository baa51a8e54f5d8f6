/** What a part of the adversarial test counts: each fault, and what must never follow from one. */
import type { RoleEvent } from "../../demo/processes.ts";

/** Promises that no fault may break. */
export const BROKEN = [
  "wrong aggregates",
  "privacy rules broken",
  "honest parties blamed",
  "roles dead",
  "rounds lost that had time left",
  "bounds left",
] as const;

export type Broken = (typeof BROKEN)[number];

/** What a role says when it holds another party to have done wrong. */
const ACCUSATIONS: ReadonlySet<string> = new Set([
  ...["bad-release", "wrong-release", "unusable-key", "share-refused", "proposal-refused"],
]);

export class Tally {
  /** By what was done. */
  readonly injected = new Map<string, number>();
  /** With all that is known of it. */
  readonly broken: { readonly kind: Broken; readonly detail: string }[] = [];
  /** From each fault to the next final round. */
  readonly recoverySeconds: number[] = [];
  roundsFinal = 0;
  readonly #say: (line: string) => void;
  readonly #clock: () => number;
  #open: number[] = [];

  /**
   * @param say is told at once of what is broken
   * @param clock monotonic milliseconds
   */
  constructor(say: (line: string) => void = () => undefined, clock: () => number = () => performance.now()) {
    this.#say = say;
    this.#clock = clock;
  }

  inject(fault: string): void {
    this.injected.set(fault, (this.injected.get(fault) ?? 0) + 1);
    this.#open.push(this.#clock());
  }

  /** A round became final: what went wrong before is overcome. */
  roundFinal(): void {
    this.roundsFinal++;
    for (const since of this.#open.splice(0)) this.recoverySeconds.push((this.#clock() - since) / 1000);
  }

  /** Faults after which no round became final yet. */
  get open(): number {
    return this.#open.length;
  }

  break(kind: Broken, detail: string): void {
    this.broken.push({ kind, detail });
    this.#say(`${kind}: ${detail}`);
  }

  /** Every party is honest here: whoever accuses one is wrong. */
  note({ role, event, text }: RoleEvent): void {
    if (ACCUSATIONS.has(event)) this.break("honest parties blamed", `${role}: ${text}`);
  }
}
