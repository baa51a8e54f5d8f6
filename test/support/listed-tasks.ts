/** Three tasks whose lists may change, each with four members and clients, before its first round. For tests only. */
import type { NetworkConnection } from "hardhat/types/network";
import type { TaskParameters } from "../../protocol/task.ts";
import { as, deployTask, openChain, registerAll, roundOf, setNextTime, snapshot } from "./task-on-chain.ts";
import type { TaskOnChain } from "./task-on-chain.ts";

/** Of each client of the open task. */
export const BOND = 10n ** 15n;

const PARAMETERS = {
  listed: { maxRefusals: 2, maxWeight: 4 },
  limited: { maxRoundsPerClient: 1 },
  /** Whoever pays the bond takes part. */
  open: { openRegistration: true, bondWei: BOND, uniformWeights: true, maxWeight: 1, maxRefusals: 1 },
} as const satisfies Readonly<Record<string, Partial<TaskParameters>>>;

export type ListedTasks = Readonly<Record<keyof typeof PARAMETERS, TaskOnChain>>;

/** The tasks on a chain of their own, and what takes the chain back to where it was then. */
export async function openListedTasks(): Promise<{
  readonly connection: NetworkConnection;
  readonly tasks: ListedTasks;
  readonly restore: () => Promise<void>;
}> {
  const connection = await openChain();
  const listed = await deployTask(connection, PARAMETERS.listed);
  const limited = await deployTask(connection, PARAMETERS.limited);
  const open = await deployTask(connection, PARAMETERS.open);
  for (const task of [listed, limited]) await registerAll(task, [1, 1, 1, 1]);
  for (const member of open.members) await open.verisum["registerMember"]!(member.address);
  for (const client of open.clients.slice(0, 4)) await as(open, client)["join"]!({ value: BOND });
  return { connection, tasks: { listed, limited, open }, restore: await snapshot(connection) };
}

/** Ends the task's round without a result, once its phase is over. */
export async function abortRound(connection: NetworkConnection, task: TaskOnChain): Promise<void> {
  await setNextTime(connection, (await roundOf(task)).deadline);
  await task.verisum["abort"]!((await roundOf(task)).number);
}
