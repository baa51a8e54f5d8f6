/** What a call says to those who read the chain by its events. For tests only. */
import type { ContractTransactionResponse } from "ethers";
import { VERISUM_INTERFACE } from "./reverts.ts";

/** Name and arguments of each event of a call, in their order. */
export async function eventsOf(sent: Promise<ContractTransactionResponse>): Promise<unknown[][]> {
  return (await (await sent).wait())!.logs.map((log) => {
    const { name, args } = VERISUM_INTERFACE.parseLog(log)!;
    return [name, ...args.map((value: unknown) => (Array.isArray(value) ? [...(value as unknown[])].flat(2) : value))];
  });
}
