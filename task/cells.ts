/**
 * The cells of one task: contracts of the same parameters whose verified sums make one model (docs/scale.md).
 * A round of any cell takes the group's next step: the k-th step is what the k-th finalised round of every cell has in
 * common.
 */
import { recoverAggregate } from "../protocol/aggregate.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { encodeElements } from "../protocol/field.ts";
import { equalG1 } from "../protocol/points.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { FinalisedRecord, OpenedRecord, RoundRecords, SettledRecord, TaskReader } from "../chain/task-chain.ts";
import { AGGREGATE_FILE, directoryDigest, fetchElements } from "./outcome.ts";
import { includedRecords } from "./round-records.ts";
import { fetchReleases } from "./releases.ts";
import { requireOpened } from "./round-records.ts";
import type { SiblingSum } from "./outcome.ts";
import type { CommittingTask, TaskCells, OpenTask } from "./opened-task.ts";

/** A sibling's settled round of the step that this cell's round takes. */
export interface SiblingRound {
  /** As `task`, with the sibling's contract. */
  readonly task: OpenTask;
  /** Until the sibling finalises, its releases are those that its nodes know. */
  readonly records: RoundRecords & { readonly opened: OpenedRecord; readonly settled: SettledRecord };
}

/**
 * Reads the group that a task's document names.
 * @throws CONTRACT_CODE_UNKNOWN; CELLS_GROUP_INVALID if it is not full, does not list this contract, or lists one of
 * other parameters; chain errors
 */
export async function openCells(
  chain: TaskReader,
  parametersHash: Hex,
  group: Hex,
): Promise<Omit<TaskCells, "releasesOf">> {
  const refuse = (why: string, details: Record<string, string | number> = {}): VerisumError =>
    new VerisumError("CELLS_GROUP_INVALID", `group ${group}: ${why}`, { group, ...details });
  const own = chain.context.contract;
  const { cellCount, cells } = await chain.cellGroup(group);
  if (!cells.includes(own)) throw refuse(`${own} is none of its cells`, { contract: own });
  if (cells.length !== cellCount || cellCount < 2)
    throw refuse(`${cells.length} of ${cellCount} cells are registered`, { cells: cells.length, cellCount });
  if (new Set(cells).size !== cells.length) throw refuse("a cell is listed twice");
  const siblings = await Promise.all(cells.filter((cell) => cell !== own).map((cell) => chain.at(cell)));
  for (const sibling of siblings) {
    await sibling.requireReleasedCode();
    if ((await sibling.parametersHash()) !== parametersHash)
      throw refuse(`${sibling.context.contract} is of another task`, { contract: sibling.context.contract });
  }
  return { group, cells, siblings };
}

/**
 * The round of each sibling that belongs to the same step as a round of this cell; none for a task without cells.
 * @throws CELLS_INCOMPLETE while a sibling has no settled round of the step; CELLS_DIVERGED if its round has another
 * base model
 */
export async function siblingRounds(task: OpenTask, records: RoundRecords): Promise<SiblingRound[]> {
  if (task.cells === undefined) return [];
  const { releasesOf } = task.cells;
  const opened = requireOpened(records);
  const step = (await task.chain.finalisedRoundNumbers()).filter((number) => number < opened.round).length;
  return Promise.all(
    task.cells.siblings.map((sibling) =>
      siblingRound({ ...task, chain: sibling }, step, opened.baseModelDigest, releasesOf),
    ),
  );
}

async function siblingRound(
  task: OpenTask,
  step: number,
  baseModelDigest: Hex,
  releasesOf: TaskCells["releasesOf"],
): Promise<SiblingRound> {
  const { chain } = task;
  const { contract } = chain.context;
  const incomplete = (why: string): VerisumError =>
    new VerisumError("CELLS_INCOMPLETE", `cell ${contract} ${why}`, { contract });
  const finalised = await chain.finalisedRoundNumbers();
  if (finalised.length < step) throw incomplete(`has finalised ${finalised.length} of ${step} steps`);
  const number = finalised[step] ?? (await chain.round()).number;
  const records = await chain.records(number);
  const { opened, settled } = records;
  const isOfStep = number === finalised[step] || !finalised.includes(number);
  if (opened === undefined || records.aborted || !isOfStep) throw incomplete(`has no round of step ${step + 1} yet`);
  if (opened.baseModelDigest !== baseModelDigest) {
    throw new VerisumError("CELLS_DIVERGED", `round ${number} of cell ${contract} starts from another model`, {
      contract,
      round: number,
    });
  }
  if (settled === undefined) throw incomplete(`has not settled round ${number} yet`);
  const released = records.finalised === undefined ? await releasesOf(chain, settled) : records.released;
  return { task, records: { ...records, opened, settled, released } };
}

/**
 * What the judgement of a result rests on, besides this cell's own records: it changes when there is something to judge
 * anew.
 */
export function basisOf(rounds: readonly SiblingRound[]): string {
  return rounds
    .map(
      ({ task, records }) =>
        `${task.chain.context.contract}:${records.settled.settlement}:${records.released.length}:${records.finalised !== undefined}`,
    )
    .join();
}

