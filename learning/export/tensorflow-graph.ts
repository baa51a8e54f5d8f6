/**
 * Models as TensorFlow.js loads them (`tf.loadGraphModel`): `model.json`, a graph of TensorFlow's own operations in the
 * JSON of its protocol buffers, and `weights.bin`, all constants one after the other. Images have their channels last,
 * as here.
 */
import { headOf } from "../heads/registry.ts";
import type { Model } from "../model.ts";
import { concatenate } from "../../protocol/bytes.ts";
import { expressModel } from "./express.ts";
import { littleEndian } from "./little-endian.ts";
import type { Operations, Window } from "./operations.ts";

const WEIGHTS_FILE = "weights.bin";
const FLOAT = { type: "DT_FLOAT" };
const INT32 = { type: "DT_INT32" };

/** A value by its node's name. */
type Name = string;
type Attributes = Readonly<Record<string, object>>;

interface Constant {
  readonly name: Name;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

/** The files of the model; its input is `input`, its outputs are `outputs`, of the last layer, and `predictions`. */
export function tensorflowFiles(
  model: Model,
  weights: Float32Array,
  metadata: Readonly<Record<string, string>> = {},
): Readonly<Record<string, Uint8Array>> {
  const graph = createGraph();
  graph.node("Placeholder", [], { dtype: FLOAT, shape: { shape: dimensions([-1, ...model.inputShape]) } }, "input");
  const { outputs, predictions } = expressModel(model, weights, graph.operations, "input");
  graph.node("Identity", [outputs], {}, "outputs");
  graph.node("Identity", [predictions], {}, "predictions");
  const row = dimensions([-1, headOf(model).outputCount]);
  const signed = (name: string, tensorShape: object): object => ({
    [name]: { name: `${name}:0`, dtype: "DT_FLOAT", tensorShape },
  });
  const json = {
    format: "graph-model",
    generatedBy: "verisum",
    convertedBy: null,
    signature: {
      inputs: signed("input", dimensions([-1, ...model.inputShape])),
      outputs: { ...signed("outputs", row), ...signed("predictions", row) },
    },
    userDefinedMetadata: metadata,
    modelTopology: { node: graph.nodes, versions: { producer: 1 } },
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights: graph.constants }],
  };
  return {
    "model.json": new TextEncoder().encode(`${JSON.stringify(json)}\n`),
    [WEIGHTS_FILE]: concatenate(graph.parts),
  };
}

interface Graph {
  readonly nodes: readonly object[];
  readonly constants: readonly Constant[];
  /** Their bytes, in their order. */
  readonly parts: readonly Uint8Array[];
  readonly operations: Operations<Name>;
  node(op: string, input: readonly Name[], attributes?: Attributes, as?: Name): Name;
}

function createGraph(): Graph {
  const nodes: object[] = [];
  const constants: Constant[] = [];
  const parts: Uint8Array[] = [];
  const node: Graph["node"] = (op, input, attributes = {}, name = `${op.toLowerCase()}_${nodes.length}`) => {
    nodes.push({
      name,
      op,
      input,
      attr: { ...(op === "Placeholder" || op === "Const" ? {} : { T: FLOAT }), ...attributes },
    });
    return name;
  };
  const held = (dtype: Constant["dtype"], shape: readonly number[], raw: Uint8Array): Name => {
    const type = dtype === "float32" ? FLOAT : INT32;
    const tensor = { dtype: type.type, tensorShape: dimensions(shape) };
    const name = node("Const", [], { dtype: type, value: { tensor } }, `constant_${constants.length}`);
    constants.push({ name, shape: [...shape], dtype });
    parts.push(raw);
    return name;
  };
  const floats = (values: Float32Array, shape: readonly number[]): Name => held("float32", shape, littleEndian(values));
  const whole = (values: readonly number[]): Name =>
    held("int32", [values.length], new Uint8Array(Int32Array.from(values).buffer));
  const pool =
    (op: string): Operations<Name>["maxPool"] =>
    (images, window) =>
      node(op, [images], { ksize: sides(window), strides: sides(window), padding: VALID, data_format: CHANNELS_LAST });
  const operations: Operations<Name> = {
    constant: floats,
    matMul: (a, b) => node("MatMul", [a, b], { transpose_a: { b: false }, transpose_b: { b: false } }),
    add: (a, b) => node("AddV2", [a, b]),
    subtract: (a, b) => node("Sub", [a, b]),
    multiply: (a, b) => node("Mul", [a, b]),
    relu: (x) => node("Relu", [x]),
    tanh: (x) => node("Tanh", [x]),
    logarithm: (x) => node("Log", [x]),
    reciprocalRoot: (x) => node("Rsqrt", [x]),
    softmax: (x) => node("Softmax", [x]),
    convolve: (images, kernel, shape) =>
      node("Conv2D", [images, floats(kernel, shape)], {
        ...{ strides: sides([1, 1]), dilations: sides([1, 1]), padding: VALID, data_format: CHANNELS_LAST },
      }),
    maxPool: pool("MaxPool"),
    averagePool: pool("AvgPool"),
    mean: (x, axes) => node("Mean", [x, whole(axes)], { Tidx: INT32, keep_dims: { b: true } }),
    reshape: (x, shape) => node("Reshape", [x, whole([-1, ...shape])], { Tshape: INT32 }),
    lookUp: (table, numbers, rows) => {
      const [least, most] = [0, rows - 1].map((end) => floats(Float32Array.of(end), []));
      const within = node("Minimum", [node("Maximum", [node("Floor", [numbers]), least!]), most!]);
      const index = node("Cast", [within], { SrcT: FLOAT, DstT: INT32 });
      const axis = held("int32", [], new Uint8Array(4));
      return node("GatherV2", [table, index, axis], { Tparams: FLOAT, Tindices: INT32, Taxis: INT32 });
    },
  };
  return { nodes, constants, parts, operations, node };
}

const VALID = { s: btoa("VALID") };
const CHANNELS_LAST = { s: btoa("NHWC") };

/** Of a window or a stride over images. */
function sides([height, width]: Window): object {
  return { list: { i: ["1", String(height), String(width), "1"] } };
}

/** Whole numbers of 64 bits are texts in this JSON. */
function dimensions(shape: readonly number[]): { readonly dim: readonly { readonly size: string }[] } {
  return { dim: shape.map((side) => ({ size: String(side) })) };
}
