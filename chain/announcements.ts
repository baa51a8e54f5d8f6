/**
 * Announcements of endpoints by accounts that have no seat: anybody may make them for the gas, and for ever. Readers
 * keep few, or a flood of them would fill their memory, and every look would go through it.
 */
import type { Hex } from "../protocol/transcript.ts";
import { placeOf } from "./logs.ts";
import type { RawLog } from "./logs.ts";
import { VERISUM_INTERFACE } from "./rpc.ts";

/** The latest that are kept of all strangers together: an aggregator that is not the operator has to find its own. */
export const MOST_OF_STRANGERS = 256;

const ANNOUNCED = VERISUM_INTERFACE.getEvent("EndpointAnnounced")!.topicHash;
const SEATED = VERISUM_INTERFACE.getEvent("MemberRegistered")!.topicHash;

export function isAnnouncement({ topics }: Pick<RawLog, "topics">): boolean {
  return topics[0] === ANNOUNCED;
}

/**
 * The places of announcements that are not kept: all but the latest of strangers, and of the operator and each account
 * that has or had a seat all but the last one.
 * @param logs in chain order, from the contract's deployment on
 */
export function superfluousAnnouncements(logs: readonly RawLog[], operator: Hex): ReadonlySet<string> {
  const parties = new Set([topicOf(operator)]);
  for (const { topics } of logs) if (topics[0] === SEATED) parties.add(topics[2]!);
  const superfluous = new Set<string>();
  const known = new Set<string>();
  let strangers = 0;
  for (const log of logs.filter(isAnnouncement).reverse()) {
    const account = log.topics[1]!;
    const isKept = parties.has(account) ? !known.has(account) : ++strangers <= MOST_OF_STRANGERS;
    known.add(account);
    if (!isKept) superfluous.add(placeOf(log));
  }
  return superfluous;
}

/** An address as an indexed argument of an event. */
function topicOf(account: Hex): string {
  return `0x${account.slice(2).toLowerCase().padStart(64, "0")}`;
}

/** What each account announced last; whoever announced last comes last. */
export function latestOf(announcements: readonly (readonly [Hex, string])[]): ReadonlyMap<Hex, string> {
  const latest = new Map<Hex, string>();
  for (const [account, url] of announcements) {
    latest.delete(account);
    latest.set(account, url);
  }
  return latest;
}
