/** Records of a round that must be there, because the contract's state says so. */
import type { OpenedRecord, RoundRecords, SettledRecord } from "../chain/task-chain.ts";
import { VerisumError } from "../protocol/errors.ts";

/** The opening of a round that the contract's state says is open. @throws CHAIN_EVENTS_MISSING */
export function requireOpened({ opened }: Pick<RoundRecords, "opened">): OpenedRecord {
  if (opened === undefined)
    throw new VerisumError("CHAIN_EVENTS_MISSING", "the round's opening is not among the events");
  return opened;
}

/** The settlement of a round that the contract's state says has settled. @throws CHAIN_EVENTS_MISSING */
export function requireSettled(records: Pick<RoundRecords, "opened" | "settled">): SettledRecord {
  requireOpened(records);
  if (records.settled === undefined)
    throw new VerisumError("CHAIN_EVENTS_MISSING", "the round's settlement is not among the events");
  return records.settled;
}
