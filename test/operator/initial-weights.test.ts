import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { modelTensors } from "../../learning/model.ts";
import { encodeSafetensors } from "../../learning/safetensors.ts";
import { initialWeights } from "../../operator/initial-weights.ts";
import { assertRunnable, parseSpecification } from "../../task/create-task.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

const MODEL = {
  kind: "external",
  parameters: [
    { name: "embedding", shape: [4, 3] },
    { name: "adapter.a", shape: [3, 2] },
    { name: "adapter.b", shape: [2] },
    { name: "norm.batches", shape: [1] },
  ],
  trainable: ["adapter.b", "adapter.a"],
} as const;
/** The model with the values of a tensor bound. */
const withDigest = (bound: string, sha256: string): object => ({
  ...MODEL,
  parameters: MODEL.parameters.map((one) => (one.name === bound ? { ...one, sha256 } : one)),
});
const A = { name: "adapter.a", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const B = { name: "adapter.b", shape: [2], data: Float32Array.of(7, 8) };
const EMBEDDING = { name: "embedding", shape: [4, 3], data: new Float32Array(12) };

const specificationOf = (model: unknown, training = {}): ReturnType<typeof parseSpecification> =>
  parseSpecification({
    ...TINY_SPECIFICATION,
    document: {
      ...TINY_SPECIFICATION.document,
      model,
      training: { ...TINY_SPECIFICATION.document.training, ...training },
    },
  });

/** A file with one tensor more, of 8 bytes and this type. */
function withOther(name: string, dtype: string): Uint8Array {
  const bytes = Buffer.from(encodeSafetensors([A, B, { name, shape: [2], data: new Float32Array(2) }]));
  const at = bytes.lastIndexOf('"F32","shape":[2]');
  bytes.write(`"${dtype}","shape":[1]`, at);
  return bytes;
}

describe("an external model", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-initial-"));
  });
  after(() => rm(directory, { recursive: true, force: true }));
  const begun = async (bytes: Uint8Array, model: unknown = MODEL): Promise<readonly number[]> => {
    const file = join(directory, "initial.safetensors");
    await writeFile(file, bytes);
    return [...(await initialWeights(specificationOf(model), file))];
  };

  it("has only its trained tensors in the vector, in the order of the list", async () => {
    assert.deepEqual(
      modelTensors(MODEL).map(({ name }) => name),
      ["adapter.a", "adapter.b"],
    );
    assert.deepEqual(await begun(encodeSafetensors([B, EMBEDDING, A])), [1, 2, 3, 4, 5, 6, 7, 8]);
    assertRunnable(specificationOf(MODEL));
  });

  it("may have frozen tensors of any type in its file, and no trained ones", async () => {
    assert.equal((await begun(withOther("norm.batches", "I64"))).length, 8);
    const all = { ...MODEL, trainable: ["adapter.a", "adapter.b", "norm.batches"] };
    await rejectsCode(begun(withOther("norm.batches", "I64"), all), "MODEL_INITIAL_INVALID");
    await rejectsCode(begun(withOther("norm.batches", "I63")), "SAFETENSORS_INVALID");
  });

  it("is refused with a file that lacks a tensor, has a strange one, or one of another shape", async () => {
    const strange = { name: "head", shape: [1], data: Float32Array.of(1) };
    await rejectsCode(begun(encodeSafetensors([A])), "MODEL_INITIAL_INVALID");
    await rejectsCode(begun(encodeSafetensors([A, B, strange])), "MODEL_INITIAL_INVALID");
    await rejectsCode(begun(encodeSafetensors([{ ...A, shape: [2, 3] }, B])), "MODEL_INITIAL_INVALID");
    await rejectsCode(begun(encodeSafetensors([A, B]).subarray(0, -4)), "SAFETENSORS_INVALID");
    await rejectsCode(initialWeights(specificationOf(MODEL), undefined), "MODEL_INITIAL_INVALID");
    await rejectsCode(initialWeights(specificationOf(MODEL), join(directory, "none")), "MODEL_INITIAL_INVALID");
  });

  it("can start a built-in model as well", async () => {
    const model = { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 };
    const tensors = modelTensors(model).map(({ name, shape }) => ({
      name,
      shape,
      data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5),
    }));
    assert.deepEqual(await begun(encodeSafetensors(tensors), model), new Array(6).fill(0.5));
  });

  it("is refused where single records are protected: nobody sees whether its trainer adds the noise", () => {
    const privacy = {
      unit: "example",
      exampleClipNorm: 1,
      noiseMultiplier: 1,
      samplingRate: 0.1,
      stepsPerRound: 1,
      delta: 1e-5,
    };
    throwsCode(() => assertRunnable(specificationOf(MODEL, { privacy })), "TRAINER_PRIVACY_UNCHECKED");
  });

  for (const [what, model] of [
    ["a name twice", { ...MODEL, parameters: [...MODEL.parameters, MODEL.parameters[0]] }],
    ["a trainable tensor that is no parameter", { ...MODEL, trainable: ["head"] }],
    ["a reserved name", { kind: "external", parameters: [{ name: "__metadata__", shape: [1] }] }],
    ["a side of nothing", { kind: "external", parameters: [{ name: "a", shape: [0] }] }],
    ["too many weights", { kind: "external", parameters: [{ name: "a", shape: [100_000, 1_000] }] }],
    ["an unknown member", { ...MODEL, layers: [] }],
    ["a digest of what is trained", withDigest("adapter.a", "ab".repeat(32))],
    ["a digest that is none", withDigest("embedding", "AB".repeat(32))],
  ] as const)
    it(`is refused with ${what}`, () => throwsCode(() => modelTensors(model), "MODEL_DESCRIPTION_INVALID"));
});
