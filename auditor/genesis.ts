/** The genesis against the task's document: readers of its files believe them as they do every checkpoint's. */
import { cidFromDigest } from "../content/cid.ts";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { ModelState } from "../protocol/model.ts";
import { loadModelState } from "../task/checkpoint.ts";
import { genesisFiles } from "../task/genesis.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { directoryDigest } from "../task/outcome.ts";

type GenesisTask = Pick<OpenTask, "store" | "document" | "parameters" | "tensors">;

/**
 * Reads the first model, makes its files from the document, and compares their CID: nothing else is fetched if it is
 * the contract's.
 * @throws CHECKPOINT_INVALID naming the files that are others; what `loadModelState` throws
 */
export async function auditGenesis(task: GenesisTask): Promise<ModelState> {
  const { document, tensors, parameters } = task;
  const { genesisCid, genesisDigest, taskCid } = parameters;
  const state = await loadModelState(task, genesisCid, genesisDigest);
  const files = genesisFiles(document, tensors, state, taskCid);
  if ((await directoryDigest(files)) === genesisCid) return state;
  const cid = cidFromDigest(genesisCid);
  const names = await namesOfOthers(task, cid, files);
  const which = names.length === 0 ? "it has other files, or others besides" : names.join(", ");
  throw new VerisumError(
    "CHECKPOINT_INVALID",
    `the genesis at ${cid} is not what the task's document and its weights give: ${which}`,
    { cid, files: names.join() },
  );
}

/** Published files that have other bytes, or are not in the directory; not those that are only away. */
async function namesOfOthers(
  { store }: GenesisTask,
  cid: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<readonly string[]> {
  const others: string[] = [];
  for (const [name, expected] of Object.entries(files)) {
    try {
      const published = await store.getFile(cid, name, { maxBytes: expected.length });
      if (published.length !== expected.length || published.some((byte, i) => byte !== expected[i])) others.push(name);
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about === "host") throw error;
      if (error.entry.role !== "again") others.push(name);
    }
  }
  return others;
}
