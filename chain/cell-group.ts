/** The contract that lists a task's cells: deploying it, reading it (docs/scale.md). */
import { Contract, ContractFactory } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import { decodeAddress } from "./codec.ts";
import { viewsOf } from "./contract-calls.ts";
import { readArtifact } from "./deploy.ts";
import type { CellGroupFunctions } from "./generated/cell-group.ts";
import { CELL_GROUP_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { CellGroupRecord } from "./task-chain.ts";

/**
 * The data of the transaction that deploys an empty group.
 * @param operator the account that registers cells
 * @throws CONTRACTS_NOT_BUILT
 */
export async function groupDeploymentData(cellCount: number, operator: string): Promise<string> {
  const { abi, bytecode } = await readArtifact("CellGroup");
  return (await new ContractFactory(abi, bytecode).getDeployTransaction(cellCount, operator)).data;
}

/** What the contract at `group` says. @throws CHAIN_UNREACHABLE, CHAIN_REVERTED if it is no group */
export async function readCellGroup(endpoint: Endpoint, group: Hex): Promise<CellGroupRecord> {
  const view = viewsOf<CellGroupFunctions>(new Contract(group, CELL_GROUP_INTERFACE, endpoint.provider), endpoint);
  const cellCount = Number(await view("cellCount"));
  return { cellCount, cells: [...(await view("cells"))].map(decodeAddress) };
}
