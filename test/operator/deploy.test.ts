/** What an operator pays for: checked before anything is sent, sent once whatever happens. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import type { Wallet } from "ethers";
import { connectReader } from "../../chain/connect.ts";
import { deployEmptyGroup } from "../../operator/deploy-group.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import type { ChainIdentity } from "../../operator/deploy-task.ts";
import { openPaymentRecord } from "../../operator/payment-record.ts";
import type { PaymentRecord } from "../../operator/payment-record.ts";
import type { PreparedTask } from "../../operator/prepare-task.ts";
import type { TransactionRecord } from "../../operator/recorded-sender.ts";
import { registerLater } from "../../operator/register.ts";
import type { Roster } from "../../operator/roster.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { startPayingChain } from "../support/paying-chain.ts";
import type { PayingChain } from "../support/paying-chain.ts";
import { word } from "../support/random.ts";
import { KEYS_BLOB, PARAMETERS } from "../support/task-on-chain.ts";

const PREPARED: PreparedTask = { parameters: PARAMETERS, keys: KEYS_BLOB };
const account = (name: string): Hex => `0x${word(name).slice(-40)}`;
const MEMBERS = [1, 2, 3, 4].map((i) => account(`member ${i}`));
const CLIENTS = [1, 2, 3].map((i) => ({ account: account(`client ${i}`), weight: i }));
const ROSTER: Roster = { members: MEMBERS, clients: CLIENTS, fundWei: 10n ** 15n };

class Crash extends Error {}

describe("a deployment", function () {
  this.timeout(120_000);
  let chain: PayingChain;
  let root: string;
  let directory: string;
  let back: () => Promise<void>;
  let operator: Wallet;
  before(async () => {
    chain = await startPayingChain();
    operator = chain.wallet(0);
  });
  beforeEach(async () => {
    root = directory = await mkdtemp(join(tmpdir(), "verisum-deploy-"));
    back = await chain.snapshot();
  });
  afterEach(async () => {
    chain.fault = undefined;
    await back();
    await rm(root, { recursive: true });
  });
  after(() => chain.close());

  const quiet = (): void => undefined;
  const nonceOf = (wallet: Wallet): Promise<number> => chain.nonceOf(wallet.address);
  /** Deploys as the command does, with its record on the disk. */
  const deploy = async (
    roster = ROSTER,
    again = false,
    hooks: { readonly before: () => void; readonly after: () => void } = { before: quiet, after: quiet },
  ): Promise<Hex> => {
    let record: PaymentRecord | undefined;
    try {
      const { contract } = await deployPreparedTask(chain.rpc, operator, PREPARED, roster, quiet, {
        record: async (identity: ChainIdentity) =>
          hooked((record = await openPaymentRecord(directory, { purpose: { ...identity }, details: roster, again }))),
      });
      await record?.finish();
      return contract;
    } finally {
      await record?.close();
    }
    function hooked(own: PaymentRecord): TransactionRecord {
      return {
        get transactions() {
          return own.transactions;
        },
        add: async (transaction) => {
          hooks.before();
          await own.add(transaction);
          hooks.after();
        },
      };
    }
  };
  const TRANSACTIONS = 1 + (MEMBERS.length + CLIENTS.length) * 2;

  it("registers everybody, funds everybody, and pays no more when it is repeated", async () => {
    const contract = await deploy();
    const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
    assert.deepEqual(await reader.members(), MEMBERS);
    for (const client of CLIENTS) {
      assert.equal((await reader.client(client.account)).weight, client.weight);
      assert.equal(await chain.balanceOf(client.account), ROSTER.fundWei);
    }
    assert.equal(await nonceOf(operator), TRANSACTIONS);
    assert.equal(await deploy(), contract);
    assert.equal(await nonceOf(operator), TRANSACTIONS);
    assert.notEqual(await deploy(ROSTER, true), contract);
    assert.equal(await nonceOf(operator), 2 * TRANSACTIONS);
  });

  /** Ends the first attempt as a kill would, before transaction `stopAt` is recorded, before it is sent, or after. */
  const crash = async (moment: (typeof MOMENTS)[number], stopAt: number): Promise<void> => {
    let sent = 0;
    const isDue = (): boolean => sent++ === stopAt;
    if (moment === "before it is sent")
      chain.fault = (method, pass, refuse) => (method === "eth_sendRawTransaction" && isDue() ? refuse() : pass());
    const fault = (): void => {
      if (moment !== "before it is sent" && isDue()) throw new Crash();
    };
    const isBefore = moment === "before it is recorded";
    await assert.rejects(deploy(ROSTER, false, { before: isBefore ? fault : quiet, after: isBefore ? quiet : fault }));
    chain.fault = undefined;
  };
  const MOMENTS = ["before it is recorded", "once it is recorded", "before it is sent"] as const;
  for (const moment of MOMENTS) {
    it(`that is killed with any of its transactions, ${moment}, goes on and pays for each once`, async () => {
      for (let stopAt = 0; stopAt < TRANSACTIONS; stopAt++) {
        const undo = await chain.snapshot();
        directory = await mkdtemp(join(root, "stop-"));
        await crash(moment, stopAt);
        const contract = await deploy();
        assert.equal(await nonceOf(operator), TRANSACTIONS, `transaction ${stopAt}`);
        for (const address of [...MEMBERS, ...CLIENTS.map((client) => client.account)])
          assert.equal(await chain.balanceOf(address), ROSTER.fundWei);
        const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
        assert.equal(await reader.clientCount(), CLIENTS.length);
        await undo();
      }
    });
  }

  it("whose answer is lost after a transaction was taken goes on", async () => {
    let answers = 0;
    // Each transaction's first answer; the second attempt is told that it is known.
    chain.fault = async (method, pass) => {
      const answer = await pass();
      if (method === "eth_sendRawTransaction" && answers++ % 2 === 0) throw new Crash();
      return answer;
    };
    await deploy();
    assert.equal(answers, 2 * TRANSACTIONS);
    assert.equal(await nonceOf(operator), TRANSACTIONS);
  });

  it("sends nothing for a price that an endpoint makes up", async () => {
    for (const method of ["eth_maxPriorityFeePerGas", "eth_gasPrice"]) {
      chain.fault = async (asked, pass) => {
        const answer = (await pass()) as { result?: Record<string, unknown> };
        if (asked === method) return { ...answer, result: "0x38d7ea4c68000" };
        if (method !== "eth_gasPrice" || asked !== "eth_getBlockByNumber") return answer;
        const { baseFeePerGas: _, ...block } = answer.result!;
        return { ...answer, result: block };
      };
      await rejectsCode(() => deploy(), "CHAIN_FEES_TOO_HIGH");
    }
    assert.equal(await nonceOf(operator), 0);
  });

  it("that is unfinished is not begun anew with other accounts, unless that is asked for", async () => {
    chain.fault = (method, pass, refuse) => (method === "eth_sendRawTransaction" ? refuse() : pass());
    await assert.rejects(deploy());
    chain.fault = undefined;
    const other = { ...ROSTER, clients: CLIENTS.slice(1) };
    await rejectsCode(() => deploy(other), "PAYMENT_UNFINISHED");
    assert.equal(await nonceOf(operator), 0);
    await deploy(other, true);
    assert.equal(await nonceOf(operator), TRANSACTIONS - 2);
  });

  const refusals: readonly [string, ErrorCode, Partial<PreparedTask>, Partial<Roster>][] = [
    ["a member twice", "ROSTER_INVALID", {}, { members: [...MEMBERS.slice(1), MEMBERS[1]!] }],
    ["a client twice", "ROSTER_INVALID", {}, { clients: [...CLIENTS, { ...CLIENTS[0]!, weight: 3 }] }],
    ["nobody's account", "ROSTER_INVALID", {}, { members: [`0x${"0".repeat(40)}`] }],
    ["more members than seats", "ROSTER_INVALID", {}, { members: [...MEMBERS, account("fifth")] }],
    ["a weight of 0", "ROSTER_INVALID", {}, { clients: [{ account: account("client"), weight: 0 }] }],
    ["a weight that is not a number", "ROSTER_INVALID", {}, { clients: [{ account: account("client"), weight: NaN }] }],
    ["weights above 511 together", "ROSTER_INVALID", {}, { clients: CLIENTS.map((one) => ({ ...one, weight: 200 })) }],
    [
      "weights where all are 1",
      "ROSTER_INVALID",
      { parameters: { ...PARAMETERS, uniformWeights: true, maxWeight: 1 } },
      { clients: CLIENTS },
    ],
    [
      "a list where registration is open",
      "ROSTER_INVALID",
      { parameters: { ...PARAMETERS, openRegistration: true, bondWei: 1n } },
      {},
    ],
    ["parameters against the rules", "PARAMETERS_INVALID", { parameters: { ...PARAMETERS, quorum: 9 } }, {}],
    [
      "other keys than the hash names",
      "TASK_DEPLOYMENT_INVALID",
      { parameters: { ...PARAMETERS, keysHash: word("x") } },
      {},
    ],
    ["a group that is not there", "CELLS_GROUP_INVALID", { group: account("nobody") }, {}],
    ["more money than there is", "CHAIN_FUNDS_MISSING", {}, { fundWei: 10n ** 24n }],
  ];
  for (const [name, code, prepared, roster] of refusals) {
    it(`is refused before anything is sent: ${name}`, async () => {
      const attempt = deployPreparedTask(
        chain.rpc,
        operator,
        { ...PREPARED, ...prepared },
        { ...ROSTER, ...roster },
        quiet,
      );
      await rejectsCode(attempt, code);
      assert.equal(await nonceOf(operator), 0);
    });
  }

  it("is refused from an account without funds, on another chain, and on one from before Cancun", async () => {
    const attempt = (wallet: Wallet, chainId?: bigint): Promise<unknown> =>
      deployPreparedTask(chain.rpc, wallet, PREPARED, ROSTER, quiet, { chainId });
    await rejectsCode(attempt(chain.stranger), "CHAIN_FUNDS_MISSING");
    await rejectsCode(attempt(operator, 1n), "CHAIN_WRONG_NETWORK");
    const old = await startPayingChain({ hardfork: "shanghai" });
    try {
      await rejectsCode(deployPreparedTask(old.rpc, old.wallet(0), PREPARED, ROSTER, quiet), "CHAIN_TOO_OLD");
      await rejectsCode(deployEmptyGroup(old.rpc, old.wallet(0), 2), "CHAIN_TOO_OLD");
      assert.equal(await old.nonceOf(old.wallet(0).address), 0);
    } finally {
      await old.close();
    }
  });

  it("is refused where its windows are shorter than the chain's finality, unless they are taken as they are", async () => {
    const slow = await startPayingChain({ chainId: 4242 });
    const wallet = slow.wallet(0);
    const attempt = (confirmations: number, acceptShortWindows = false): Promise<unknown> =>
      deployPreparedTask(slow.rpc, wallet, PREPARED, ROSTER, quiet, { confirmations, acceptShortWindows });
    try {
      await slow.mine(100, 1);
      const enough = PARAMETERS.aggregateSeconds - 1;
      await rejectsCode(attempt(enough + 1), "WINDOWS_TOO_SHORT");
      assert.equal(await slow.nonceOf(wallet.address), 0);
      const undo = await slow.snapshot();
      await attempt(enough);
      await undo();
      await attempt(enough + 1, true);
      assert.equal(await slow.nonceOf(wallet.address), TRANSACTIONS);
    } finally {
      await slow.close();
    }
  });

  it("can be completed later, by the operator alone", async () => {
    const { contract } = await deployPreparedTask(chain.rpc, operator, PREPARED, { members: [], clients: [] }, quiet);
    const register = (wallet: Wallet, roster: Roster): Promise<void> =>
      registerLater(chain.rpc, contract, wallet, roster, quiet);
    await rejectsCode(register(chain.wallet(1), ROSTER), "ROLE_NOT_REGISTERED");
    await register(operator, { members: MEMBERS.slice(0, 2), clients: CLIENTS.slice(0, 1) });
    await register(operator, ROSTER);
    const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
    assert.deepEqual(await reader.members(), MEMBERS);
    assert.equal(await reader.clientCount(), CLIENTS.length);
    const count = await nonceOf(operator);
    await register(operator, { members: MEMBERS, clients: CLIENTS });
    assert.equal(await nonceOf(operator), count);
    await rejectsCode(register(operator, { members: [account("fifth")], clients: [] }), "ROSTER_INVALID");
    await rejectsCode(register(operator, { members: [], clients: [{ ...CLIENTS[0]!, weight: 9 }] }), "ROSTER_INVALID");
    await rejectsCode(registerLater(chain.rpc, account("nobody"), operator, ROSTER, quiet), "CHAIN_NO_CONTRACT");
  });

  it("of a cell is registered with its group, whose operator alone may do that", async () => {
    const groupWallet = chain.wallet(1);
    const { contract: group } = await deployEmptyGroup(chain.rpc, groupWallet, 2);
    const prepared = { ...PREPARED, group };
    await rejectsCode(deployPreparedTask(chain.rpc, operator, prepared, ROSTER, quiet), "CELLS_GROUP_INVALID");
    assert.equal(await nonceOf(operator), 0);
    const { contract } = await deployPreparedTask(chain.rpc, operator, prepared, ROSTER, quiet, { groupWallet });
    const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
    assert.deepEqual((await reader.cellGroup(group)).cells, [contract]);
    const same = await deployPreparedTask(chain.rpc, groupWallet, prepared, ROSTER, quiet);
    assert.deepEqual((await reader.cellGroup(group)).cells, [contract, same.contract]);
    await rejectsCode(
      deployPreparedTask(chain.rpc, operator, prepared, ROSTER, quiet, { groupWallet }),
      "CELLS_GROUP_FULL",
    );
  });
});
