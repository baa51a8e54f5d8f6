/** A contract's functions by name, with the arguments and results that the generated types give them. */
import type { Contract } from "ethers";
import type { Encodable } from "./fields.ts";
import type { Endpoint } from "./rpc.ts";

/** A generated description of a function. */
interface Described {
  readonly mutability: string;
  readonly inputs: readonly unknown[];
  readonly output: unknown;
}

type Functions<F> = { readonly [N in keyof F]: Described };

/** Names of functions that only read. */
export type ViewName<F extends Functions<F>> = keyof {
  [N in keyof F as F[N]["mutability"] extends "view" ? N : never]: never;
} &
  string;

/** Names of functions that send a transaction. */
export type SendName<F extends Functions<F>> = Exclude<keyof F & string, ViewName<F>>;

/** A function's arguments, in order. */
export type ArgumentsOf<F extends Functions<F>, N extends keyof F> = Encodable<F[N]["inputs"]> & readonly unknown[];

/** Asks a function that only reads. */
export type View<F extends Functions<F>> = <N extends ViewName<F>>(
  name: N,
  ...args: ArgumentsOf<F, N>
) => Promise<F[N]["output"]>;

/**
 * The contract's functions that only read, through an endpoint that tries again.
 * @param block of which state; the latest by default
 */
export function viewsOf<F extends Functions<F>>(contract: Contract, endpoint: Endpoint, block?: number): View<F> {
  const overrides = block === undefined ? [] : [{ blockTag: block }];
  return <N extends ViewName<F>>(name: N, ...args: ArgumentsOf<F, N>) =>
    endpoint.request(() => contract.getFunction(name).staticCall(...args, ...overrides) as Promise<F[N]["output"]>);
}
