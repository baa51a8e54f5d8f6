/** Models in other people's formats, held to what this program computes of the same weights. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import { after, before, describe, it } from "mocha";
import { selectBackend } from "../../learning/backend.ts";
import { encodeOnnx } from "../../learning/export/onnx.ts";
import { tensorflowFiles } from "../../learning/export/tensorflow-graph.ts";
import { headOf } from "../../learning/heads/registry.ts";
import { DIGITS_MLP, inputSizeOf, parseModel } from "../../learning/model.ts";
import type { Model } from "../../learning/model.ts";
import { createNetwork } from "../../learning/network.ts";
import { seededStream } from "../../learning/seeded-stream.ts";
import { LAYER_MODELS, unusualWeights } from "../support/layer-models.ts";

const EXAMPLES = 5;
const TOLERANCE = 1e-5;
const PYTHON = process.env["PYTHON"] ?? "python3";
const SCRIPT = fileURLToPath(new URL("../support/python/onnx_outputs.py", import.meta.url));
const METADATA = { classes: '["nought","één"]' };

interface Exported {
  readonly name: string;
  /** One member of an ensemble. */
  readonly model: Model;
  readonly members?: number;
}

const MODELS: readonly Exported[] = [
  ...LAYER_MODELS,
  { name: "the digits' model", model: parseModel(DIGITS_MLP) },
  {
    name: "a convolutional model",
    model: parseModel({ kind: "cnn", inputShape: [9, 8, 2], filters: [3, 4], dense: [5], classCount: 4 }),
  },
  {
    name: "a model that answers with a number",
    model: parseModel({ kind: "mlp", inputShape: [4], hidden: [3], head: { kind: "regression" } }),
  },
  { name: "an ensemble", members: 3, model: parseModel({ kind: "mlp", inputShape: [4], hidden: [3], classCount: 3 }) },
  {
    name: "an ensemble that answers with a number",
    members: 2,
    model: parseModel({ kind: "mlp", inputShape: [4], hidden: [], head: { kind: "regression" } }),
  },
];

interface Case {
  readonly name: string;
  readonly model: Model;
  readonly weights: Float32Array;
  readonly features: Float32Array;
  readonly outputs: Float32Array;
  readonly predictions: Float32Array;
}

function caseOf({ name, model, members = 1 }: Exported): Case {
  const stream = seededStream("export", 1);
  const parts = Array.from({ length: members }, (_, i) => unusualWeights(model).map((value) => value * (1 + i / 4)));
  const weights = Float32Array.from(parts.flatMap((part) => [...part]));
  const features = Float32Array.from({ length: EXAMPLES * inputSizeOf(model) }, () => stream.normal());
  const given = parts.map((part) => createNetwork(model).outputs(part, features).slice());
  const outputs = members === 1 ? given[0]! : headOf(model).combine(given);
  return { name, model, weights, features, outputs, predictions: headOf(model).predictions(outputs) };
}

function assertNear(actual: ArrayLike<number>, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual.length, expected.length, what);
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(actual[i]! - expected[i]!) <= TOLERANCE * Math.max(1, Math.abs(expected[i]!)),
      `${what}, ${i}: ${actual[i]} instead of ${expected[i]}`,
    );
}

describe("models in other formats", function () {
  this.timeout(60_000);
  let cases: readonly Case[];
  before(async () => {
    await selectBackend("cpu");
    cases = MODELS.map(caseOf);
  });
  after(() => selectBackend("wasm"));

  it("give the same outputs in TensorFlow.js, whatever layer they have", async () => {
    for (const { name, model, weights, features, outputs, predictions } of cases) {
      const files = tensorflowFiles(model, weights, METADATA);
      const { modelTopology, weightsManifest, signature, userDefinedMetadata } = JSON.parse(
        new TextDecoder().decode(files["model.json"]),
      ) as {
        readonly modelTopology: object;
        readonly weightsManifest: { readonly weights: tf.io.WeightsManifestEntry[] }[];
        readonly signature: object;
        readonly userDefinedMetadata: object;
      };
      const loaded = await loadGraphModel(
        tf.io.fromMemory({
          modelTopology,
          signature,
          userDefinedMetadata,
          weightSpecs: weightsManifest[0]!.weights,
          weightData: Uint8Array.from(files["weights.bin"]!).buffer,
        }),
      );
      const input = tf.tensor(features, [EXAMPLES, ...model.inputShape]);
      const found = loaded.execute({ input }, ["outputs", "predictions"]) as tf.Tensor[];
      assertNear(found[0]!.dataSync(), outputs, name);
      assertNear(found[1]!.dataSync(), predictions, name);
      assert.deepEqual(loaded.metadata, METADATA);
      loaded.dispose();
    }
  });

  it("give the same outputs in onnxruntime, whatever layer they have", async function () {
    if (spawnSync(PYTHON, ["-c", "import onnxruntime"]).status !== 0) return this.skip();
    const folder = await mkdtemp(join(tmpdir(), "verisum-onnx-"));
    try {
      const folders = cases.map((_, i) => join(folder, String(i)));
      for (const [i, { model, weights, features }] of cases.entries()) {
        await mkdir(folders[i]!);
        await writeFile(join(folders[i]!, "model.onnx"), encodeOnnx(model, weights, METADATA));
        const input = { values: [...features], shape: [EXAMPLES, ...model.inputShape] };
        await writeFile(join(folders[i]!, "input.json"), JSON.stringify(input));
      }
      await promisify(execFile)(PYTHON, [SCRIPT, ...folders]);
      for (const [i, { name, outputs, predictions }] of cases.entries()) {
        const found = JSON.parse(await readFile(join(folders[i]!, "output.json"), "utf8")) as {
          readonly outputs: number[];
          readonly predictions: number[];
          readonly metadata: object;
        };
        assertNear(found.outputs, outputs, name);
        assertNear(found.predictions, predictions, name);
        assert.deepEqual(found.metadata, METADATA);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
