/** `TaskReader` over a chain in memory. */
import { toBeHex } from "ethers";
import { latestOf } from "../../../chain/announcements.ts";
import { accountsFrom, membersIn } from "../../../chain/lists.ts";
import { lastStepOf, lookOf } from "../../../chain/round-records.ts";
import type { TaskLog } from "../../../chain/logs.ts";
import type { TaskLook, TaskReader } from "../../../chain/task-chain.ts";
import { ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import type { MemoryChain } from "./chain.ts";
import { word } from "../random.ts";
import { roundOf } from "./rounds.ts";
import { registered } from "./state.ts";
import type { State } from "./state.ts";

/** Of a contract's state, the last look at it: until the next block every reader sees the same. */
const LOOKS = new WeakMap<State, { readonly tip: object; readonly finalBlock: number; readonly look: TaskLook }>();

/** @throws CHAIN_NO_CONTRACT */
export function memoryReader(chain: MemoryChain, contract: Hex, confirmations: number): TaskReader {
  const deployed = chain.contractAt(contract);
  /** What callers get stays as it is: a call replaces the state, and adds logs. */
  const state = async (): Promise<State> => deployed.state;
  const logs = async (): Promise<readonly TaskLog[]> => [...deployed.logs];
  const lookNow = (): TaskLook => {
    const { tip, blockNumber } = chain;
    const finalBlock = blockNumber - confirmations;
    const last = LOOKS.get(deployed.state);
    if (last?.tip === tip && last.finalBlock === finalBlock) return last.look;
    const look = newLook(finalBlock);
    LOOKS.set(deployed.state, { tip, finalBlock, look });
    return look;
  };
  const newLook = (finalBlock: number): TaskLook => {
    const { state: now, logs: events } = deployed;
    const { model: latestModel, finalisedRounds, seats, privacySpent, listChanges } = now;
    const [memberCount, clientCount] = [seats.length, registered(now).length];
    return lookOf({
      counters: {
        round: roundOf(now, chain.latestTime),
        latestModel,
        finalisedRounds,
        memberCount,
        clientCount,
        listChanges,
        privacySpent,
      },
      logs: [...events],
      latest: chain.latest,
      finalBlock,
    });
  };
  return {
    context: deployed.state.context,
    deployments: async () => [deployed.state.context.deployment],
    parameters: async () => (await state()).parameters,
    parametersHash: async () => (await state()).parametersHash,
    requireReleasedCode: async () => undefined,
    operator: async () => (await state()).operator,
    verificationKeys: async () => deployed.keys.slice(),
    round: async () => roundOf(await state(), chain.latestTime),
    latestModel: async () => (await state()).model,
    finalisedRounds: async () => (await state()).finalisedRounds,
    privacySpent: async () => (await state()).privacySpent,
    client: async (account) => {
      const { clients, parameters } = await state();
      const client = clients.get(account.toLowerCase() as Hex);
      const none = { activeFromRound: 0n, untilRound: 0n, lastSubmittedRound: 0n, bondWei: 0n, moved: false };
      if (client === undefined) return { ...none, weight: 0, refusals: 0, includedRounds: 0 };
      const { weight, refusals, includedRounds, ...rest } = client;
      // The contract counts them only where there is a limit.
      const counted = parameters.maxRoundsPerClient === 0 ? 0 : Number(includedRounds);
      return { ...rest, weight: Number(weight), refusals: Number(refusals), includedRounds: counted };
    },
    clientCount: async () => registered(await state()).length,
    clients: async () => accountsFrom(lookNow().clientTerms, (await state()).header.number),
    seats: async () => lookNow().seats,
    clientTerms: async () => lookNow().clientTerms,
    members: async (round) => membersIn(lookNow().seats, round ?? (await state()).header.number),
    roundKey: async (round, seat) => (await state()).roundKeys.get(`${round} ${seat}`) ?? ZERO_WORD,
    records: async (round) => lookNow().records(round),
    lastChunkStep: async (round, account) => lastStepOf(await logs(), round, account),
    finalisedRoundNumbers: async () =>
      (await logs()).flatMap(({ name, args }) => (name === "Finalised" ? [args.round] : [])),
    endpoints: async () =>
      latestOf(
        (await logs()).flatMap(({ name, args }): [Hex, string][] =>
          name === "EndpointAnnounced" ? [[args.account, args.endpoint]] : [],
        ),
      ),
    blockTime: async () => chain.nextTime,
    latestBlock: async () => chain.blockNumber,
    finalBlock: async () => chain.blockNumber - confirmations,
    block: async (number) => chain.blockAt(number),
    // Gas is not counted here.
    transactionCost: async () => undefined,
    timing: async () => ({ secondsPerBlock: 0, finalitySeconds: 0 }),
    closedRound: async () => lookNow().closedRound,
    look: async () => lookNow(),
    deployedIn: async () => ({
      number: deployed.block,
      ...{ parentHash: toBeHex(deployed.block - 1, 32) as Hex, prevRandao: ZERO_WORD },
    }),
    origin: async () => ({ number: deployed.block, hash: word(`${contract} ${deployed.block}`) }),
    reread: async () => undefined,
    rereadRound: async () => undefined,
    save: async () => undefined,
    cellGroup: async (group) => structuredClone(chain.groupAt(group)),
    at: async (other) => memoryReader(chain, other, confirmations),
  };
}
