/** A task as a participant looks at it before and while taking part: from the chain and the task's nodes alone. */
import { formatEther } from "ethers";
import type { TaskAddress } from "../invited.ts";
import { isListed, termsOf } from "../terms.ts";
import { roundGas } from "../../auditor/doctor/funds.ts";
import { encodeSubmission } from "../../chain/codec.ts";
import { feesOf, offered } from "../../chain/fees.ts";
import { readerAt } from "../../chain/reader.ts";
import { openEndpoint, VERISUM_INTERFACE } from "../../chain/rpc.ts";
import type { Endpoint } from "../../chain/rpc.ts";
import type { RoundRecords, TaskReader, TransactionCost } from "../../chain/task-chain.ts";
import { filesFrom } from "../../content/gateway-files.ts";
import { peerFetch } from "../../content/peer-fetch.ts";
import type { ExpectedData } from "../../learning/inspect.ts";
import { isStatistics } from "../../learning/statistics/statistics-model.ts";
import { sealedShareBytes } from "../../protocol/bundle.ts";
import { hasClient, hasSeat } from "../../protocol/committee.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { isBuffer } from "../../task/buffers.ts";
import { hasAllRounds } from "../../task/completion.ts";
import { openTask } from "../../task/open-task.ts";
import type { OpenTask } from "../../task/opened-task.ts";
import { announcedNodes, urlsOf } from "../../task/peer-network.ts";
import { privacySummary } from "../../task/privacy-summary.ts";
import { roundNow } from "../../task/round-now.ts";
import type { Contribution, Funds, PageTask, Registration } from "./state.ts";

/** Fees change between now and the next round. */
const MARGIN = 1.5;
/** How long one look at the chain is shown. */
const LOOK_MS = 1_000;
const TIMED = ["Collecting", "Attesting", "Aggregating"];

export interface ChosenTask {
  readonly address: TaskAddress;
  readonly expected: ExpectedData;
  read(account: string | undefined): Promise<PageTask>;
  /** Latest first. */
  contributions(account: string): Promise<readonly Contribution[]>;
}

/** @throws CHAIN_*, IPFS_UNAVAILABLE if no node has the task's document; what `openTask` throws */
export async function openChosenTask(
  address: TaskAddress,
  confirmations: number | undefined,
  reporter: Reporter,
): Promise<ChosenTask> {
  const { contract, chainId, rpc, peers } = address;
  const { endpoint } = await openEndpoint(rpc, chainId);
  const options = confirmations === undefined ? {} : { confirmations };
  const chain = await readerAt(endpoint, chainId, contract, { ...options, lookMs: LOOK_MS });
  const gateways = [...new Set([...peers, ...urlsOf(await announcedNodes(chain, reporter))])];
  const task = await openTask(chain, filesFrom({ gateways, fetch: peerFetch, reporter }));
  const { document } = task;
  const costs: KnownCosts = new Map();
  return {
    address,
    expected: { model: document.model, schema: document.data, preprocessing: document.preprocessing },
    read: (account) => describe(chain, task, endpoint, account),
    contributions: async (account) => contributionsOf(chain, task, account, costs),
  };
}

