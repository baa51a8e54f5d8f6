/** `TaskReader` over a chain in memory. */
import { lastStepOf, lookOf, recordsOf, registeredClients } from "../../../chain/round-records.ts";
import type { TaskLog } from "../../../chain/logs.ts";
import type { TaskLook, TaskReader } from "../../../chain/task-chain.ts";
import { ZERO_WORD } from "../../../protocol/transcript.ts";
import type { Hex } from "../../../protocol/transcript.ts";
import type { MemoryChain } from "./chain.ts";
import { word } from "../random.ts";
import { roundOf } from "./rounds.ts";
import { registered } from "./state.ts";
import type { State } from "./state.ts";

/** @throws CHAIN_NO_CONTRACT */
export function memoryReader(chain: MemoryChain, contract: Hex, confirmations: number): TaskReader {
  const deployed = chain.contractAt(contract);
  /** What callers get stays as it is: a call replaces the state, and adds logs. */
  const state = async (): Promise<State> => deployed.state;
  const logs = async (): Promise<readonly TaskLog[]> => [...deployed.logs];
  const lookNow = (): TaskLook => {
    const { state: now, logs: events } = deployed;
    const { model: latestModel, finalisedRounds, members, privacySpent } = now;
    const [memberCount, clientCount] = [members.length, registered(now).length];
    return lookOf({
      counters: {
        round: roundOf(now, chain.latestTime),
        latestModel,
        finalisedRounds,
        memberCount,
        clientCount,
        privacySpent,
      },
      logs: [...events],
      latest: chain.latest,
      finalBlock: chain.blockNumber - confirmations,
    });
  };
  return {
    context: deployed.state.context,
    deployments: async () => [deployed.state.context.deployment],
    parameters: async () => (await state()).parameters,
    parametersHash: async () => (await state()).parametersHash,
    operator: async () => (await state()).operator,
    verificationKeys: async () => deployed.keys.slice(),
    round: async () => roundOf(await state(), chain.latestTime),
    latestModel: async () => (await state()).model,
    finalisedRounds: async () => (await state()).finalisedRounds,
    privacySpent: async () => (await state()).privacySpent,
    client: async (account) => {
      const none = { weight: 0n, activeFromRound: 0n, lastSubmittedRound: 0n, bondWei: 0n };
      const { weight, ...rest } = (await state()).clients.get(account.toLowerCase() as Hex) ?? none;
      return { weight: Number(weight), ...rest };
    },
    clientCount: async () => registered(await state()).length,
    clients: async () => registeredClients(await logs()),
    members: async () => (await state()).members,
    roundKey: async (round, seat) => (await state()).roundKeys.get(`${round} ${seat}`) ?? ZERO_WORD,
    records: async (round) => recordsOf(await logs(), round, chain.blockNumber - confirmations),
    lastChunkStep: async (round, account) => lastStepOf(await logs(), round, account),
    finalisedRoundNumbers: async () =>
      (await logs()).flatMap(({ name, args }) => (name === "Finalised" ? [args.round] : [])),
    endpoints: async () =>
      new Map(
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
    origin: async () => ({ number: deployed.block, hash: word(`${contract} ${deployed.block}`) }),
    reread: async () => undefined,
    save: async () => undefined,
    cellGroup: async (group) => structuredClone(chain.groupAt(group)),
    at: async (other) => memoryReader(chain, other, confirmations),
  };
}
