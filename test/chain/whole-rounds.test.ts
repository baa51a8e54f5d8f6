/**
 * Whole rounds of a task with buffers on EVMs that are other people's: Foundry's anvil, and geth where it is there
 * (GETH_BIN, or `geth` in PATH). Proofs, openings and signatures are checked by their precompiles.
 */
import assert from "node:assert/strict";
import { JsonRpcProvider } from "ethers";
import { after, before, describe, it } from "mocha";
import { connectWriter } from "../../chain/connect.ts";
import { deployTask } from "../../chain/deploy.ts";
import { developmentWallet as wallet } from "../../demo/development-wallet.ts";
import { Processes } from "../../demo/processes.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { hasAnvil, startAnvil } from "../adversarial/anvil.ts";
import { Scene, STRANGER_ACCOUNT } from "../support/contract-scene.ts";
import type { ModelNumber, SuiteChain } from "../support/contract-scene.ts";
import { GETH, startGeth } from "../support/geth.ts";
import { word } from "../support/random.ts";
import { KEYS_BLOB, maskOf, PARAMETERS } from "../support/task-on-chain.ts";

/** Four are waited for; one model older than the latest is taken. */
const BUFFER = { bufferGoal: 4, maxStaleness: 1, minSeparation: 1, minCollectSeconds: 0, maxWeight: 127 } as const;
const ACCOUNTS = STRANGER_ACCOUNT + 1;
const ALL = 0b1111n;

/** A chain on which time passes by itself. */
function chainAt(rpc: string): SuiteChain {
  const provider = new JsonRpcProvider(rpc, undefined, { cacheTimeout: -1 });
  return {
    deploy: async (parameters) => {
      const operator = wallet(0);
      return (await deployTask(operator.connect(provider), parameters, fromHex(KEYS_BLOB), operator.address)).contract;
    },
    writer: (contract, account) => connectWriter({ rpc, contract, confirmations: 0, wallet: wallet(account) }),
    setNextTime: () => Promise.resolve(),
    close: async () => provider.destroy(),
  };
}

/** What an EVM needs to be tried. */
interface OtherEvm {
  readonly name: string;
  readonly isThere: boolean;
  start(processes: Processes): Promise<{ readonly rpc: string; readonly clean: () => Promise<void> }>;
}

const accounts = Array.from({ length: ACCOUNTS }, (_, i) => wallet(i).address);
const EVMS: readonly OtherEvm[] = [
  {
    name: "anvil",
    isThere: hasAnvil(),
    start: async (processes) => ({ ...(await startAnvil(processes, ACCOUNTS)), clean: () => Promise.resolve() }),
  },
  { name: "geth", isThere: GETH !== undefined, start: (processes) => startGeth(processes, accounts) },
];

for (const evm of EVMS)
  (evm.isThere ? describe : describe.skip)(`whole rounds on ${evm.name}`, function () {
    this.timeout(600_000);
    const processes = new Processes();
    let chain: SuiteChain;
    let scene: Scene;
    let clean = (): Promise<void> => Promise.resolve();

    before(async () => {
      const started = await evm.start(processes);
      clean = started.clean;
      chain = chainAt(started.rpc);
      const parameters = { ...PARAMETERS, ...BUFFER };
      const contract = await chain.deploy(parameters);
      const writers = Array.from({ length: ACCOUNTS }, (_, account) => chain.writer(contract, account));
      scene = new Scene(chain, parameters, await Promise.all(writers), 0);
      await scene.registers([1, 2, 3, 127]);
    });
    after(async () => {
      await chain.close();
      await processes.stopAll();
      await clean();
    });

    const keyed = async (round: bigint): Promise<void> => {
      await Promise.all(scene.members.map((member, i) => member.registerRoundKeys(round, [word(`${round} ${i}`)])));
    };
    const submitsOn = async (round: bigint, index: number, from?: ModelNumber): Promise<void> => {
      const client = scene.clients[index]!;
      await client.submit(round, await scene.submissionOf(client, "whole", from));
    };

    it("leave out a client that the members refuse, with the rest in one batch", async () => {
      const { stranger, clients } = scene;
      await keyed(1n);
      await keyed(2n);
      await scene.does(() => stranger.openRound());
      await submitsOn(1n, 0);
      const signed = await Promise.all(
        clients.slice(1).map(async (client) => client.signSubmission(1n, await scene.submissionOf(client, "whole"))),
      );
      await stranger.submitBatch(1n, signed);
      assert.equal((await stranger.round()).phase, "Attesting");
      // The heaviest is refused by all.
      const { submitted } = await stranger.records(1n);
      const heaviest = submitted.find(({ weight }) => weight === 127)!;
      const bit = 1n << BigInt(heaviest.index);
      const statements = await scene.statesOf(1n, ALL & ~bit, [1, 2, 3, 4], bit);
      await scene.refuses("VerisumExcludedMissing", () => stranger.settle(1n, statements, 0b1111n, []));
      await stranger.settle(1n, statements, 0b1111n, [heaviest]);
      const { phase, totalWeight } = await stranger.round();
      assert.deepEqual([phase, totalWeight], ["Aggregating", 6]);
      const result = await scene.resultOf(1n, [2, 4]);
      await scene.refuses("VerisumOpeningInvalid", () => stranger.finalize(...withEvaluation(result, 6n)));
      await scene.does(() => stranger.finalize(...result));
      const { number, phase: next } = await stranger.round();
      assert.deepEqual([number, next, await stranger.finalisedRounds()], [2n, "Collecting", 1]);
    });

    it("take an update of the model before beside those of the latest, and settle on everybody", async () => {
      const { stranger, clients, operator, parameters } = scene;
      const genesis = { base: 0n, baseModelDigest: parameters.genesisDigest };
      const digest = (await stranger.latestModel()).digest;
      await scene.refuses("VerisumBaseUnknown", () => submitsOn(2n, 0, { base: 2n, baseModelDigest: digest }));
      await scene.refuses("VerisumProofInvalid", () => submitsOn(2n, 0, { ...genesis, base: 1n }));
      await submitsOn(2n, 0, genesis);
      await scene.does(() => operator.removeClient(clients[3]!.account));
      for (const index of [1, 2, 3]) await submitsOn(2n, index);
      await stranger.settle(2n, await scene.statesOf(2n, ALL), maskOf([1, 2, 3, 4]), []);
      await scene.does(async () => stranger.finalize(...(await scene.resultOf(2n, [1, 3]))));
      assert.equal((await stranger.round()).phase, "Finalised");
    });

    it("open again when enough clients are there, and take no older base", async () => {
      const { stranger, clients, operator, parameters } = scene;
      await keyed(3n);
      await scene.refuses("VerisumGoalUnreachable", () => stranger.openRound());
      await operator.registerClient(clients[3]!.account, 5);
      await scene.does(() => stranger.openRound());
      const genesis = { base: 0n, baseModelDigest: parameters.genesisDigest };
      await scene.refuses("VerisumBaseTooOld", () => submitsOn(3n, 0, genesis));
      await submitsOn(3n, 0);
      await scene.refuses("VerisumAlreadySubmitted", () => submitsOn(3n, 0));
    });
  });

type ResultCall = Awaited<ReturnType<Scene["resultOf"]>>;

/** The same call with another evaluation, which the opening is none of. */
function withEvaluation([round, result, , ...rest]: ResultCall, evaluation: bigint): ResultCall {
  return [round, result, evaluation, ...rest];
}