async function describe(
  chain: TaskReader,
  task: OpenTask,
  endpoint: Endpoint,
  account: string | undefined,
): Promise<PageTask> {
  const { document, parameters } = task;
  const look = await chain.look();
  const [round, operator, client] = await Promise.all([
    roundNow(look.round, chain, parameters),
    chain.operator(),
    account === undefined ? undefined : chain.client(account as Hex),
  ]);
  const isOver = hasAllRounds(parameters, look.finalisedRounds);
  const weight = client?.weight ?? 0;
  const registration: Registration = isOver
    ? "over"
    : client !== undefined && isListed(client)
      ? "registered"
      : parameters.openRegistration
        ? "open"
        : "unlisted";
  return {
    ...{ name: document.name, description: document.description },
    ...{ chainId: chain.context.chainId.toString(), contract: chain.context.contract, operator },
    isTrainedHere: document.model["kind"] !== "external",
    hasSchema: document.data !== undefined || isStatistics(document.model),
    round: {
      ...{ number: Number(round.number), phase: round.phase },
      deadline: TIMED.includes(round.phase) ? round.deadline : 0,
      ...{ submitted: round.submitted, expected: round.expected, isBuffer: isBuffer(parameters) },
    },
    ...{ finalisedRounds: look.finalisedRounds, maxRounds: parameters.maxRounds },
    terms: termsOf(task, { weight }),
    privacy: privacySummary(task, Number(look.privacySpent)),
    roundMinutes: (parameters.collectSeconds + parameters.attestSeconds + parameters.aggregateSeconds) / 60,
    registration,
    ...(account === undefined ? {} : { funds: await fundsOf(task, endpoint, account, registration) }),
  };
}

async function fundsOf(
  { layout, parameters }: OpenTask,
  { provider, request }: Endpoint,
  account: string,
  registration: Registration,
): Promise<Funds> {
  const [balance, fees] = await request(() => Promise.all([provider.getBalance(account), provider.getFeeData()]));
  const kinds = new Set(layout.chunks.map(({ kindIndex }) => kindIndex)).size;
  const gas = roundGas("client", { chunks: layout.chunks.length, kinds, quorum: parameters.quorum });
  const perRound = BigInt(Math.ceil(gas * MARGIN)) * offered(feesOf(fees));
  const needed = perRound + (registration === "open" ? parameters.bondWei : 0n);
  return {
    ...{ balance: formatEther(balance), gas, perRound: formatEther(perRound) },
    isEnough: balance >= needed && balance > 0n,
  };
}

/** By transaction and the block that it is in: a page looks every second, and none of them changes. */
export type KnownCosts = Map<string, TransactionCost>;

/** Latest first. @param costs that were asked for before; it grows */
export async function contributionsOf(
  chain: Pick<TaskReader, "look" | "transactionCost">,
  task: Pick<OpenTask, "layout" | "parameters">,
  account: string,
  costs: KnownCosts,
): Promise<readonly Contribution[]> {
  const look = await chain.look();
  const found: Contribution[] = [];
  for (let round = look.round.number; round > 0n; round--) {
    const records = look.records(round);
    const own = records.submitted.find(({ client }) => client.toLowerCase() === account);
    if (own === undefined) continue;
    const { settled } = records;
    const key = `${own.transactionHash} ${own.blockNumber}`;
    const cost = costs.get(key) ?? (await chain.transactionCost(own.transactionHash));
    if (cost !== undefined) costs.set(key, cost);
    const isOwn = cost?.sender.toLowerCase() === account;
    found.push({
      round: Number(round),
      state: settled === undefined ? "accepted" : hasClient(settled.included, own.index) ? "counted" : "left out",
      ...{ transaction: own.transactionHash, block: own.blockNumber },
      gas: cost !== undefined && isOwn ? Number(cost.gasUsed) : null,
      proofBytes: callBytes(round, own.submission),
      shareBytes: shareBytes(task, records),
    });
  }
  return found;
}

/** The call that carries proofs and commitment. */
function callBytes(round: bigint, submission: Submission): number {
  return VERISUM_INTERFACE.encodeFunctionData("submit", [round, encodeSubmission(submission)]).length / 2 - 1;
}

/** Of one encrypted share for each seat that had a key when the round opened. */
function shareBytes({ layout, parameters }: Pick<OpenTask, "layout" | "parameters">, { opened }: RoundRecords): number {
  const shape = { elementCount: layout.elementCount, threshold: parameters.threshold };
  const seats = Array.from({ length: parameters.committeeSize }, (_, i) => i + 1);
  return seats
    .filter((seat) => opened !== undefined && hasSeat(opened.keyMask, seat))
    .reduce((sum, seat) => sum + sealedShareBytes(seat, shape), 0);
}
