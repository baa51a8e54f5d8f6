/** A report, from the chain as the audit read it and from what the audit found. */
import { membersIn } from "../../chain/lists.ts";
import type { RoundRecords, TaskLook } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { bitCount, hasClient } from "../../protocol/committee.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { privacySummary } from "../../task/privacy-summary.ts";
import { influenceLine, taskWarnings } from "../../task/warnings.ts";
import type { Finding } from "../checklist.ts";
import type { Verdict } from "../verdict.ts";
import type { ReportedRound, TaskReport } from "./report.ts";

export interface ReportOptions {
  /** Name and version of what writes it. */
  readonly program: string;
  readonly now: Date;
  /** The last round that was to be audited; all if absent. */
  readonly until?: bigint | undefined;
}

/** @throws what reading the chain throws */
export async function makeReport(
  { chain, document, parameters, parametersHash }: OpenTask,
  { findings }: Pick<Verdict, "findings">,
  { program, now, until }: ReportOptions,
): Promise<TaskReport> {
  const [look, operator] = await Promise.all([chain.look(), chain.operator()]);
  const numbers = (await chain.finalisedRoundNumbers()).filter((round) => until === undefined || round <= until);
  const records = numbers.map((round) => look.records(round));
  const { chainId, contract, deployment } = chain.context;
  return {
    version: 1,
    program,
    writtenAt: now.toISOString(),
    asOf: { block: look.block.number, hash: look.block.hash, finalBlock: look.finalBlock },
    task: {
      ...{ name: document.name, description: document.description },
      ...{ chainId: chainId.toString(), contract, deployment, operator: lowered(operator) },
      documentCid: cidFromDigest(parameters.taskCid),
      genesisCid: cidFromDigest(parameters.genesisCid),
      ...{ parametersHash, keysHash: parameters.keysHash },
      dimension: parameters.dimension,
      normBound: Math.sqrt(Number(parameters.normBoundSquared)),
      step: 2 ** -document.quantisation.stepBits,
      ...{ maxRounds: parameters.maxRounds, minClients: parameters.minClients, minHonest: parameters.minHonest },
    },
    committee: {
      ...{ seats: parameters.committeeSize, threshold: parameters.threshold, quorum: parameters.quorum },
      members: membersIn(look.seats, look.round.number).map(lowered),
    },
    clients: clientsIn(records),
    rounds: records.flatMap((record) => roundIn(record, look, findings) ?? []),
    privacy: privacySummary({ document, parameters }, Number(look.privacySpent)),
    influence: influenceLine(document, parameters),
    warnings: taskWarnings(document, parameters).map(({ text }) => text),
  };
}

/** By account. */
function clientsIn(rounds: readonly RoundRecords[]): TaskReport["clients"] {
  const clients = new Map<Hex, { submitted: number; included: number }>();
  for (const { submitted, settled } of rounds)
    for (const { client, index } of submitted) {
      const account = lowered(client);
      const known = clients.get(account) ?? { submitted: 0, included: 0 };
      known.submitted += 1;
      if (settled !== undefined && hasClient(settled.included, index)) known.included += 1;
      clients.set(account, known);
    }
  return [...clients]
    .map(([account, counts]) => ({ account, ...counts }))
    .sort((a, b) => (a.account < b.account ? -1 : 1));
}

function roundIn(
  { submitted, settled, finalised }: RoundRecords,
  look: TaskLook,
  findings: readonly Finding[],
): ReportedRound | undefined {
  if (settled === undefined || finalised === undefined) return undefined;
  const { round, result, signers, transactionHash } = finalised;
  const event = look.events().find(({ transactionHash: hash }) => hash === transactionHash);
  return {
    round: Number(round),
    state: stateOf(findings.filter((finding) => BigInt(finding.round) === round)),
    submitted: submitted.length,
    included: bitCount(settled.included),
    proofs: submitted.reduce((sum, { submission }) => sum + submission.chunks.length, 0),
    signers: signers.map(({ seat }) => seat),
    settlement: settled.settlement,
    settledBlock: settled.blockNumber,
    block: event?.blockNumber ?? null,
    transaction: transactionHash,
    modelCid: cidFromDigest(result.modelCid),
    modelDigest: result.modelDigest,
    aggregateCid: cidFromDigest(result.aggregateCid),
  };
}

/** A round is verified if its model followed: the audit's last check of a round. */
function stateOf(findings: readonly Finding[]): ReportedRound["state"] {
  if (findings.some(({ ok }) => !ok)) return "failed";
  return findings.some(({ check }) => check === "model") ? "verified" : "unchecked";
}

function lowered(account: Hex): Hex {
  return account.toLowerCase() as Hex;
}
