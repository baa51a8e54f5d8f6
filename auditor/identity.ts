/** The identity of a task's contract, computed again: it is in every challenge and in what every signature is over. */
import type { TaskReader } from "../chain/task-chain.ts";
import { ensure } from "../protocol/errors.ts";
import { deploymentOf } from "../protocol/transcript.ts";
import type { OpenTask } from "../task/opened-task.ts";

/**
 * Compares `deployment()`, of every cell of a group, with the hash of chain, contract, parameters and the block of the
 * contract's deployment.
 * @returns in words what was compared
 * @throws CONTRACT_MISMATCH; chain errors
 */
export async function checkIdentity({
  chain,
  cells,
  parametersHash,
}: Pick<OpenTask, "chain" | "cells" | "parametersHash">): Promise<string> {
  const says: string[] = [];
  for (const reader of [chain, ...(cells?.siblings ?? [])]) says.push(await identityOf(reader, parametersHash));
  return says.join("; ");
}

async function identityOf(
  { context, deployedIn }: Pick<TaskReader, "context" | "deployedIn">,
  parametersHash: OpenTask["parametersHash"],
): Promise<string> {
  const { chainId, contract, deployment } = context;
  const block = await deployedIn();
  if (block === undefined)
    return `deployment() of ${contract} is not compared: the endpoint keeps no states as old as its deployment`;
  const expected = deploymentOf({ chainId, contract, parametersHash, ...block });
  ensure(
    deployment === expected,
    "CONTRACT_MISMATCH",
    `deployment() of ${contract} is ${deployment}, and the hash of its block ${block.number} is ${expected}`,
    { contract, deployment, expected, block: block.number },
  );
  return `deployment() of ${contract} is the hash of its block ${block.number}`;
}
