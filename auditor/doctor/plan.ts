/** Which checks there are for what `fl doctor` was told. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { feesOf, offered } from "../../chain/fees.ts";
import { openEndpoint } from "../../chain/rpc.ts";
import { describe } from "../../chain/transport.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import { finalityDepth } from "../../chain/timing.ts";
import { userRecords } from "../../command/user-records.ts";
import { VERSION } from "../../command/version.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { peerFetch } from "../../content/peer-fetch.ts";
import { dataRulesOf } from "../../learning/preprocessing.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { contractFound, endpointsFound, finalityFound } from "./chain.ts";
import type { EndpointReading } from "./chain.ts";
import { ok } from "./check.ts";
import type { Check, Finding, Need } from "./check.ts";
import { dataFound, listeningFailure, listeningFound } from "./data.ts";
import { fundsFound } from "./funds.ts";
import { keysFound, readKeys } from "./keys.ts";
import { clockAgainstHead, freeDisk, nodeVersion, roomForRounds } from "./machine.ts";
import { NO_TASK, partOf } from "./part.ts";
import { peersFound, readPeer } from "./peers.ts";
import { growthOf, readDisk, sourcesOf, storeDirectoryOf } from "./sources.ts";
import type { DoctorOptions, Sources } from "./sources.ts";
import { deploymentFound, readDeployments, readState, stateFound } from "./state.ts";

const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  readonly engines: { readonly node: string };
};

/** Of each endpoint alone; it is asked as often as roles do. */
const ENDPOINT_TIMEOUT_MS = 3_000;

/** The checks in the order in which they are shown. @param environment as `sourcesOf` has it */
export function planChecks(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): readonly Check[] {
  const sources = sourcesOf(options, environment, signal);
  const hasKey = options.key !== undefined || environment["VERISUM_KEY"] !== undefined;
  return [
    ...machineChecks(options, sources),
    ...(options.state === undefined ? [] : stateChecks(options, options.state, sources)),
    ...(options.rpc.length === 0 ? [] : chainChecks(options, sources, signal)),
    ...(options.contract === undefined ? [] : taskChecks(options, sources)),
    ...(options.contract === undefined && options.peer.length > 0 ? [peersCheck(async () => options.peer)] : []),
    ...(hasKey ? accountChecks(options, sources) : []),
    ...equipmentChecks(options, sources),
  ];
}

function machineChecks(options: DoctorOptions, { chain, timing }: Sources): readonly Check[] {
  const folder = options.store ?? options.state ?? ".";
  return [
    { name: "node", run: async () => nodeVersion(process.versions.node, manifest.engines.node) },
    {
      name: "clock",
      run: async (need) => {
        if (options.rpc.length === 0) return notCompared();
        const [{ endpoint }, { secondsPerBlock }] = [await need(chain), await need(timing)];
        const head = await endpoint.request(() => endpoint.provider.getBlock("latest"));
        if (head === null) throw new VerisumError("CHAIN_UNREACHABLE", "the endpoint knows no latest block");
        return clockAgainstHead({ now: Date.now() / 1000, head: head.timestamp, secondsPerBlock });
      },
    },
    { name: "disk", run: async () => freeDisk(await readDisk(folder)) },
  ];
}

function notCompared(): Finding {
  return {
    state: "skipped",
    value: new Date().toISOString(),
    cause: "without --rpc or --contract there is no chain to compare it with",
  };
}

function stateChecks(options: DoctorOptions, state: string, { contract }: Sources): readonly Check[] {
  return [
    { name: "state", run: async () => stateFound(await readState(state, storeDirectoryOf(options))) },
    {
      name: "deployment",
      run: async (need) => {
        if (options.contract === undefined) return deploymentFound(state, await readDeployments(state), undefined);
        const reader = await need(contract);
        return deploymentFound(state, await readDeployments(state), {
          scope: `${reader.context.chainId}-${reader.context.contract}`,
          deployment: reader.context.deployment,
        });
      },
    },
  ];
}

function chainChecks(
  options: DoctorOptions,
  { chain, timing, contract }: Sources,
  signal: AbortSignal,
): readonly Check[] {
  return [
    {
      name: "chain",
      run: async () =>
        endpointsFound(await Promise.all(options.rpc.map((url) => readEndpoint(url, signal))), options.chainId),
    },
    {
      name: "finality",
      run: async (need) => {
        const { chainId } = await need(chain);
        return finalityFound({
          timing: await need(timing),
          isDevelopment: finalityDepth(chainId, undefined) === 0,
          confirmations: options.confirmations,
          parameters: options.contract === undefined ? undefined : await (await need(contract)).parameters(),
        });
      },
    },
  ];
}

