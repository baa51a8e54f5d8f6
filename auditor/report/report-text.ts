/** A report in words, for every way of showing it. */
import type { KeysOrigin } from "../../task/keys-claim.ts";
import type { Finding } from "../checklist.ts";
import type { Verdict } from "../verdict.ts";
import type { ReportedRound, TaskReport } from "./report.ts";

export interface ReportSection {
  readonly heading: string;
  readonly paragraphs?: readonly string[];
  /** Names and values. */
  readonly pairs?: readonly (readonly [string, string])[];
  readonly list?: readonly string[];
  readonly table?: ReportTable;
}

export interface ReportTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One or two sentences. */
export function verdictSentence({ ok, findings, lastRound }: Verdict): string {
  const red = findings.filter((finding) => !finding.ok).length;
  return ok
    ? `All ${number(findings.length)} checks passed, up to the model of round ${lastRound}.`
    : `${number(red)} of ${number(findings.length)} checks failed. What failed is marked below.`;
}

/** Everything. */
export function reportSections(verdict: Verdict, report: TaskReport): readonly ReportSection[] {
  return [...factSections(verdict, report), checksSection(verdict.findings), scopeSection(report)];
}

/** Everything but the checks one by one. */
export function factSections(verdict: Verdict, report: TaskReport): readonly ReportSection[] {
  return [
    taskSection(report),
    participantsSection(report),
    provenSection(report, verdict.ok),
    privacySection(report),
    committeeSection(report, verdict.keys),
    roundsSection(report),
  ];
}

function taskSection({ task, asOf }: TaskReport): ReportSection {
  return {
    heading: "The task",
    paragraphs: task.description === "" ? [] : [task.description],
    pairs: [
      ["Name", task.name],
      ["Chain", task.chainId],
      ["Contract", task.contract],
      ["Deployment", task.deployment],
      ["Operator", task.operator],
      ["Document (IPFS)", task.documentCid],
      ["First model (IPFS)", task.genesisCid],
      ["Hash of the parameters", task.parametersHash],
      ["Hash of the verification keys", task.keysHash],
      ["Rounds", task.maxRounds === 0 ? "no end is set" : `at most ${number(task.maxRounds)}`],
      ["Chain read up to block", `${number(asOf.block)} (${asOf.hash})`],
      ["Final up to block", asOf.finalBlock < 0 ? "none yet" : number(asOf.finalBlock)],
    ],
  };
}

function participantsSection({ clients, task }: TaskReport): ReportSection {
  return {
    heading: "Who took part",
    paragraphs: [
      `${counted(clients.length, "account")} submitted updates. A round counts only with ${counted(task.minClients, "client")}. Who is behind an account, the chain does not say.`,
    ],
    table: {
      columns: ["Account", "Rounds submitted to", "Rounds that counted it"],
      rows: clients.map(({ account, submitted, included }) => [account, number(submitted), number(included)]),
    },
  };
}

