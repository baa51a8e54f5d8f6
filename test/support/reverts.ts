import assert from "node:assert/strict";
import { Interface } from "ethers";
import type { ErrorDescription, InterfaceAbi } from "ethers";
import { artifacts } from "hardhat";

const abi = (await artifacts.readArtifact("IVerisum")).abi as InterfaceAbi;
/** The contract's interface, for decoding errors and events. */
export const VERISUM_INTERFACE = new Interface(abi);
/** Names of the custom errors that some assertion of this process saw. */
const seenErrors = new Set<string>();

/** Asserts that a call reverts with this custom error, and with these arguments if given. */
export async function reverts(call: Promise<unknown>, name: string, ...args: readonly unknown[]): Promise<void> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error !== undefined, `expected ${name}, but the call went through`);
  const description = describe(error);
  assert.equal(description?.name ?? String(error), name);
  if (args.length > 0) assert.deepEqual([...description!.args].map(String), args.map(String));
  seenErrors.add(name);
}

/** A Solidity string literal as bytes32. */
export function bytes32(text: string): string {
  return `0x${Buffer.from(text).toString("hex").padEnd(64, "0")}`;
}

/** The custom error inside what a provider throws, wherever it puts the data. */
function describe(error: unknown): ErrorDescription | null {
  for (
    let at = error as { data?: unknown; error?: unknown; cause?: unknown; info?: { error?: unknown } } | undefined;
    at !== undefined && at !== null;
  ) {
    const data = typeof at.data === "string" ? at.data : (at.data as { data?: unknown } | undefined)?.data;
    if (typeof data === "string" && data.startsWith("0x")) return VERISUM_INTERFACE.parseError(data);
    at = (at.error ?? at.info?.error ?? at.cause) as typeof at;
  }
  return null;
}