async function readEndpoint(url: string, signal: AbortSignal): Promise<EndpointReading> {
  try {
    const { endpoint, chainId } = await openEndpoint(url, undefined, { signal, timeoutMs: ENDPOINT_TIMEOUT_MS });
    const started = performance.now();
    const head = await endpoint.request(() => endpoint.provider.getBlockNumber());
    return { url, chainId, head, latencyMs: performance.now() - started };
  } catch (error) {
    return { url, failure: describe(error) };
  }
}

function taskChecks(options: DoctorOptions, { chain, contract, task, peers }: Sources): readonly Check[] {
  const { state } = options;
  return [
    {
      name: "contract",
      run: async (need) => {
        await need(chain);
        return contractReading(await contract.get());
      },
    },
    peersCheck(async (need) => need(peers), contract),
    {
      name: "task",
      run: async (need) => {
        await need(contract);
        const { document, parameters } = await task.get();
        return ok(`“${document.name}”: its document is the contract's, ${parameters.dimension} weights`);
      },
    },
    {
      name: "growth",
      run: async (need) =>
        roomForRounds(await readDisk(options.store ?? state ?? "."), await growthOf(await need(task))),
    },
    ...(state === undefined
      ? []
      : [
          {
            name: "keys",
            run: async (need: Need) => {
              const { document, parameters } = await need(task);
              return keysFound(
                await readKeys(join(state, "keys", cidFromDigest(document.keysCid)), userRecords()),
                parameters.keysHash,
              );
            },
          },
        ]),
  ];
}

async function contractReading(reader: TaskReader): Promise<Finding> {
  const [counters, parameters, origin] = await Promise.all([reader.look(), reader.parameters(), reader.origin()]);
  const { round, finalisedRounds, memberCount: members, clientCount: clients } = counters;
  return contractFound({ round, finalisedRounds, members, clients, parameters, deployedIn: origin.number });
}

function peersCheck(peers: (need: Need) => Promise<readonly string[]>, contract?: Sources["contract"]): Check {
  return {
    name: "peers",
    run: async (need) => {
      const nodes = await peers(need);
      const taskCid = contract && cidFromDigest((await (await need(contract)).parameters()).taskCid);
      return peersFound(await Promise.all(nodes.map((url) => readPeer(url, taskCid, peerFetch))), VERSION);
    },
  };
}

function accountChecks(options: DoctorOptions, { wallet, chain, contract }: Sources): readonly Check[] {
  const account: Check = {
    name: "account",
    run: async () => ok(`${(await wallet.get()).address.toLowerCase()}, from ${options.key ?? "VERISUM_KEY"}`),
  };
  if (options.rpc.length === 0) return [account];
  const funds: Check = {
    name: "funds",
    run: async (need) => {
      const own = (await need(wallet)).address.toLowerCase() as Hex;
      const { endpoint } = await need(chain);
      const [balanceWei, fees] = await endpoint.request(() =>
        Promise.all([endpoint.provider.getBalance(own), endpoint.provider.getFeeData()]),
      );
      const money = { account: own, balanceWei, gasPriceWei: offered(feesOf(fees)) };
      const part = options.contract === undefined ? NO_TASK : await partOf(own, await need(contract));
      return fundsFound({ ...money, ...part });
    },
  };
  return [account, funds];
}

function equipmentChecks(options: DoctorOptions, { task, kubo }: Sources): readonly Check[] {
  const { data, listen, state, ipfsApi } = options;
  const checks: Check[] = [];
  if (data !== undefined)
    checks.push({
      name: "data",
      run: async (need) => {
        const document = options.contract === undefined ? undefined : (await need(task)).document;
        return dataFound(await loadDataset(data, dataRulesOf(document)), document?.model);
      },
    });
  if (listen !== undefined)
    checks.push({
      name: "listen",
      run: async () => {
        const holder = state === undefined ? undefined : (await readState(state, storeDirectoryOf(options))).holder;
        return listeningFound(listen, await listeningFailure(listen), holder !== undefined);
      },
    });
  if (ipfsApi !== undefined)
    checks.push({
      name: "ipfs",
      run: async () => {
        await kubo.get();
        return ok(`the IPFS node at ${ipfsApi} answers`);
      },
    });
  return checks;
}
