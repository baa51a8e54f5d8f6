import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { developmentWallet } from "../../demo/development-wallet.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { checkInvitation, encodeInvitation, makeInvitation, parseInvitation } from "../../task/invitation.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

const NOW = 1_800_000_000;
const OPERATOR = developmentWallet(0);
const FOUND = { endpoints: ["https://rpc.example/"], peers: ["https://peer.example"], expires: NOW + 60 };
const context: TaskReader["context"] = {
  ...{ chainId: 31_337n, contract: `0x${"c1".repeat(20)}`, deployment: word("deployment") },
};
const STRANGER: Hex = `0x${"0b".repeat(20)}`;

/** What a chain says of a task, as far as invitations ask. */
function chainOf(changes: Partial<TaskReader> = {}): TaskReader {
  const reader: Partial<TaskReader> = {
    context,
    operator: () => Promise.resolve(OPERATOR.address.toLowerCase() as Hex),
    parameters: () => Promise.resolve({ ...TINY_TASK, keysHash: word("keys") }),
    parametersHash: () => Promise.resolve(word("parameters")),
    ...changes,
  };
  return reader as TaskReader;
}

const fileOf = async (chain = chainOf(), wallet = OPERATOR): Promise<string> =>
  encodeInvitation(await makeInvitation(wallet, chain, FOUND));
const read = (text: string, now = NOW): ReturnType<typeof parseInvitation> =>
  parseInvitation(new TextEncoder().encode(text), now);

describe("an invitation", () => {
  it("names chain, contract, endpoints and peers to whoever it was signed for", async () => {
    const invitation = read(await fileOf());
    await checkInvitation(invitation, chainOf());
    assert.deepEqual(invitation.context, context);
    assert.deepEqual([invitation.terms.endpoints, invitation.terms.peers], [FOUND.endpoints, FOUND.peers]);
  });

  it("is refused if it has a key twice, by the key's name", async () => {
    const text = (await fileOf()).replace('"expires"', '"expires": 1, "expires"');
    throwsCode(() => read(text), "INVITATION_REFUSED", { reason: "malformed" });
    assert.throws(() => read(text), /the key expires twice/);
  });

  it("is refused as altered when any of its values is another one", async () => {
    const content = JSON.parse(await fileOf()) as Record<string, unknown>;
    const { format: _, signature, ...values } = content as Record<string, unknown> & { readonly signature: object };
    const others: Record<string, unknown> = { chainId: "1", endpoints: ["https://evil.example/"], peers: [] };
    for (const [name, value] of Object.entries(values)) {
      const other =
        others[name] ??
        (typeof value === "number" ? value + 1 : String(value).replace(/.$/, (last) => (last === "1" ? "2" : "1")));
      const altered = JSON.stringify({ ...content, [name]: other });
      throwsCode(() => read(altered), "INVITATION_REFUSED", { reason: "altered" });
    }
    const zero = { ...signature, r: `0x${"00".repeat(32)}` };
    throwsCode(() => read(JSON.stringify({ ...content, signature: zero })), "INVITATION_REFUSED", {
      reason: "altered",
    });
  });

  it("is refused once its time is over", async () => {
    const text = await fileOf();
    assert.ok(read(text, FOUND.expires - 1));
    throwsCode(() => read(text, FOUND.expires), "INVITATION_REFUSED", { reason: "expired" });
  });

  it("is refused as malformed when it is good until a time that no date has, whoever signed it", async () => {
    const stranger = developmentWallet(1);
    const endless = await makeInvitation(stranger, chainOf(), { ...FOUND, expires: 8_640_000_000_001 });
    throwsCode(() => read(encodeInvitation(endless)), "INVITATION_REFUSED", { reason: "malformed" });
    const last = await makeInvitation(stranger, chainOf(), { ...FOUND, expires: 8_640_000_000_000 });
    assert.ok(read(encodeInvitation(last)));
  });

  it("is refused as malformed when it is none, or has more or less than its fields", async () => {
    const content = JSON.parse(await fileOf()) as Record<string, unknown>;
    const { peers: _, ...less } = content;
    const files = ["", "[]", JSON.stringify({ ...content, more: 1 }), JSON.stringify(less)];
    const urls = ["file:///etc/passwd", "nowhere"].map((url) => JSON.stringify({ ...content, endpoints: [url] }));
    for (const text of [...files, ...urls, " ".repeat(70_000)])
      throwsCode(() => read(text), "INVITATION_REFUSED", { reason: "malformed" });
  });

  const parameters = (changes: object): Partial<TaskReader> => ({
    parameters: () => Promise.resolve({ ...TINY_TASK, keysHash: word("keys"), ...changes }),
  });
  const differences: Readonly<Record<string, Partial<TaskReader>>> = {
    chain: { context: { ...context, chainId: 1n } },
    deployment: { context: { ...context, deployment: word("another") } },
    operator: { operator: () => Promise.resolve(STRANGER) },
    keys: parameters({ keysHash: word("other keys") }),
    task: parameters({ taskCid: word("other task") }),
  };
  for (const [reason, changes] of Object.entries(differences)) {
    it(`is refused by name where the contract has another ${reason}`, async () => {
      const invitation = read(await fileOf());
      await rejectsCode(() => checkInvitation(invitation, chainOf(changes)), "INVITATION_REFUSED", { reason });
    });
  }

  it("is refused where parameters differ that the document does not fix", async () => {
    const invitation = read(await fileOf());
    const other = chainOf({ parametersHash: () => Promise.resolve(word("other")) });
    await rejectsCode(() => checkInvitation(invitation, other), "INVITATION_REFUSED", { reason: "task" });
  });

  it("is refused when somebody else than the operator signed it", async () => {
    const foreign = read(await fileOf(chainOf(), developmentWallet(1)));
    await rejectsCode(() => checkInvitation(foreign, chainOf()), "INVITATION_REFUSED", { reason: "operator" });
  });
});
