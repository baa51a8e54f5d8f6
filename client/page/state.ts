/** What the participant's page shows, as its server tells it. Nothing in it is secret. */
import type { DataReport } from "../../learning/inspect.ts";
import type { PrivacySummary } from "../../task/privacy-summary.ts";

export interface PageState {
  /** Grows with every change. */
  readonly revision: number;
  readonly account: PageAccount | null;
  readonly task: PageTask | null;
  readonly data: PageData | null;
  readonly run: PageRun;
  /** Latest last. */
  readonly events: readonly PageEvent[];
  readonly left: LeftMachine;
  /** Of this account in the chosen task, latest first. */
  readonly history: readonly Contribution[];
}

export interface PageAccount {
  readonly address: string;
  /** Its password was given since this program started. */
  readonly isOpen: boolean;
  /** Where the encrypted key lies. */
  readonly file: string;
}

export interface PageTask {
  readonly name: string;
  readonly description: string;
  readonly chainId: string;
  readonly contract: string;
  readonly operator: string;
  /** False where the model is trained by a program of somebody else. */
  readonly isTrainedHere: boolean;
  /** The task's document says which columns there are. */
  readonly hasSchema: boolean;
  readonly round: {
    readonly number: number;
    readonly phase: string;
    /** Unix seconds; 0 if nothing ends by time. */
    readonly deadline: number;
    readonly submitted: number;
    readonly expected: number;
    /** It closes with so many submissions, whoever makes them. */
    readonly isBuffer: boolean;
  };
  readonly finalisedRounds: number;
  readonly maxRounds: number;
  readonly terms: readonly string[];
  readonly privacy: PrivacySummary | null;
  /** How long a round lasts at most. */
  readonly roundMinutes: number;
  readonly registration: Registration;
  /** Undefined until an account is chosen. */
  readonly funds?: Funds;
  /** Why what is shown may be old. */
  readonly trouble?: string;
}

/** Of the account in the task. */
export type Registration = "registered" | "open" | "unlisted" | "over";

/** In ether, as decimal text. */
export interface Funds {
  readonly balance: string;
  /** Gas of one round, about. */
  readonly gas: number;
  /** Of one round at present fees, with room for their rise. */
  readonly perRound: string;
  readonly isEnough: boolean;
}

export interface PageData {
  /** As the user's file is called. */
  readonly name: string;
  /** It was copied into this program's own folder. */
  readonly isKept: boolean;
  readonly label: string | null;
  /** In order, where somebody had to say them. */
  readonly classes: string | null;
  readonly report: DataReport;
}

export interface PageRun {
  readonly state: "idle" | "starting" | "running" | "pausing" | "paused" | "done" | "failed";
  /** What it does or waits for, in words. */
  readonly doing: string | null;
  readonly training: { readonly round: number; readonly step: number; readonly steps: number } | null;
  readonly failure: PageFailure | null;
}

export interface PageFailure {
  readonly code: string;
  readonly message: string;
  readonly advice: string;
}

export interface PageEvent {
  /** Unix milliseconds. */
  readonly at: number;
  readonly level: string;
  readonly event: string;
  readonly text: string;
}

/** Bytes that left this machine for the chosen task, by kind. */
export interface LeftMachine {
  readonly proofBytes: number;
  readonly shareBytes: number;
  /** There is no code that sends any. */
  readonly rows: 0;
}

export interface Contribution {
  readonly round: number;
  readonly state: "accepted" | "counted" | "left out";
  readonly transaction: string;
  readonly block: number;
  readonly gas: number | null;
  readonly proofBytes: number;
  readonly shareBytes: number;
}
