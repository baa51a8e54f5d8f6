/** Deploys a task's contract from the compiled artifact. */
import { readFile } from "node:fs/promises";
import { ContractFactory } from "ethers";
import type { Signer } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeParameters } from "./codec.ts";
import { revertOf } from "./rpc.ts";
import type { VERISUM_INTERFACE } from "./rpc.ts";

const ARTIFACTS = new URL("../artifacts/contracts/", import.meta.url);

/** Where a task was deployed. */
export interface Deployment {
  readonly contract: Hex;
  readonly chainId: bigint;
  readonly blockNumber: number;
  readonly gasUsed: bigint;
}

/**
 * The data of the transaction that deploys an empty group.
 * @param operator the account that registers cells
 * @throws CONTRACTS_NOT_BUILT
 */
export async function groupDeploymentData(cellCount: number, operator: string): Promise<string> {
  const { abi, bytecode } = await readArtifact("CellGroup");
  return (await new ContractFactory(abi, bytecode).getDeployTransaction(cellCount, operator)).data;
}

/**
 * Deploys and waits until it is mined.
 * @param keys the encoded verification keys
 * @param operator the account that registers members and clients
 * @throws CHAIN_REVERTED if the contract refuses the parameters or keys; STORAGE_FAILED if the artifact was not built
 */
export async function deployTask(
  signer: Signer,
  parameters: TaskParameters,
  keys: Uint8Array,
  operator: string,
): Promise<Deployment> {
  const { abi, bytecode } = await readArtifact("Verisum");
  try {
    const contract = await new ContractFactory(abi, bytecode, signer).deploy(
      encodeParameters(parameters),
      keys,
      operator,
    );
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

/**
 * The same as the data of one transaction, to be sent by somebody else.
 * @throws CONTRACTS_NOT_BUILT
 */
export async function deploymentData(parameters: TaskParameters, keys: Uint8Array, operator: string): Promise<string> {
  const { abi, bytecode } = await readArtifact("Verisum");
  const factory = new ContractFactory(abi, bytecode);
  return (await factory.getDeployTransaction(encodeParameters(parameters), keys, operator)).data;
}

/** ABI and bytecode of a compiled contract. @throws STORAGE_FAILED if it was not built */
async function readArtifact(
  name: "Verisum" | "CellGroup",
): Promise<{ readonly abi: typeof VERISUM_INTERFACE.fragments; readonly bytecode: string }> {
  try {
    return JSON.parse(await readFile(new URL(`${name}.sol/${name}.json`, ARTIFACTS), "utf8")) as {
      abi: typeof VERISUM_INTERFACE.fragments;
      bytecode: string;
    };
  } catch (cause) {
    throw new VerisumError("CONTRACTS_NOT_BUILT", "the contract is not compiled; run: npm run build", {}, { cause });
  }
}
