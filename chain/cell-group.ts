/** The contract that lists a task's cells: deploying it, filling it, reading it (docs/scale.md). */
import { Contract, ContractFactory } from "ethers";
import type { Signer } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import { decodeAddress } from "./codec.ts";
import { viewsOf } from "./contract-calls.ts";
import { readArtifact } from "./deploy.ts";
import type { Deployment } from "./deploy.ts";
import type { CellGroupFunctions } from "./generated/cell-group.ts";
import { CELL_GROUP_INTERFACE, revertOf } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { CellGroupRecord } from "./task-chain.ts";

/**
 * Deploys an empty group and waits until it is mined.
 * @param operator the account that registers cells
 * @throws CHAIN_REVERTED for fewer than 2 cells; STORAGE_FAILED if the artifact was not built
 */
export async function deployCellGroup(signer: Signer, cellCount: number, operator: string): Promise<Deployment> {
  const { abi, bytecode } = await readArtifact("CellGroup");
  try {
    const contract = await new ContractFactory(abi, bytecode, signer).deploy(cellCount, operator);
    const receipt = await contract.deploymentTransaction()!.wait();
    const { chainId } = await signer.provider!.getNetwork();
    return {
      contract: (await contract.getAddress()).toLowerCase() as Hex,
      chainId,
      blockNumber: receipt!.blockNumber,
      gasUsed: receipt!.gasUsed,
    };
  } catch (error) {
    throw revertOf(error) ?? error;
  }
}

/** Registers a cell in the group's next place. @throws CHAIN_REVERTED with the group's error */
export async function registerCell(signer: Signer, group: Hex, cell: Hex): Promise<{ readonly gasUsed: bigint }> {
  try {
    const response = await (new Contract(group, CELL_GROUP_INTERFACE, signer).getFunction("register")(cell) as Promise<{
      wait(): Promise<{ gasUsed: bigint }>;
    }>);
    return { gasUsed: (await response.wait()).gasUsed };
  } catch (error) {
    throw revertOf(error) ?? error;
  }
}

/** What the contract at `group` says. @throws CHAIN_UNREACHABLE, CHAIN_REVERTED if it is no group */
export async function readCellGroup(endpoint: Endpoint, group: Hex): Promise<CellGroupRecord> {
  const view = viewsOf<CellGroupFunctions>(new Contract(group, CELL_GROUP_INTERFACE, endpoint.provider), endpoint);
  const cellCount = Number(await view("cellCount"));
  return { cellCount, cells: [...(await view("cells"))].map(decodeAddress) };
}
