import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { checkIdentity } from "../../auditor/identity.ts";
import type { TaskReader } from "../../chain/task-chain.ts";
import { rejectsCode } from "../support/errors.ts";
import { openMemoryTask } from "../support/memory-chain.ts";
import { word } from "../support/random.ts";

describe("the identity of a task's contract", () => {
  const opened = async (alter: (reader: TaskReader) => Partial<TaskReader> = () => ({})): Promise<Opened> => {
    const reader = (await openMemoryTask()).reader(0);
    return { chain: { ...reader, ...alter(reader) }, parametersHash: await reader.parametersHash() };
  };
  const claimed = ({ context }: TaskReader): Partial<TaskReader> => ({
    context: { ...context, deployment: word("another contract's") },
  });

  it("is the hash of its block", async () => {
    const task = await opened();
    assert.match(await checkIdentity(task), /^deployment\(\) of 0x[0-9a-f]{40} is the hash of its block \d+$/);
  });

  it("is refused where the contract says another one", async () => {
    await rejectsCode(checkIdentity(await opened(claimed)), "CONTRACT_MISMATCH");
  });

  for (const field of ["parentHash", "prevRandao"] as const)
    it(`is refused where the block has another ${field}`, async () => {
      const task = await opened(({ deployedIn }) => ({
        deployedIn: async () => ({ ...(await deployedIn())!, [field]: word("another block") }),
      }));
      await rejectsCode(checkIdentity(task), "CONTRACT_MISMATCH");
    });

  it("is compared of every cell of a group", async () => {
    const [own, sibling] = [await opened(), await opened(claimed)];
    const group = { group: word("group"), cells: [], releasesOf: async () => [] };
    await rejectsCode(checkIdentity({ ...own, cells: { ...group, siblings: [sibling.chain] } }), "CONTRACT_MISMATCH");
  });

  it("is not compared where the endpoint keeps no old states, and that is said", async () => {
    const task = await opened(() => ({ deployedIn: async () => undefined }));
    assert.match(await checkIdentity(task), /is not compared: the endpoint keeps no states as old/);
  });
});

type Opened = Parameters<typeof checkIdentity>[0] & { readonly chain: TaskReader };
