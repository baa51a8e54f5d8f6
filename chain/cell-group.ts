/** Reads the contract that lists a task's cells (docs/scale.md). */
import { Contract } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import { decodeAddress } from "./codec.ts";
import { viewsOf } from "./contract-calls.ts";
import type { CellGroupFunctions } from "./generated/cell-group.ts";
import { CELL_GROUP_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { CellGroupRecord } from "./task-chain.ts";

/** What the contract at `group` says. @throws CHAIN_UNREACHABLE, CHAIN_REVERTED if it is no group */
export async function readCellGroup(endpoint: Endpoint, group: Hex): Promise<CellGroupRecord> {
  const view = viewsOf<CellGroupFunctions>(new Contract(group, CELL_GROUP_INTERFACE, endpoint.provider), endpoint);
  const cellCount = Number(await view("cellCount"));
  return { cellCount, cells: [...(await view("cells"))].map(decodeAddress) };
}
