import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { cidFromDigest } from "../../content/cid.ts";
import type { ContentStore } from "../../content/store.ts";
import { decodeSafetensors } from "../../learning/safetensors.ts";
import { checkpointFiles, loadCheckpointConfig, loadModelState } from "../../task/checkpoint.ts";
import type { TaskDocument } from "../../task/document.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { rejectsCode } from "../support/errors.ts";
import { word } from "../support/random.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import { Workbench } from "../content/support.ts";

const DOCUMENT = { ...TINY_SPECIFICATION.document, version: 1, keysCid: word("keys") } as TaskDocument;
const TENSORS = [
  { name: "kernel", shape: [2, 2] },
  { name: "bias", shape: [2] },
];
const STATE = { weights: Int32Array.of(1 << 20, -(1 << 19), 0, 1, -1, 7), kept: [Int32Array.of(1, 2, 3, 4, 5, 6)] };
const ORIGIN = {
  task: { name: "t", chainId: "1", contract: null, taskCid: "bafy" },
  round: 3,
  parentCid: null,
  clients: ["0x01"],
  totalWeight: 4,
  aggregateCid: null,
  privacy: null,
};

describe("a checkpoint", () => {
  const bench = new Workbench();
  const files = checkpointFiles(DOCUMENT, TENSORS, STATE, ORIGIN, { accuracy: 0.5, loss: 1.25, samples: 10 });
  let store: ContentStore;
  let cid: Hex;
  before(async () => {
    store = await bench.store();
    await store.putDirectory(files);
    cid = await directoryDigest(files);
  });
  after(() => bench.clear());

  const task = (dimension: number): Parameters<typeof loadModelState>[0] => ({
    store,
    document: DOCUMENT,
    parameters: { dimension },
  });

  /** Publishes the files with one of them replaced. */
  const altered = async (name: string, bytes: Uint8Array): Promise<Hex> => {
    const changedFiles = { ...files, [name]: bytes };
    await store.putDirectory(changedFiles);
    return directoryDigest(changedFiles);
  };

  it("is the same bytes whenever it is made", async () => {
    assert.equal(
      await directoryDigest(
        checkpointFiles(DOCUMENT, TENSORS, STATE, ORIGIN, { accuracy: 0.5, loss: 1.25, samples: 10 }),
      ),
      cid,
    );
    assert.equal(await store.has(cidFromDigest(cid)), true);
  });

  it("gives back the exact integers and where it came from", async () => {
    assert.deepEqual(await loadModelState(task(6), cid, modelDigest(STATE)), STATE);
    const config = await loadCheckpointConfig(store, cid);
    assert.deepEqual(
      [config.round, config.clients, config.totalWeight, config.metrics?.accuracy, config.weights.count],
      [3, ["0x01"], 4, 0.5, 6],
    );
  });

  it("names and shapes the float weights, which are the integers scaled", () => {
    const { tensors } = decodeSafetensors(files["model.safetensors"]);
    assert.deepEqual(tensors.map(({ name, shape, data }) => [name, [...shape], [...data]]).sort(), [
      ["bias", [2], [-1 / 2 ** 20, 7 / 2 ** 20]],
      ["kernel", [2, 2], [1, -0.5, 0, 1 / 2 ** 20]],
    ]);
  });

  it("is refused with another digest, length or file", async () => {
    await rejectsCode(loadModelState(task(6), cid, word("another digest")), "MODEL_DIGEST_MISMATCH");
    await rejectsCode(loadModelState(task(7), cid, modelDigest(STATE)), "ENCODING_LENGTH");
    await rejectsCode(loadModelState(task(5), cid, modelDigest(STATE)), "IPFS_LIMIT_EXCEEDED");
    await rejectsCode(loadModelState(task(6), word("nobody has this"), modelDigest(STATE)), "IPFS_UNAVAILABLE");
    const state = files["state.bin"];
    await rejectsCode(
      loadModelState(
        task(6),
        await altered(
          "state.bin",
          Uint8Array.from(state, (byte, i) => (i === 47 ? byte ^ 128 : byte)),
        ),
        modelDigest(STATE),
      ),
      "MODEL_DIGEST_MISMATCH",
    );
  });

  it("is refused with a malformed config.json", async () => {
    const config = new TextDecoder().decode(files["config.json"]);
    for (const text of [
      "",
      "{}",
      config.slice(1),
      config.replace("verisum-checkpoint-1", "verisum-checkpoint-2"),
      config.replace('"round": 3', '"round": -3'),
      config.replace("{", '{ "extra": 1,'),
    ]) {
      await rejectsCode(
        loadCheckpointConfig(store, await altered("config.json", new TextEncoder().encode(text))),
        "CHECKPOINT_INVALID",
      );
    }
  });
});
