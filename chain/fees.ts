/** What a transaction offers for its gas, and how much more each time that it has to be replaced. */
import type { FeeData } from "ethers";
import { formatEther, formatUnits } from "ethers";
import { VerisumError } from "../protocol/errors.ts";

/** EIP-1559 where the chain has a base fee, a gas price elsewhere; in wei. */
export type Fees =
  | { readonly type: 2; readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }
  | { readonly type: 0; readonly gasPrice: bigint };

/**
 * Most that a unit of gas may cost unless told, in wei. Ethereum, its rollups and most other public chains stay below
 * it but for hours in a year, in which a role had better wait; a transaction of 16,777,216 gas, the most that there
 * is, then costs 8.4 ether and no account's whole savings.
 */
export const DEFAULT_MAX_FEE_PER_GAS = 500_000_000_000n;

/**
 * What the chain asks for now, as an endpoint tells it. Nobody is to pay by its word alone: see `feesWithin`.
 * @throws CHAIN_UNREACHABLE if the endpoint tells no price, which makes no chain free
 */
export function feesOf({ maxFeePerGas, maxPriorityFeePerGas, gasPrice }: FeeData): Fees {
  if (maxFeePerGas !== null && maxPriorityFeePerGas !== null) return { type: 2, maxFeePerGas, maxPriorityFeePerGas };
  if (gasPrice !== null) return { type: 0, gasPrice };
  throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint tells neither a base fee nor a gas price");
}

/**
 * What to offer where the chain asks for `asked`: no unit of gas for more than the ceiling. Room for a base fee that
 * rises is given up first; a base fee or a tip above the ceiling is not paid at all.
 * @param ceiling in wei
 * @throws CHAIN_FEES_TOO_HIGH
 */
export function feesWithin(ceiling: bigint, asked: Fees): Fees {
  const price = leastOf(asked);
  if (price > ceiling) throw feesTooHigh(price, ceiling);
  if (asked.type === 0) return asked;
  return { ...asked, maxFeePerGas: smaller(asked.maxFeePerGas, ceiling) };
}

function feesTooHigh(price: bigint, ceiling: bigint): VerisumError {
  return new VerisumError(
    "CHAIN_FEES_TOO_HIGH",
    `a unit of gas would cost ${gwei(price)}, and at most ${gwei(ceiling)} may be paid: wait, use another --rpc, or raise --max-fee-per-gas`,
    { priceWei: price, ceilingWei: ceiling },
  );
}

/**
 * Fees that replace a transaction which offered `before`: at least an eighth more of each, and at least what the chain
 * asks for now. Nodes take a replacement for 10 % (go-ethereum) or 12.5 % (others) more.
 */
function replacing(before: Fees, now: Fees): Fees {
  if (before.type === 0 || now.type === 0)
    return { type: 0, gasPrice: larger(anEighthMore(offered(before)), offered(now)) };
  return {
    type: 2,
    maxFeePerGas: larger(anEighthMore(before.maxFeePerGas), now.maxFeePerGas),
    maxPriorityFeePerGas: larger(anEighthMore(before.maxPriorityFeePerGas), now.maxPriorityFeePerGas),
  };
}

/**
 * The same up to a ceiling: nodes take no replacement for less, so that what was sent stays as it is at it.
 * @throws CHAIN_FEES_TOO_HIGH
 */
export function replacingWithin(ceiling: bigint, before: Fees, asked: Fees): Fees {
  const next = replacing(before, feesWithin(ceiling, asked));
  if (offered(next) > ceiling) throw feesTooHigh(offered(next), ceiling);
  return next;
}

/** Most that a unit of gas may cost, in wei. */
export function offered(fees: Fees): bigint {
  return fees.type === 2 ? fees.maxFeePerGas : fees.gasPrice;
}

/**
 * The price below which nothing is mined now: the base fee, which ethers doubles in its offer, or the tip where that is
 * more; nodes ask for both, and whoever offers less than both together tips less.
 */
function leastOf(fees: Fees): bigint {
  if (fees.type === 0) return fees.gasPrice;
  return larger((fees.maxFeePerGas - fees.maxPriorityFeePerGas) / 2n, fees.maxPriorityFeePerGas);
}

/** An amount for people. @param wei */
export function ether(wei: bigint): string {
  return `${formatEther(wei)} ETH`;
}

function gwei(wei: bigint): string {
  return `${formatUnits(wei, "gwei")} gwei`;
}

/** Rounded up; never the same, or a fee of zero would stay zero. */
function anEighthMore(wei: bigint): bigint {
  return (wei * 9n) / 8n + 1n;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
