/** Gas by contract function. */
import type { Receipt } from "../../chain/task-chain.ts";

/** Functions in the order in which a round calls them. */
export const CONTRACT_FUNCTIONS = [
  "deploy",
  "registerMember",
  "registerClient",
  "registerRoundKeys",
  "announce",
  "openRound",
  "submit",
  "settle",
  "finalize",
  "abort",
] as const;
export type ContractFunction = (typeof CONTRACT_FUNCTIONS)[number];
export type GasByFunction = Readonly<Record<ContractFunction, number>>;

/** Keeps the dearest call of each function: the first use of a storage slot costs more than later ones. */
export class GasMeter {
  readonly #highest = new Map<ContractFunction, number>();

  note(name: ContractFunction, gasUsed: bigint): void {
    this.#highest.set(name, Math.max(this.#highest.get(name) ?? 0, Number(gasUsed)));
  }

  async measure(name: ContractFunction, call: Promise<Receipt>): Promise<Receipt> {
    const receipt = await call;
    this.note(name, receipt.gasUsed);
    return receipt;
  }

  /** @throws Error if a function was not called */
  result(): GasByFunction {
    const entries = CONTRACT_FUNCTIONS.map((name) => {
      const gas = this.#highest.get(name);
      if (gas === undefined) throw new Error(`${name} was not called`);
      return [name, gas];
    });
    return Object.fromEntries(entries) as GasByFunction;
  }
}
