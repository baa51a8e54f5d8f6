/** What a transaction offers for its gas, and how much more each time that it has to be replaced. */
import type { FeeData } from "ethers";
import { formatEther } from "ethers";
import { VerisumError } from "../protocol/errors.ts";

/** EIP-1559 where the chain has a base fee, a gas price elsewhere; in wei. */
export type Fees =
  | { readonly type: 2; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 0; readonly gasPrice: bigint };

/** What the chain asks for now. @throws CHAIN_UNREACHABLE if the endpoint tells no price, which makes no chain free */
export function feesOf({ maxFeePerGas, maxPriorityFeePerGas, gasPrice }: FeeData): Fees {
  if (maxFeePerGas !== null && maxPriorityFeePerGas !== null) return { type: 2, maxFeePerGas, maxPriorityFeePerGas };
  if (gasPrice !== null) return { type: 0, gasPrice };
  throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint tells neither a base fee nor a gas price");
}

/**
 * Fees that replace a transaction which offered `before`: at least an eighth more of each, and at least what the chain
 * asks for now. Nodes take a replacement for 10 % (go-ethereum) or 12.5 % (others) more.
 */
export function replacing(before: Fees, now: Fees): Fees {
  if (before.type === 0 || now.type === 0)
    return { type: 0, gasPrice: larger(anEighthMore(offered(before)), offered(now)) };
  return {
    type: 2,
    maxFeePerGas: larger(anEighthMore(before.maxFeePerGas), now.maxFeePerGas),
    maxPriorityFeePerGas: larger(anEighthMore(before.maxPriorityFeePerGas), now.maxPriorityFeePerGas),
  };
}

/** Most that a unit of gas may cost, in wei. */
export function offered(fees: Fees): bigint {
  return fees.type === 2 ? fees.maxFeePerGas : fees.gasPrice;
}

/** An amount for people. @param wei */
export function ether(wei: bigint): string {
  return `${formatEther(wei)} ETH`;
}

/** Rounded up; never the same, or a fee of zero would stay zero. */
function anEighthMore(wei: bigint): bigint {
  return (wei * 9n) / 8n + 1n;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
