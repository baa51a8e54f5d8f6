/** Records of a round that must be there, because the contract's state says so. */
import type { OpenedRecord, RoundRecords, SettledRecord, SubmittedRecord } from "../chain/task-chain.ts";
import { bitIndexes } from "../protocol/committee.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";

/** The opening of a round that the contract's state says is open. @throws CHAIN_EVENTS_MISSING */
export function requireOpened({ opened }: Pick<RoundRecords, "opened">): OpenedRecord {
  if (opened === undefined)
    throw new VerisumError("CHAIN_EVENTS_MISSING", "the round's opening is not among the events");
  return opened;
}

/** The digest of the model that a submission of the round starts from. @throws CHAIN_EVENTS_MISSING */
export function baseDigestIn({ bases }: Pick<RoundRecords, "bases">, base: bigint): Hex {
  const digest = bases.get(base);
  if (digest === undefined)
    throw new VerisumError("CHAIN_EVENTS_MISSING", `no round is among the events that opened with model ${base}`, {
      base,
    });
  return digest;
}

/** The settlement of a round that the contract's state says has settled. @throws CHAIN_EVENTS_MISSING */
export function requireSettled(records: Pick<RoundRecords, "opened" | "settled">): SettledRecord {
  requireOpened(records);
  if (records.settled === undefined)
    throw new VerisumError("CHAIN_EVENTS_MISSING", "the round's settlement is not among the events");
  return records.settled;
}

/** The accepted submissions of U, in index order. @throws CHAIN_EVENTS_MISSING */
export function includedRecords(records: RoundRecords, settled: SettledRecord): SubmittedRecord[] {
  return bitIndexes(settled.included).map((index) => {
    const record = records.submitted.find((candidate) => candidate.index === index);
    if (record === undefined)
      throw new VerisumError("CHAIN_EVENTS_MISSING", `no submission with index ${index} is among the events`, {
        index,
      });
    return record;
  });
}
