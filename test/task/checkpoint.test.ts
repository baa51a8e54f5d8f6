import { after, before, describe, it } from "mocha";
import assert from "node:assert/strict";
import { cidFromDigest } from "../../content/cid.ts";
import type { ContentStore } from "../../content/store.ts";
import { decodeSafetensors } from "../../learning/safetensors.ts";
import { accuracyOf, checkpointFiles, loadCheckpointConfig, loadModelState } from "../../task/checkpoint.ts";
import type { CheckpointConfig } from "../../task/checkpoint.ts";
import type { TaskDocument } from "../../task/document.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { modelTensors } from "../../learning/model.ts";
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

const MODEL = { kind: "mlp", inputShape: [3], hidden: [], classCount: 2 };

/** The `config.json` of a task's genesis whose document has these parts. */
function configOf(parts: object): CheckpointConfig {
  const document = { ...DOCUMENT, ...parts } as TaskDocument;
  const tensors = modelTensors(document.model);
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const state = { weights: new Int32Array(count), kept: [new Int32Array(count)] };
  const { "config.json": bytes } = checkpointFiles(document, tensors, state, ORIGIN, null);
  return JSON.parse(new TextDecoder().decode(bytes)) as CheckpointConfig;
}

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
      [config.round, config.clients, config.totalWeight, accuracyOf(config.metrics), config.weights.count],
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

  it("says how to feed the model and how to read what it gives, from the task's document alone", () => {
    const table = {
      label: "outcome",
      classes: ["well", "ill"],
      columns: [
        { name: "age", type: "number" },
        { name: "ward", type: "category", values: ["a", "b"] },
      ],
      missing: { policy: "refuse" },
      scaling: { age: { mean: 54, stdDev: 16 } },
    } as const;
    const model = { kind: "mlp", inputShape: [3], hidden: [4], classCount: 2 };
    const { inputs, outputs, layers } = configOf({ model, data: table });
    assert.deepEqual(inputs, { shape: [3], table, preprocessing: null });
    assert.deepEqual(outputs, { kind: "classes", count: 2, names: ["well", "ill"] });
    assert.deepEqual(layers, [
      { kind: "flatten", tensors: [] },
      { activation: "relu", kind: "dense", units: 4, tensors: ["dense_1.kernel", "dense_1.bias"] },
      { kind: "dense", units: 2, tensors: ["dense_2.kernel", "dense_2.bias"] },
    ]);
    const pixels = { divisor: 16, mean: 0.305, stdDev: 0.376, classes: ["a", "b"] };
    assert.deepEqual(configOf({ model, preprocessing: pixels }).inputs.preprocessing, pixels);
  });

  it("has the same bytes in whatever order a document's keys came", () => {
    const preprocessing = { divisor: 16, mean: 0.305, stdDev: 0.376, classes: ["a", "b"] };
    const turned = Object.fromEntries(Object.entries(preprocessing).reverse());
    const textOf = (document: object): string => JSON.stringify(configOf({ model: MODEL, ...document }));
    assert.equal(textOf({ preprocessing: turned }), textOf({ preprocessing }));
    assert.notEqual(textOf({ preprocessing: { ...preprocessing, mean: 0.306 } }), textOf({ preprocessing }));
  });

  it("names in its layers the tensors that it has, for every kind of model", async () => {
    for (const model of [
      MODEL,
      { kind: "cnn", inputShape: [8, 8, 1], filters: [2], dense: [3], classCount: 2 },
      {
        kind: "layers",
        inputShape: [4],
        layers: [{ kind: "dense", units: 3 }, { kind: "layerNormalisation" }, { kind: "dense", units: 2 }],
        classCount: 2,
      },
    ]) {
      const { layers } = configOf({ model });
      const { parameterShapes } = await createTrainer(model, { backend: "cpu" });
      assert.deepEqual(
        layers!.flatMap(({ tensors }) => tensors),
        parameterShapes.map(({ name }) => name),
      );
    }
  });

  it("says of an external model what the document says of its data, and no more", () => {
    const model = { kind: "external", parameters: [{ name: "w", shape: [2] }] };
    const preprocessing = { divisor: 1, features: "haar", classes: ["a", "b"] };
    const { inputs, outputs, layers } = configOf({ model, preprocessing });
    assert.deepEqual(
      { inputs, outputs, layers },
      {
        inputs: { shape: null, table: null, preprocessing },
        outputs: null,
        layers: null,
      },
    );
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
      config.replace("verisum-checkpoint-2", "verisum-checkpoint-1"),
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
