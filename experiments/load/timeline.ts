/** What happened when, from the roles' events: the phases of each round, gas, and refusals. */
import { median } from "../bench/statistics.ts";

/** An event of any role, as the roles report it. */
export interface LoadEvent {
  readonly role: "client" | "member" | "aggregator";
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Seconds; a phase that was not reached is null. */
export interface RoundFigures {
  readonly round: number;
  readonly accepted: number;
  /** From the opening to the last accepted submission. */
  readonly collectSeconds: number | null;
  /** From there to the settlement: every member fetches, decrypts and checks every share. */
  readonly attestSeconds: number | null;
  /** From there to the finalised round: releases, interpolation, model, signatures. */
  readonly aggregateSeconds: number | null;
  /** The mean over members of the time from the last submission to the attestation, for each client. */
  readonly memberMsPerClient: number | null;
  /** Processor time of one client's audit of the round, the median; null before the first. */
  readonly auditMs: number | null;
  readonly gas: {
    readonly submitMedian: number | null;
    readonly submitHighest: number | null;
    readonly finalize: number | null;
  };
}

interface RoundNotes {
  openedAt?: number;
  lastAcceptedAt?: number;
  settledAt?: number;
  finalisedAt?: number;
  finalizeGas?: number;
  readonly auditMs: number[];
  readonly attestedAt: number[];
  readonly submitGas: number[];
}

export class Timeline {
  readonly #now: () => number;
  readonly #rounds = new Map<number, RoundNotes>();
  readonly #proveMs: number[] = [];
  readonly #refusals: string[] = [];

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  note({ role, event, facts }: LoadEvent): void {
    const at = this.#now();
    if (event === "proven") this.#proveMs.push(Number(facts.milliseconds));
    if (event === "refused" || event === "share-refused")
      this.#refusals.push(`${role}: ${String(facts.reason ?? facts.code)}`);
    if (facts.round === undefined) return;
    const notes = this.#of(Number(facts.round));
    if (event === "round-opened") notes.openedAt = at;
    if (event === "accepted") {
      notes.lastAcceptedAt = at;
      notes.submitGas.push(Number(facts.gas));
    }
    if (event === "attested") notes.attestedAt.push(at);
    if (event === "settled") notes.settledAt = at;
    if (event === "finalised" && role === "aggregator") {
      notes.finalisedAt = at;
      notes.finalizeGas = Number(facts.gas);
    }
  }

  /** @param processorMs of one client's audit of the round */
  audited(round: number, processorMs: number): void {
    this.#of(round).auditMs.push(processorMs);
  }

  get refusals(): readonly string[] {
    return this.#refusals;
  }

  /** Rounds that were finalised. */
  get finalised(): number {
    return [...this.#rounds.values()].filter(({ finalisedAt }) => finalisedAt !== undefined).length;
  }

  /** Wall time of one client's proofs beside the others', or null before the first. */
  proveMedianMs(): number | null {
    return this.#proveMs.length === 0 ? null : Math.round(median(this.#proveMs));
  }

  figures(): RoundFigures[] {
    const opened = [...this.#rounds].filter(([, { openedAt }]) => openedAt !== undefined);
    return opened
      .sort(([a], [b]) => a - b)
      .map(([round, notes]) => {
        const { openedAt, lastAcceptedAt, settledAt, finalisedAt, submitGas, attestedAt, auditMs } = notes;
        const seconds = (from: number | undefined, to: number | undefined): number | null =>
          from === undefined || to === undefined ? null : Number(((to - from) / 1000).toFixed(1));
        const checks =
          lastAcceptedAt === undefined ? [] : attestedAt.map((at) => (at - lastAcceptedAt) / submitGas.length);
        return {
          round,
          accepted: submitGas.length,
          collectSeconds: seconds(openedAt, lastAcceptedAt),
          attestSeconds: seconds(lastAcceptedAt, settledAt),
          aggregateSeconds: seconds(settledAt, finalisedAt),
          memberMsPerClient:
            checks.length === 0
              ? null
              : Number((checks.reduce((sum, value) => sum + value, 0) / checks.length).toFixed(1)),
          auditMs: auditMs.length === 0 ? null : Math.round(median(auditMs)),
          gas: {
            submitMedian: submitGas.length === 0 ? null : median(submitGas),
            submitHighest: submitGas.length === 0 ? null : Math.max(...submitGas),
            finalize: notes.finalizeGas ?? null,
          },
        };
      });
  }

  #of(round: number): RoundNotes {
    let notes = this.#rounds.get(round);
    if (notes === undefined) this.#rounds.set(round, (notes = { attestedAt: [], submitGas: [], auditMs: [] }));
    return notes;
  }
}
