/** What a chain's transactions cost, by role and call. */
import { JsonRpcProvider } from "ethers";
import { CELL_GROUP_INTERFACE, VERISUM_INTERFACE } from "../../chain/rpc.ts";

/** One call of one role, over the whole run. */
export interface LedgerRow {
  readonly role: string;
  readonly call: string;
  readonly count: number;
  readonly gas: bigint;
  /** Of all transactions' calldata. */
  readonly bytes: number;
}

/** @param roleOf names the sender of a transaction; addresses in lower case */
export async function ledgerOf(rpc: string, roleOf: (account: string) => string): Promise<readonly LedgerRow[]> {
  const provider = new JsonRpcProvider(rpc, undefined, { staticNetwork: true, cacheTimeout: -1 });
  const rows = new Map<string, { role: string; call: string; count: number; gas: bigint; bytes: number }>();
  const last = await provider.getBlockNumber();
  for (let number = 0; number <= last; number++) {
    const block = await provider.getBlock(number, true);
    for (const { from, to, data, hash } of block?.prefetchedTransactions ?? []) {
      const receipt = await provider.getTransactionReceipt(hash);
      const role = roleOf(from.toLowerCase());
      const call = to === null ? "deploy" : nameOf(data);
      const row = rows.get(`${role} ${call}`) ?? { role, call, count: 0, gas: 0n, bytes: 0 };
      rows.set(`${role} ${call}`, {
        ...row,
        count: row.count + 1,
        gas: row.gas + (receipt?.gasUsed ?? 0n),
        bytes: row.bytes + (data.length - 2) / 2,
      });
    }
  }
  provider.destroy();
  return [...rows.values()].sort((a, b) => a.role.localeCompare(b.role) || a.call.localeCompare(b.call));
}

function nameOf(data: string): string {
  return (
    VERISUM_INTERFACE.parseTransaction({ data })?.name ??
    CELL_GROUP_INTERFACE.parseTransaction({ data })?.name ??
    "transfer"
  );
}
