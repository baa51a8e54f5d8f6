/** Rows of the index, from what the chain's records say. Nothing is decoded here. */
import { ZERO_ADDRESS } from "../chain/lists.ts";
import type { RoundRecords, TaskLook } from "../chain/task-chain.ts";
import type { TaskEvent } from "../chain/task-events.ts";
import { cidFromDigest } from "../content/cid.ts";
import { bitIndexes, hasClient } from "../protocol/committee.ts";
import type { Row } from "./database/database.ts";

/** The rows of one round, as of one look. */
export interface RoundRows {
  readonly round: Row;
  readonly submissions: readonly Row[];
  readonly seats: readonly Row[];
}

/** @param timeOf Unix seconds of a block that holds one of the events @param events the round's, in chain order */
export function roundRows(
  task: string,
  look: TaskLook,
  number: bigint,
  events: readonly TaskEvent[],
  timeOf: (block: number) => number,
): RoundRows | undefined {
  const records = look.records(number);
  const { opened, settled, finalised } = records;
  if (opened === undefined) return undefined;
  const first = (...names: readonly TaskEvent["name"][]): TaskEvent | undefined =>
    events.find(({ name }) => names.includes(name));
  const moment = (key: string, event: TaskEvent | undefined): Row => ({
    [`${key}_block`]: event?.blockNumber ?? null,
    [`${key}_at`]: event === undefined ? null : timeOf(event.blockNumber),
    [`${key}_transaction`]: event?.transactionHash ?? null,
  });
  const last = settled === undefined ? undefined : events.findLast(({ name }) => name === "Submitted");
  const result = finalised?.result;
  const of = { task, round: Number(number) };
  return {
    round: {
      task,
      number: Number(number),
      state: stateOf(records, look, number),
      last_block: events.at(-1)!.blockNumber,
      ...moment("opened", first("RoundOpened")),
      ...moment("settled", first("Settled")),
      ...moment("ended", first("Finalised", "Aborted")),
      closed_at: last === undefined ? null : timeOf(last.blockNumber),
      submitted: records.submitted.length,
      included: settled === undefined ? null : bitIndexes(settled.included).length,
      total_weight: settled?.totalWeight ?? null,
      attested: settled === undefined ? 0 : bitIndexes(settled.members).length,
      released: records.released.length,
      signers: finalised === undefined ? null : finalised.signers.map(({ seat }) => seat).join(","),
      base_cid: cidFromDigest(opened.baseModelCid),
      model_cid: result === undefined ? null : cidFromDigest(result.modelCid),
      model_digest: result?.modelDigest ?? null,
      aggregate_cid: result === undefined ? null : cidFromDigest(result.aggregateCid),
    },
    submissions: submissionRows(of, records),
    seats: seatRows(of, records, look.memberCount),
  };
}

function stateOf({ finalised, aborted }: RoundRecords, { round }: TaskLook, number: bigint): string {
  if (finalised !== undefined) return "Finalised";
  if (aborted) return "Aborted";
  return round.number === number ? round.phase : "Aborted";
}

function submissionRows(of: Row, { submitted, settled }: RoundRecords): readonly Row[] {
  const included = (index: number): number | null =>
    settled === undefined ? null : Number(hasClient(settled.included, index));
  return submitted.map(({ client, index, weight, submission, blockNumber, transactionHash }) => ({
    ...of,
    client: client.toLowerCase(),
    position: index,
    weight,
    included: included(index),
    proofs: submission.chunks.length,
    shares_cid: cidFromDigest(submission.sharesCid),
    block: blockNumber,
    transaction_hash: transactionHash,
  }));
}

function seatRows(of: Row, { settled, released, finalised }: RoundRecords, memberCount: number): readonly Row[] {
  const members = settled === undefined ? [] : bitIndexes(settled.members);
  const included = settled === undefined ? 0 : bitIndexes(settled.included).length;
  return Array.from({ length: memberCount }, (_, i) => {
    const seat = i + 1;
    const release = released.find((record) => record.seat === seat);
    return {
      ...of,
      seat,
      attested: members.includes(i) ? included : null,
      release_cid: release === undefined ? null : cidFromDigest(release.releaseCid),
      signed: Number(finalised?.signers.some((signer) => signer.seat === seat) ?? false),
    };
  });
}

const OF_PARTICIPANTS: readonly TaskEvent["name"][] = ["MemberRegistered", "ClientRegistered", "ClientLeft"];

/** It changes what {@link participantRows} gives. */
export function isOfParticipants({ name }: TaskEvent): boolean {
  return OF_PARTICIPANTS.includes(name);
}

/** Clients that registered and members by seat, with the blocks in which it was decided that they come and leave. */
export function participantRows(task: string, events: readonly TaskEvent[]): readonly Row[] {
  const rows = new Map<string, Row>();
  for (const { name, account, seat, fields, blockNumber } of events) {
    if (account === undefined) continue;
    const common = { task, account, weight: null, since_block: blockNumber, left_block: null };
    if (name === "MemberRegistered") {
      for (const [key, row] of rows)
        if (row["role"] === "member" && row["seat"] === seat && row["left_block"] === null)
          rows.set(key, { ...row, left_block: blockNumber });
      if (account !== ZERO_ADDRESS) rows.set(`seat ${seat} ${account}`, { ...common, role: "member", seat: seat! });
    }
    if (name === "ClientRegistered")
      rows.set(account, {
        ...{ ...common, role: "client", seat: 0 },
        weight: Number(fields["weight"]),
      });
    const client = rows.get(account);
    if (name === "ClientLeft" && client !== undefined) rows.set(account, { ...client, left_block: blockNumber });
  }
  return [...rows.values()];
}