function provenSection({ task, rounds }: TaskReport, ok: boolean): ReportSection {
  const sum = (of: (round: ReportedRound) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const norm = `${significant(task.normBound)} steps of ${significant(task.step)}`;
  return {
    heading: ok ? "What was proven" : "What should have been proven",
    paragraphs: [
      `The task has ${counted(rounds.length, "finished round")} with ${counted(
        sum((round) => round.submitted),
        "submission",
      )} and ${counted(
        sum((round) => round.proofs),
        "proof",
      )}. ${ok ? "Nobody’s word is taken for what follows: it was computed again from the chain and from files that are named by their hashes." : "Some of what follows does not hold, or could not be looked at: the checks below say what."}`,
    ],
    list: [
      `Each submission commits to one vector of ${number(task.dimension)} numbers, and zero-knowledge proofs show that its length is at most ${norm}, without showing the vector.`,
      "The contract’s record of each round is complete: no submission was dropped, exchanged or added after the round was settled.",
      "The published sum is the sum of the committed vectors of exactly the clients that a quorum of the committee found to fit.",
      "A threshold of the committee signed where its parts of that sum are, and signed the result.",
      "Each model follows from the one before it and that sum, bit by bit, by the task’s rule; the first one is the one that the contract names.",
    ],
  };
}

function privacySection({ privacy }: TaskReport): ReportSection {
  const heading = "Privacy";
  if (privacy === null)
    return {
      heading,
      paragraphs: [
        "Training adds no noise. Single updates are hidden by secret sharing; what the published sums and models say of single records has no proven bound (no ε).",
      ],
    };
  const { subject, delta, rounds, remainingRounds, roundsPerClient, epsilon } = privacy;
  const { rdp, pld } = epsilon;
  return {
    heading,
    paragraphs: [
      `Differential privacy of each ${subject}: ${privacy.statement}.`,
      `ε is ${significant(rdp.spent)} so far, and ${significant(rdp.budget)} after all ${number(rounds)} rounds of the budget, of which ${number(remainingRounds)} remain${roundsPerClient === undefined ? "" : ` and ${number(roundsPerClient)} at most count one client`}. δ is ${plain(delta)}.`,
      `In words: whether one ${subject} was in the training or not changes the probability of anything that can be concluded from the published models by a factor of at most e^ε = ${significant(Math.exp(rdp.spent))}, except with a probability of δ, one in ${number(Math.round(1 / delta))}.`,
      ...(pld === undefined
        ? []
        : [
            `A tighter accountant (PLD) shows ε to be at most ${significant(pld.spent)} so far and ${significant(pld.budget)} in the end.`,
          ]),
    ],
  };
}

const KEYS: Readonly<Record<KeysOrigin["state"], string>> = {
  verified: "They come from a ceremony whose transcript was verified. One honest contributor is enough.",
  claimed: "They claim to come from a ceremony, whose transcript was not verified here.",
  development: "They were made on one machine, for development. Whoever made them can forge proofs.",
};

function committeeSection({ committee, influence, warnings }: TaskReport, keys: KeysOrigin | undefined): ReportSection {
  const { seats, threshold, quorum, members } = committee;
  return {
    heading: "Committee and keys",
    paragraphs: [
      `${counted(seats, "member")} hold shares of the updates. Any ${number(threshold)} of them together can release a sum, or read single updates if they conspire; fewer learn the sum alone. ${number(quorum)} must find a submission’s shares to fit.`,
      `${influence}.`,
      keys === undefined
        ? "Where the proving keys come from was not looked at."
        : `Proving keys: ${KEYS[keys.state]}${keys.state === "development" ? "" : ` ${keys.says}`}`,
      ...(keys?.transcript === undefined ? [] : [`Transcript of the ceremony (IPFS): ${keys.transcript}`]),
      ...warnings.map((warning) => `Warning: ${warning}.`),
    ],
    table: {
      columns: ["Seat", "Account"],
      rows: members.map((account, i) => [String(i + 1), account]),
    },
  };
}

const STATES = { verified: "verified", failed: "FAILED", unchecked: "not checked" } as const;

function roundsSection({ rounds }: TaskReport): ReportSection {
  return {
    heading: "Rounds",
    table: {
      columns: [
        "Round",
        "Outcome",
        "Clients counted",
        "Signed by seats",
        "Block",
        "Transaction",
        "Model (IPFS)",
        "Aggregate (IPFS)",
      ],
      rows: rounds.map((round) => [
        String(round.round),
        STATES[round.state],
        `${number(round.included)} of ${number(round.submitted)}`,
        round.signers.join(", "),
        round.block === null ? "" : String(round.block),
        round.transaction,
        round.modelCid,
        round.aggregateCid,
      ]),
    },
  };
}

/** Checks of one kind in one round together; each that failed in full. */
function checksSection(findings: readonly Finding[]): ReportSection {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.round} ${finding.check}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return {
    heading: "Checks",
    table: {
      columns: ["Of", "Check", "Passed", "Found"],
      rows: [...groups.values()].map((group) => {
        const [{ round, check, detail }] = group as [Finding];
        const red = group.filter(({ ok }) => !ok);
        const said = red.map(
          (finding) => `FAILED: ${finding.detail}${finding.code === undefined ? "" : ` [${finding.code}]`}`,
        );
        return [
          round === 0 ? "task" : `round ${round}`,
          check,
          `${number(group.length - red.length)} of ${number(group.length)}`,
          red.length > 0 ? said.join("; ") : group.length === 1 ? detail : "",
        ];
      }),
    },
  };
}

function scopeSection({ program, writtenAt }: TaskReport): ReportSection {
  return {
    heading: "What this report does not say",
    list: [
      "Whether the data of the clients were lawful, correct or their own.",
      "Whether members kept their shares apart: a threshold of them that conspires leaves no trace.",
      "How good the models are. Figures of accuracy are the aggregator’s word unless an auditor measured them.",
      "Anything about blocks after the one named above.",
    ],
    paragraphs: [
      `Written by ${program} at ${writtenAt}. It is as trustworthy as whoever made it and kept it since: fl verify computes all of it again, from the contract’s address alone.`,
    ],
  };
}

function number(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 });
}

function significant(value: number): string {
  return Number.isFinite(value) ? value.toLocaleString("en-US", { maximumSignificantDigits: 4 }) : "without bound";
}

/** Without an exponent. */
function plain(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 20, maximumSignificantDigits: 6 });
}

function counted(value: number, one: string): string {
  return `${number(value)} ${one}${value === 1 ? "" : "s"}`;
}
