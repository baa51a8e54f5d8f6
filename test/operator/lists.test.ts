/** Who takes part in a task after it is deployed: added, shown, and a round opened, by the operator's commands. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { Contract, JsonRpcProvider } from "ethers";
import type { ContractTransactionResponse } from "ethers";
import { encodeParameters } from "../../chain/codec.ts";
import { connectReader, connectWriter } from "../../chain/connect.ts";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { acceptInvitation } from "../../client/invited.ts";
import { deployPreparedTask } from "../../operator/deploy-task.ts";
import type { Listing } from "../../operator/listing.ts";
import { openNextRound } from "../../operator/open-round.ts";
import { volatileRecord } from "../../operator/payment-record.ts";
import { registerLater } from "../../operator/register.ts";
import type { Roster } from "../../operator/roster.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { startPayingChain } from "../support/paying-chain.ts";
import type { PayingChain } from "../support/paying-chain.ts";
import { word } from "../support/random.ts";
import { KEYS_BLOB, PARAMETERS } from "../support/task-on-chain.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const account = (name: string): Hex => `0x${word(name).slice(-40)}`;
const quiet = (): void => undefined;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe("a task's lists", function () {
  this.timeout(300_000);
  let chain: PayingChain;
  let root: string;
  let back: () => Promise<void>;
  before(async () => void (chain = await startPayingChain()));
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "verisum-lists-"));
    back = await chain.snapshot();
  });
  afterEach(async () => {
    chain.fault = undefined;
    await back();
    await rm(root, { recursive: true });
  });
  after(() => chain.close());

  const addressOf = (index: number): Hex => chain.wallet(index).address.toLowerCase() as Hex;
  const deploy = async (parameters: Partial<TaskParameters> = {}, roster: Partial<Roster> = {}): Promise<Hex> => {
    const prepared = { parameters: { ...PARAMETERS, ...parameters }, keys: KEYS_BLOB };
    const whom = { members: [], clients: [], ...roster };
    return (await deployPreparedTask(chain.rpc, chain.wallet(0), prepared, whom, quiet)).contract;
  };
  const command = (...args: readonly string[]): Promise<Ended> => run("fl-operator", ...args, "--rpc", chain.rpc);
  /** Runs a command in a process of its own. */
  const run = async (program: string, ...args: readonly string[]): Promise<Ended> => {
    const child = spawn(process.execPath, [`bin/${program}.mjs`, ...args], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const [status] = (await once(child, "exit")) as [number | null];
    return { status, stdout: await stdout, stderr: await stderr };
  };
  const registerKeys = async (contract: Hex, seat: number, count = 2): Promise<void> => {
    const member = await connectWriter({ rpc: chain.rpc, contract, wallet: chain.wallet(seat), confirmations: 0 });
    const keys = Array.from({ length: count }, (_, i) => word(`key ${seat} ${i}`));
    await member.registerRoundKeys((await member.round()).number + 1n, keys);
  };

  it("are filled by the commands after a deployment by Ignition, and its first round opens", async () => {
    const contract = await chain.ignite({
      task: encodeParameters(PARAMETERS),
      keysBlob: KEYS_BLOB,
      operator: addressOf(0),
    });
    const key = join(root, "operator.key");
    await writeFile(key, chain.wallet(0).privateKey, { mode: 0o600 });
    const paying = ["--contract", contract, "--key", key, "--out", join(root, "deployments")];
    const refused = await command("open", ...paying);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /ROUND_CANNOT_OPEN: .*0 of 4 seats .*; 0 of at least 3 clients/);
    const members = [1, 2, 3, 4].map((i) => chain.wallet(i).address);
    const clients = [5, 6, 7].map((i) => `${chain.wallet(i).address}:${i}`);
    for (const line of [
      ["add-member", ...members, ...paying],
      ["add-client", ...clients, ...paying],
      ["add-client", ...clients, ...paying],
    ]) {
      const { status, stdout, stderr } = await command(...line);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, `${contract}\n`);
    }
    for (const seat of [1, 2, 3, 4]) await registerKeys(contract, seat);
    const opened = await command("open", ...paying);
    assert.equal(opened.stdout, "1\n", opened.stderr);
    const shown = await command("list", "--contract", contract, "--confirmations", "0", "--format", "json");
    const { data } = JSON.parse(shown.stdout) as { readonly data: Listing };
    assert.deepEqual(
      data.members.map(({ seat, account: member, keysAhead }) => [seat, member, keysAhead]),
      [1, 2, 3, 4].map((i) => [i, addressOf(i), 1]),
    );
    assert.deepEqual(
      data.clients,
      [5, 6, 7].map((i) => ({
        ...{ account: addressOf(i), weight: i, activeFromRound: "1", bondWei: "0", submissions: 0 },
        ...{ untilRound: null, refusals: 0, includedRounds: 0 },
      })),
    );
    assert.deepEqual([data.round, data.phase], ["1", "Collecting"]);
    assert.match(data.obstacles.join(), /round 1 is Collecting/);
  });

  it("are joined by an invitation of the operator's, on its chain only", async () => {
    const contract = await deploy();
    const [key, other, file] = ["operator.key", "other.key", "invitation.json"].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(key, chain.wallet(0).privateKey, { mode: 0o600 });
    await writeFile(other, chain.wallet(1).privateKey, { mode: 0o600 });
    const invite = ["invite", "--contract", contract, "--peer", "https://peer.example", "--out", file];
    assert.match((await command(...invite, "--key", other)).stderr, /ROLE_NOT_REGISTERED/);
    const blind = await command("invite", "--contract", contract, "--out", file, "--key", key);
    assert.deepEqual([blind.status, /nobody can join by it before/.test(blind.stderr)], [0, true], blind.stderr);
    const long = await command(...invite, "--key", key, "--expires", "99999999d");
    assert.deepEqual([long.status, /at most 9999/.test(long.stderr)], [4, true], long.stderr);
    const { stdout: help } = await command("invite", "--help");
    assert.match(help, /\(default: 7d\)/);
    const { stdout, stderr } = await command(...invite, "--key", key, "--expires", "1h");
    assert.equal(stdout, `${file}\n`, stderr);
    const now = Math.floor(Date.now() / 1000);
    const found = await acceptInvitation(file, {}, now);
    assert.deepEqual(found, { contract, chainId: 31_337n, rpc: [chain.rpc], peers: ["https://peer.example"] });
    await rejectsCode(acceptInvitation(file, { chainId: 77n }, now), "CHAIN_WRONG_NETWORK", {
      actual: 31_337n,
      expected: 77n,
    });
    assert.deepEqual(await acceptInvitation(file, { chainId: 31_337n }, now), found);
    const late = acceptInvitation(file, {}, now + 3700);
    await rejectsCode(late, "INVITATION_REFUSED", { reason: "expired" });
    const elsewhere = await startPayingChain({ chainId: 4242 });
    try {
      const wrong = acceptInvitation(file, { rpc: [elsewhere.rpc] }, now);
      await rejectsCode(wrong, "INVITATION_REFUSED", { reason: "chain" });
    } finally {
      await elsewhere.close();
    }
    await writeFile(file, (await readFile(file, "utf8")).replace("peer.example", "peer.evil"));
    const joining = ["join", "--invite", file, "--data", "digits", "--key", other, "--state", join(root, "client")];
    const { status, stderr: refused } = await run("fl-client", ...joining);
    assert.deepEqual([status, /INVITATION_REFUSED: .* not as its operator/.test(refused)], [1, true], refused);
  });

  it("take no more clients or weight than a round holds, those that are listed included", async () => {
    const contract = await deploy({}, { clients: [{ account: account("first"), weight: 500 }] });
    const add = (weight: number): Promise<void> =>
      registerLater(
        chain.rpc,
        contract,
        chain.wallet(0),
        { members: [], clients: [{ account: account("second"), weight }] },
        quiet,
      );
    const before = await chain.nonceOf(addressOf(0));
    await rejectsCode(add(12), "ROSTER_INVALID");
    assert.equal(await chain.nonceOf(addressOf(0)), before);
    await add(11);
    const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
    assert.equal(await reader.clientCount(), 2);
  });

  it("open a round only when nothing is in the way, and pay nothing otherwise", async () => {
    const members = [1, 2, 3, 4].map(addressOf);
    const clients = [5, 6, 7].map((i) => ({ account: addressOf(i), weight: 1 }));
    const contract = await deploy({}, { members, clients });
    const open = (): Promise<unknown> => openNextRound(chain.rpc, contract, chain.wallet(8));
    const refuses = async (pattern: RegExp): Promise<void> => {
      await assert.rejects(open, (error) => isVerisumError(error, "ROUND_CANNOT_OPEN") && pattern.test(error.message));
    };
    await refuses(/0 of at least 3 members have a key .* seats 1, 2, 3, 4/);
    for (const seat of [1, 2, 3]) await registerKeys(contract, seat);
    await refuses(/seats 4, or for the end of the window/);
    assert.equal(await chain.nonceOf(addressOf(8)), 0);
    await chain.mine(2, PARAMETERS.keyWindowSeconds);
    assert.deepEqual(await open(), { round: 1n, expected: 3 });
    await refuses(/round 1 is Collecting/);
    assert.equal(await chain.nonceOf(addressOf(8)), 1);
  });

  it("name a client that left after it was added, instead of taking it for listed", async () => {
    const contract = await deploy();
    const clients = [{ account: addressOf(5), weight: 1 }];
    const record = volatileRecord();
    const add = (): Promise<void> =>
      registerLater(chain.rpc, contract, chain.wallet(0), { members: [], clients }, quiet, {
        record: () => Promise.resolve(record),
      });
    await add();
    const provider = new JsonRpcProvider(chain.rpc);
    const left = new Contract(contract, VERISUM_INTERFACE, chain.wallet(5).connect(provider));
    await (await (left["removeClient"]!(chain.wallet(5).address) as Promise<ContractTransactionResponse>)).wait();
    provider.destroy();
    await rejectsCode(add, "ROSTER_INVALID");
  });
});
