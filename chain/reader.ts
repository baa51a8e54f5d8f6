/** `TaskReader` over JSON-RPC. */
import { once } from "../protocol/once.ts";
import { Contract } from "ethers";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { fromHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { latestOf } from "./announcements.ts";
import { readCellGroup } from "./cell-group.ts";
import { decodeAddress, decodeClient, decodeModel, decodeParameters, decodeRound } from "./codec.ts";
import { viewsOf } from "./contract-calls.ts";
import type { View } from "./contract-calls.ts";
import type { EndpointAnnouncedEvent, VerisumFunctions } from "./generated/verisum.ts";
import { TaskHistory } from "./history.ts";
import type { EventStore, TaskPast } from "./history.ts";
import { accountsFrom, membersIn } from "./lists.ts";
import type { TaskLog } from "./logs.ts";
import { requireReleasedCode, requireReleasedGroup } from "./released-code.ts";
import { deployedIn } from "./origin.ts";
import { lastStepOf, lookOf, recordsOf } from "./round-records.ts";
import { confirmed, VERISUM_INTERFACE } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";
import type { ChainBlock, TaskLook, TaskReader, TransactionCost } from "./task-chain.ts";
import { finalityDepth, timingGauge } from "./timing.ts";

export interface ReaderOptions {
  /** Blocks on top that make a block final; if absent, the chain's `finalized` tag, and 0 on a development chain. */
  readonly confirmations?: number;
  /** The first block to read events from; found if absent. */
  readonly fromBlock?: number;
  /** Keeps events between starts. */
  readonly eventStore?: EventStore;
  /** How long one look at the chain answers every question about its past, in milliseconds; 0 if absent. */
  readonly lookMs?: number;
}

const WORD = /^0x[0-9a-f]{64}$/;

/** A task's contract at this address. @throws CHAIN_UNREACHABLE, CHAIN_NO_CONTRACT, CONTRACT_MISMATCH */
export async function readerAt(
  endpoint: Endpoint,
  chainId: bigint,
  address: Hex,
  options: ReaderOptions,
): Promise<TaskReader> {
  const { provider } = endpoint;
  const contract = new Contract(address, VERISUM_INTERFACE, provider);
  const view = viewsOf<VerisumFunctions>(contract, endpoint);
  let fixed = fixedIn(view);
  const history = historyOf(endpoint, chainId, address, options, {
    parameters: () => fixed.parameters(),
    operator: () => fixed.operator(),
  });
  const gauge = timingGauge(chainId, finalityDepth(chainId, options.confirmations));
  // Before anything is asked, or the first look would not go in the first batch.
  await history.load();
  const logs = async (): Promise<readonly TaskLog[]> => (await history.read()).logs;
  const others: TaskReader[] = [];
  const deployment = once(() => view("deployment"));
  const reader: Omit<TaskReader, "context"> = {
    deployments: () => deploymentsOf(endpoint, address),
    parameters: () => fixed.parameters(),
    parametersHash: () => fixed.parametersHash(),
    operator: () => fixed.operator(),
    requireReleasedCode: async () => requireReleasedCode(endpoint, address, await reader.parameters()),
    verificationKeys: async () => {
      const pointer = await view("keysPointer");
      const code = await endpoint.request(() => provider.getCode(pointer));
      return fromHex(code as Hex).slice(1);
    },
    round: () => view("round").then(decodeRound),
    latestModel: () => view("latestModel").then(decodeModel),
    finalisedRounds: () => view("finalisedRounds").then(Number),
    privacySpent: () => view("privacySpent"),
    client: (account) => view("clientOf", account).then(decodeClient),
    clientCount: () => view("clientCount").then(Number),
    clients: async () => {
      const { clientTerms: terms, round } = await reader.look();
      return accountsFrom(terms, round.number);
    },
    seats: async () => lookAt(await history.last()).seats,
    clientTerms: async () => lookAt(await history.last()).clientTerms,
    members: async (round) => {
      const look = await reader.look();
      return membersIn(look.seats, round ?? look.round.number);
    },
    roundKey: (round, seat) => view("roundKey", round, seat),
    records: async (round) => {
      const past = await history.read();
      return recordsOf(past.logs, round, past.finalBlock);
    },
    lastChunkStep: async (round, account) => lastStepOf(await logs(), round, account),
    finalisedRoundNumbers: async () =>
      (await logs()).flatMap(({ name, args }) => (name === "Finalised" ? [args.round] : [])),
    endpoints: async () =>
      latestOf((await logs()).flatMap(({ name, args }) => (name === "EndpointAnnounced" ? announcementIn(args) : []))),
    look: async () => lookAt(await history.read()),
    blockTime: () => nextBlockTime(endpoint),
    latestBlock: () => endpoint.request(() => provider.getBlockNumber()),
    finalBlock: async () => (await history.read()).finalBlock,
    block: (number) => blockAt(endpoint, number),
    transactionCost: (hash) => costOf(endpoint, hash),
    timing: async () => gauge((await history.read()).blocks),
    closedRound: async () => (await reader.look()).closedRound,
    origin: () => history.origin(),
    deployedIn: () => deployedIn(endpoint, address),
    reread: async (why) => {
      fixed = fixedIn(view);
      await history.reread(why);
      for (const other of others) await other.reread(why);
    },
    rereadRound: async (why, modelsBefore = 0) => {
      const { maxStaleness } = await reader.parameters();
      fixed = fixedIn(view);
      await history.rereadRound(why, Math.max(modelsBefore, maxStaleness));
      // A cell that has finished this step is in its next round.
      for (const other of others) await other.rereadRound(why, 1);
    },
    save: () => history.save(),
    cellGroup: async (group) => {
      await requireContract(endpoint, chainId, group);
      await requireReleasedGroup(endpoint, group);
      return readCellGroup(endpoint, group);
    },
    at: async (contractOf) => {
      const other = await readerAt(endpoint, chainId, contractOf, options);
      others.push(other);
      return other;
    },
  };
  // All that opening a task asks for, in as few requests as it takes.
  await Promise.all([
    requireContract(endpoint, chainId, address),
    ...[deployment, reader.parameters, reader.parametersHash, reader.operator, logs].map((ask) =>
      ask().catch(() => undefined),
    ),
  ]);
  return {
    ...reader,
    context: { chainId, contract: decodeAddress(address), deployment: await identityOf(endpoint, address, deployment) },
  };
}

/** @throws CONTRACT_MISMATCH if the contract has no `deployment()` to tell it apart by */
async function identityOf({ transport }: Endpoint, contract: Hex, ask: () => Promise<Hex>): Promise<Hex> {
  const askOrNone = (): Promise<Hex | undefined> =>
    ask().catch((error: unknown) => {
      if (!lacksFunction(error)) throw error;
      return undefined;
    });
  const deployment = await confirmed(transport, askOrNone, (answer) => answer !== undefined);
  if (deployment !== undefined) return deployment;
  throw new VerisumError(
    "CONTRACT_MISMATCH",
    `the contract at ${contract} has no deployment(): it is of an earlier version, or no task's`,
    { contract },
  );
}

/** A contract without a function refuses the call, or answers with nothing. */
function lacksFunction(error: unknown): boolean {
  if (isVerisumError(error, "CHAIN_REVERTED")) return true;
  return (
    isVerisumError(error, "CHAIN_UNREACHABLE") && (error.cause as { code?: unknown } | undefined)?.code === "BAD_DATA"
  );
}

/** `deployment()` as each endpoint answers it. */
async function deploymentsOf({ transport }: Endpoint, address: Hex): Promise<readonly (Hex | undefined)[]> {
  const data = VERISUM_INTERFACE.encodeFunctionData("deployment");
  const call = { jsonrpc: "2.0", id: 1, method: "eth_call", params: [{ to: address, data }, "latest"] } as const;
  const answers = await transport.askEach(call);
  return answers.map((answer) => {
    const result = answer !== undefined && "result" in answer ? answer.result : undefined;
    return typeof result === "string" && WORD.test(result) ? (result as Hex) : undefined;
  });
}

/** What never changes in a contract, asked once. */
function fixedIn(view: View<VerisumFunctions>): Pick<TaskReader, "parameters" | "parametersHash" | "operator"> {
  return {
    parameters: once(() => view("parameters").then(decodeParameters)),
    parametersHash: once(() => view("parametersHash")),
    operator: once(() => view("operator").then(decodeAddress)),
  };
}

/** Looks at the same past are one: records are read from the events once. */
const LOOKS = new WeakMap<TaskPast, TaskLook>();

function lookAt(past: TaskPast): TaskLook {
  const known = LOOKS.get(past);
  if (known !== undefined) return known;
  const look = lookOf(past);
  LOOKS.set(past, look);
  return look;
}

/** The contract's events, and the latest block that counts as final. */
function historyOf(
  endpoint: Endpoint,
  chainId: bigint,
  address: Hex,
  { confirmations, fromBlock, eventStore, lookMs = 0 }: ReaderOptions,
  { parameters, operator }: Pick<TaskReader, "parameters" | "operator">,
): TaskHistory {
  const contract = new Contract(address, VERISUM_INTERFACE, endpoint.provider);
  return new TaskHistory(endpoint, decodeAddress(address), {
    depth: finalityDepth(chainId, confirmations),
    ...(fromBlock === undefined ? {} : { fromBlock }),
    ...(eventStore === undefined ? {} : { store: eventStore }),
    lookMs,
    operator,
    members: async (block) => {
      const view = viewsOf<VerisumFunctions>(contract, endpoint, block);
      const { committeeSize } = await parameters();
      const seats = Array.from({ length: committeeSize }, (_, i) => i + 1);
      return (await Promise.all(seats.map((seat) => view("memberAt", seat)))).map(decodeAddress);
    },
    costPerRound: async () => (await parameters()).privacyCostPerRound,
    counters: async (block) => {
      const view = viewsOf<VerisumFunctions>(contract, endpoint, block);
      const [round, latestModel, finalised, members, clients, changes, privacySpent] = await Promise.all([
        view("round"),
        view("latestModel"),
        view("finalisedRounds"),
        view("memberCount"),
        view("clientCount"),
        view("listChanges"),
        view("privacySpent"),
      ]);
      return {
        ...{ round: decodeRound(round), latestModel: decodeModel(latestModel), privacySpent },
        ...{ finalisedRounds: Number(finalised), memberCount: Number(members), clientCount: Number(clients) },
        ...{ listChanges: Number(changes) },
      };
    },
  });
}

async function requireContract(endpoint: Endpoint, chainId: bigint, contract: Hex): Promise<void> {
  const { provider, request, transport } = endpoint;
  const code = await confirmed(
    transport,
    () => request(() => provider.getCode(contract)),
    (answer) => answer !== "0x",
  );
  if (code !== "0x") return;
  throw new VerisumError("CHAIN_NO_CONTRACT", `chain ${chainId} has no contract at ${contract}`, {
    contract,
    chainId,
  });
}

async function blockAt({ provider, request }: Endpoint, number: number): Promise<ChainBlock | undefined> {
  const block = await request(() => provider.getBlock(number));
  if (block === null || block.hash === null) return undefined;
  return { number: block.number, hash: block.hash, timestamp: block.timestamp };
}

async function costOf({ provider, request }: Endpoint, hash: Hex): Promise<TransactionCost | undefined> {
  const receipt = await request(() => provider.getTransactionReceipt(hash));
  if (receipt === null) return undefined;
  return { sender: decodeAddress(receipt.from as Hex), gasUsed: receipt.gasUsed, feeWei: receipt.fee };
}

/** The pending block's: a chain that mines only on demand keeps an old latest one. */
async function nextBlockTime({ provider, request, transport }: Endpoint): Promise<number> {
  // Raw: ethers refuses a pending block, which has no number.
  const asked = request(() => provider.send("eth_getBlockByNumber", ["pending", false]));
  const block = (await asked.catch(ignorance)) as { timestamp: string } | null;
  const timestamp = block?.timestamp ?? (await request(() => provider.getBlock("latest")))?.timestamp;
  if (timestamp === undefined) throw new VerisumError("CHAIN_UNREACHABLE", `${transport.url} knows no latest block`);
  return Number(timestamp);
}

/** Some endpoints know no pending block, and say so by an error. */
function ignorance(error: unknown): null {
  if (!isVerisumError(error, "CHAIN_UNREACHABLE")) throw error;
  return null;
}

/**
 * An account and its endpoint; nothing if the bytes are no UTF-8, at which ethers throws. Anybody may announce
 * anything.
 */
function announcementIn(args: EndpointAnnouncedEvent): [Hex, string][] {
  try {
    return [[decodeAddress(args.account), args.endpoint]];
  } catch {
    return [];
  }
}
