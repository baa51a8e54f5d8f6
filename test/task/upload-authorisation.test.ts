import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyMessage } from "ethers";
import { afterEach, beforeEach, describe, it } from "mocha";
import { authoriseTaskUploads, uploadAuthorization } from "../../task/upload-authorisation.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryRound, openMemoryTask } from "../support/memory-chain.ts";

const NOW = 1_000_000;
const NODE = "http://node.example:8080";
const OWN = (): Promise<readonly string[]> => Promise.resolve([NODE]);

describe("the right to upload", () => {
  let folder: string;
  /** Where uploads are counted. */
  let record: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "verisum-uploads-"));
    record = join(folder, "scope", "uploads.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is for the root that was signed, by an account of the task, until it expires", async () => {
    const { operator, members, clients, stranger } = await openMemoryTask();
    const authorise = authoriseTaskUploads(stranger, OWN, () => NOW, record);
    for (const account of [operator, members[1]!, clients[2]!]) {
      const authorization = await uploadAuthorization(account, { root: "root", node: NODE }, NOW);
      assert.equal(await authorise({ root: "root", authorization }), true);
      assert.notEqual(await authorise({ root: "other", authorization }), true);
      assert.notEqual(
        await authoriseTaskUploads(stranger, OWN, () => NOW + 601, record)({ root: "root", authorization }),
        true,
      );
    }
    const authorization = await uploadAuthorization(stranger, { root: "root", node: NODE }, NOW);
    assert.notEqual(await authorise({ root: "root", authorization }), true);
  });

  it("is for the node that it was signed for, and no other that its receiver passes it on to", async () => {
    const { operator, clients } = await openMemoryTask();
    const authorization = await uploadAuthorization(clients[0]!, { root: "root", node: `${NODE}/` }, NOW);
    const at = (node: string): Promise<true | string> =>
      authoriseTaskUploads(
        operator,
        () => Promise.resolve([node]),
        () => NOW,
        record,
      )({ root: "root", authorization });
    assert.match(String(await at("http://other.example:8080")), /not for this node, which is http:..other/);
    assert.equal(await at(NODE), true);
    const named = (...urls: readonly string[]): Promise<true | string> =>
      authoriseTaskUploads(
        operator,
        () => Promise.resolve(urls),
        () => NOW,
        record,
      )({ root: "root", authorization });
    assert.equal(await named("https://not-announced-yet.example", NODE), true);
    assert.equal(await named(NODE, "no URL at all"), true, "what the chain has for an account may be anything");
  });

  it("is a signature over the lines that docs/formats.md has", async () => {
    const { clients } = await openMemoryTask();
    const { account, context } = clients[0]!;
    const header = await uploadAuthorization(clients[0]!, { root: "bafyroot", node: "HTTP://Node.example:8080" }, NOW);
    const [scheme, signer, expires, signature] = header.split(" ");
    assert.deepEqual([scheme, signer, expires], ["Verisum", account, String(NOW + 600)]);
    const page = await readFile(new URL("../../docs/formats.md", import.meta.url), "utf8");
    const values = [
      ["<chainId, decimal>", String(context.chainId)],
      ["<address, lower case>", context.contract],
      [/<URL [^>]*>/, "http://node.example:8080/"],
      ["<CID>", "bafyroot"],
      ["<the same seconds>", expires!],
    ] as const;
    const lines = /  ```\n(  Verisum upload\n[^`]*)\n  ```/.exec(page)![1]!.replaceAll(/^ {2}/gm, "");
    const text = values.reduce((filled, [name, value]) => filled.replace(name, value), lines);
    assert.equal(verifyMessage(text, signature!).toLowerCase(), account);
  });

  it("is for a few directories in a round", async () => {
    const task = await openMemoryTask();
    const client = task.clients[0]!;
    const authorise = authoriseTaskUploads(task.operator, OWN, () => NOW, record);
    const upload = async (root: string): Promise<true | string> =>
      authorise({ root, authorization: await uploadAuthorization(client, { root, node: NODE }, NOW) });
    await openMemoryRound(task);
    const answers: (true | string)[] = [];
    for (let i = 0; i < 20; i++) answers.push(await upload(`root ${i}`));
    const accepted = answers.filter((answer) => answer === true).length;
    assert.ok(accepted > 2 && accepted < 20, `${accepted} of 20`);
    assert.equal(await upload("root 0"), true);
    task.chain.setTime((await client.round()).deadline);
    await client.abort(1n);
    await openMemoryRound(task);
    assert.equal(await upload("root 19"), true);
  });

  it("is for no more after a start: what was stored in the round counts, as far as its record is whole", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    const { clients, operator } = task;
    const accepted = async (client: number, ...roots: readonly string[]): Promise<number> => {
      const authorise = authoriseTaskUploads(operator, OWN, () => NOW, record);
      const uploads = roots.map(async (root) =>
        authorise({ root, authorization: await uploadAuthorization(clients[client]!, { root, node: NODE }, NOW) }),
      );
      return (await Promise.all(uploads)).filter((answer) => answer === true).length;
    };
    const roots = (from: number): readonly string[] => Array.from({ length: 5 }, (_, i) => `root ${from + i}`);
    assert.deepEqual([await accepted(0, ...roots(0)), await accepted(0, ...roots(5))], [5, 3]);
    assert.deepEqual([await accepted(0, ...roots(10)), await accepted(1, ...roots(10))], [0, 5]);
    assert.equal(await accepted(0, ...roots(0)), 5);
    await writeFile(record, "{");
    assert.equal(await accepted(0, ...roots(10)), 5);
  });

  it("is nobody's while it cannot be counted, and as many directories' as before once it can", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    const authorise = authoriseTaskUploads(task.operator, OWN, () => NOW, record);
    const upload = async (root: string): Promise<true | string> =>
      authorise({ root, authorization: await uploadAuthorization(task.clients[0]!, { root, node: NODE }, NOW) });
    await writeFile(join(folder, "scope"), "no folder");
    for (let i = 0; i < 10; i++) await rejectsCode(upload(`root ${i}`), "STORAGE_FAILED");
    await rm(join(folder, "scope"));
    for (let i = 0; i < 8; i++) assert.equal(await upload(`root ${i}`), true);
    assert.notEqual(await upload("root 8"), true);
  });

  it("is for as few where an endpoint that lags tells the round before now and then", async () => {
    const task = await openMemoryTask();
    await openMemoryRound(task);
    const { operator } = task;
    let asked = 0;
    const lagging = { ...operator, round: async () => ({ ...(await operator.round()), number: BigInt(asked++ % 2) }) };
    const authorise = authoriseTaskUploads(lagging, OWN, () => NOW, record);
    let accepted = 0;
    for (let i = 0; i < 40; i++) {
      const authorization = await uploadAuthorization(task.clients[0]!, { root: `root ${i}`, node: NODE }, NOW);
      if ((await authorise({ root: `root ${i}`, authorization })) === true) accepted++;
    }
    assert.equal(accepted, 2 * 8);
  });

  it("costs the chain nothing for each of many strangers", async () => {
    const { clients, stranger } = await openMemoryTask();
    let calls = 0;
    const counting = new Proxy(stranger, {
      get: (target, name: keyof typeof stranger) => {
        const value = target[name];
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          calls++;
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    const authorise = authoriseTaskUploads(counting, OWN, () => NOW, record);
    const [authorization] = [await uploadAuthorization(stranger, { root: "root", node: NODE }, NOW)];
    const [, , ...rest] = authorization.split(" ");
    for (let i = 0; i < 400; i++) {
      const account = `0x${String(i).padStart(40, "0")}`;
      assert.equal(
        await authorise({ root: "root", authorization: ["Verisum", account, ...rest].join(" ") }),
        "the account has no part in the task",
      );
    }
    assert.ok(calls <= 3, `${calls} calls`);
    assert.equal(
      await authorise({
        root: "r",
        authorization: await uploadAuthorization(clients[0]!, { root: "r", node: NODE }, NOW),
      }),
      true,
    );
  });

  it("comes to a client that registers later", async () => {
    const task = await openMemoryTask({ parameters: { openRegistration: true } });
    let now = NOW;
    const authorise = authoriseTaskUploads(task.operator, OWN, () => now, record);
    const authorization = await uploadAuthorization(task.stranger, { root: "root", node: NODE }, NOW);
    assert.notEqual(await authorise({ root: "root", authorization }), true);
    await task.stranger.join();
    now += 3;
    assert.equal(await authorise({ root: "root", authorization }), true);
  });
});
