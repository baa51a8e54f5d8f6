/** What a copy with mutants in it adds to Hardhat: a chain on which one of them is switched on, or all are counted. */
import type { HardhatUserConfig } from "hardhat/config";
import type { HardhatPlugin } from "hardhat/types/plugins";
import type { HookContext, NetworkHooks } from "hardhat/types/hooks";
import type { JsonRpcResponse } from "hardhat/types/providers";

/** Stands where the switch's address goes, until a contract is created. */
export const OPEN_ADDRESS = "d3b07384d113edec49eaa6238ad5ff00c0ffee01";
/** Of a block. Half of it is more than any call needs, with every mutant in it, and an endless loop ends. */
const GAS = 600_000_000n;
const MOST_GAS = `0x${(GAS / 2n).toString(16)}`;

/** One of the repository's compilers, as its configuration has it. */
interface Compiler {
  readonly version: string;
  readonly path: string;
  readonly settings: Readonly<Record<string, object>>;
}

type OnRequest = NetworkHooks["onRequest"];
type Request = Parameters<OnRequest>[2];

/** Numbers of the mutants that were reached in this process. */
export const reached = new Set<number>();
let mutantOn = 0;

/** Contracts that are created from now on have this mutant switched on; 0 is none. */
export function switchTo(mutant: number): void {
  mutantOn = mutant;
}

/**
 * Puts the mutant's number where a contract that is created has the switch's address. A limit that a test gives is one
 * of the contract as it is.
 */
function switchedOn(request: Request): Request {
  const [call, ...rest] = Array.isArray(request.params) ? (request.params as unknown[]) : [];
  const { to, data } = (call ?? {}) as { readonly to?: string; readonly data?: string };
  if (typeof data !== "string" || (to !== undefined && to !== null)) return request;
  const address = mutantOn.toString(16).padStart(40, "0");
  const created = { ...(call as object), data: data.replaceAll(OPEN_ADDRESS, address), gas: MOST_GAS };
  return { ...request, params: [created, ...rest] };
}

/** One call says whether a transaction reverts; a search for the least gas would repeat it some fifteen times. */
function withoutSearch(onRequest: OnRequest): OnRequest {
  return async (context, connection, request, next) => {
    if (request.method !== "eth_estimateGas") return onRequest(context, connection, request, next);
    const [call] = request.params as unknown[];
    const asCall: Request = { ...request, method: "eth_call", params: [call, "pending"] };
    const response: JsonRpcResponse = await onRequest(context, connection, asCall, next);
    return "error" in response ? response : { ...response, result: MOST_GAS };
  };
}

const switching: OnRequest = (context, connection, request, next) => next(context, connection, switchedOn(request));

/** Whoever listens for coverage has the chain count it. */
async function onCoverageData(_: HookContext, hits: readonly string[]): Promise<void> {
  for (const hit of hits) reached.add(Number(`0x${hit}`));
}

function pluginOf(network: Partial<NetworkHooks>): HardhatPlugin {
  return {
    id: "verisum-mutants",
    hookHandlers: { network: async () => ({ default: async () => network }) },
  };
}

/**
 * The same compiler without the optimiser's steps on what the sources become: they are for gas and size, and what the
 * contracts do is the same.
 */
function compiledQuickly(solidity: HardhatUserConfig["solidity"]): NonNullable<HardhatUserConfig["solidity"]> {
  const { compilers } = (solidity as { readonly profiles: { readonly default: { readonly compilers: Compiler[] } } })
    .profiles.default;
  const details = { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: ":" } };
  const quick = compilers.map((compiler) => ({
    ...compiler,
    settings: { ...compiler.settings, optimizer: { ...compiler.settings["optimizer"], details } },
  }));
  return { profiles: { default: { compilers: quick }, production: { compilers: quick } } };
}

/**
 * The configuration of the copy: contracts may be longer than EIP-170 has it and cost more than EIP-7825 allows, as all
 * mutants are in them.
 * @param base The repository's own.
 * @param env `MUTANT_ARTIFACTS` is the folder of what was compiled; `MUTANT_COUNT` asks to count what is reached.
 */
export function configOfCopy(
  base: HardhatUserConfig,
  env: Readonly<Record<string, string | undefined>>,
): HardhatUserConfig {
  const hooks = {
    onRequest: withoutSearch(switching),
    ...(env["MUTANT_COUNT"] === undefined ? {} : { onCoverageData }),
  };
  const node = {
    ...base.networks!["node"]!,
    allowUnlimitedContractSize: true,
    blockGasLimit: GAS,
    transactionGasCap: GAS,
  };
  return {
    ...base,
    paths: { artifacts: env["MUTANT_ARTIFACTS"] ?? "./artifacts", cache: "./cache" },
    plugins: [...base.plugins!, pluginOf(hooks)],
    solidity: compiledQuickly(base.solidity),
    networks: { node },
  };
}