/** True if both are sums of the same settlements. */
export function sameSettlements(a: readonly SiblingRound[], b: readonly SiblingRound[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ records: { settled } }, i) => settled.settlement === b[i]!.records.settled.settlement)
  );
}

/**
 * The siblings' aggregates, each compared with the sum of commitments that its contract settled on: the published one
 * if the sibling has finalised, else interpolated from its members' releases.
 * @throws CELLS_INCOMPLETE while a sibling's aggregate cannot be had
 */
export async function recoverSiblingSums(task: CommittingTask, rounds: readonly SiblingRound[]): Promise<SiblingSum[]> {
  return Promise.all(
    rounds.map(async (round) =>
      sumOf(round, (await publishedElements(task, round)) ?? (await releasedElements(task, round))),
    ),
  );
}

/** A sibling's part in the combination. @param elements its aggregate, checked by the caller */
export async function sumOf({ task, records }: SiblingRound, elements: readonly bigint[]): Promise<SiblingSum> {
  return {
    contract: task.chain.context.contract,
    round: Number(records.settled.round),
    clients: includedRecords(records, records.settled).map(({ client }) => client),
    totalWeight: records.settled.totalWeight,
    elements,
    aggregateCid: await directoryDigest({ [AGGREGATE_FILE]: encodeElements(elements) }),
  };
}

/** @throws CELLS_DIVERGED if a sibling finalised this step with another model than `modelDigest` */
export function requireSameModel(rounds: readonly SiblingRound[], modelDigest: Hex): void {
  for (const {
    task,
    records: { finalised },
  } of rounds) {
    if (finalised === undefined || finalised.result.modelDigest === modelDigest) continue;
    const { contract } = task.chain.context;
    throw new VerisumError("CELLS_DIVERGED", `cell ${contract} finalised round ${finalised.round} with another model`, {
      contract,
      round: finalised.round,
    });
  }
}

/** @throws CELLS_INCOMPLETE if a sibling has not finalised the step */
export function requireFinalised(
  rounds: readonly SiblingRound[],
): (SiblingRound & { readonly records: { readonly finalised: FinalisedRecord } })[] {
  return rounds.map((round) => {
    const { finalised } = round.records;
    const { contract } = round.task.chain.context;
    if (finalised === undefined)
      throw new VerisumError(
        "CELLS_INCOMPLETE",
        `cell ${contract} has not finalised round ${round.records.settled.round} yet`,
        { contract },
      );
    return { ...round, records: { ...round.records, finalised } };
  });
}

/** The aggregate that a finalised sibling published; undefined if there is none that opens its sum. */
async function publishedElements(
  { committer }: CommittingTask,
  { task, records: { finalised, settled } }: SiblingRound,
): Promise<readonly bigint[] | undefined> {
  if (finalised === undefined) return undefined;
  try {
    const elements = await fetchElements(task, finalised.result.aggregateCid, AGGREGATE_FILE);
    return equalG1(await committer.commit(elements), settled.sum) ? elements : undefined;
  } catch (error) {
    if (!isVerisumError(error) || error.entry.about === "host") throw error;
    return undefined;
  }
}

async function releasedElements(
  { committer }: CommittingTask,
  { task, records }: SiblingRound,
): Promise<readonly bigint[]> {
  const { contract } = task.chain.context;
  const { threshold } = task.parameters;
  const incomplete = (why: string): VerisumError =>
    new VerisumError("CELLS_INCOMPLETE", `cell ${contract}: ${why}`, { contract });
  if (records.released.length < threshold)
    throw incomplete(`${records.released.length} of ${threshold} releases are there`);
  const releases = await fetchReleases(task, records, () => undefined);
  try {
    return (await recoverAggregate(threshold, releases, records.settled.sum, committer)).elements;
  } catch (error) {
    if (isVerisumError(error, "SHARE_COUNT") || isVerisumError(error, "AGGREGATE_NOT_RECOVERABLE"))
      throw incomplete(error.message);
    throw error;
  }
}

/**
 * While less than this part of a sibling's last phase is left, nothing that could leave it behind is signed or
 * finalised.
 */
const LAST_PART = 8;

/**
 * Before a result is signed: every sibling can still finalise its own. Once one has finalised, the others can only
 * follow.
 * @throws CELLS_INCOMPLETE
 */
export async function requireTimeToFinalise(siblings: readonly SiblingRound[]): Promise<void> {
  if (siblings.some(({ records }) => records.finalised !== undefined)) return;
  for (const {
    task: { chain, parameters },
    records: { settled },
  } of siblings) {
    const round = await chain.round();
    const left = round.deadline - (await chain.blockTime());
    if (
      round.number === settled.round &&
      round.phase === "Aggregating" &&
      left >= parameters.aggregateSeconds / LAST_PART
    )
      continue;
    const { contract } = chain.context;
    throw new VerisumError(
      "CELLS_INCOMPLETE",
      `cell ${contract} has too little time left to finalise round ${settled.round}`,
      { contract },
    );
  }
}
