/**
 * Models as ONNX (onnx.ai, IR version 8, operators of version 17), written by field numbers of onnx.proto3. Inputs are
 * as the model takes them, [examples, …], images with their channels last; convolutions and pooling, whose channels are
 * first in ONNX, stand between transpositions.
 */
import { concatenate } from "../../protocol/bytes.ts";
import { headOf } from "../heads/registry.ts";
import type { Model } from "../model.ts";
import { expressModel } from "./express.ts";
import { littleEndian } from "./little-endian.ts";
import type { Operations } from "./operations.ts";
import { bytes, integer, integers, message, text } from "./protobuf.ts";
import type { Field } from "./protobuf.ts";

const IR_VERSION = 8;
const OPERATORS_VERSION = 17;
/** TensorProto.DataType */
const FLOAT = 1;
const INT64 = 7;

/** A value by its name in the graph. */
type Name = string;

/** An operator's setting. */
type Attribute = number | readonly number[];

/**
 * The model as a file. Its input is `input`; its outputs are `outputs`, of the last layer, and `predictions`.
 * @param metadata texts that the file keeps beside the graph
 */
export function encodeOnnx(
  model: Model,
  weights: Float32Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const graph = createGraph();
  const { outputs, predictions } = expressModel(model, weights, graph.operations, "input");
  graph.node("Identity", [outputs], {}, "outputs");
  graph.node("Identity", [predictions], {}, "predictions");
  const row = [headOf(model).outputCount];
  return concatenate([
    integer(1, IR_VERSION),
    text(2, "verisum"),
    message(7, [
      ...graph.nodes.map((fields) => message(1, fields)),
      text(2, "model"),
      ...graph.initialisers.map((fields) => message(5, fields)),
      message(11, valueInfo("input", model.inputShape)),
      message(12, valueInfo("outputs", row)),
      message(12, valueInfo("predictions", row)),
    ]),
    message(8, [integer(2, OPERATORS_VERSION)]),
    ...Object.entries(metadata).map(([name, value]) => message(14, [text(1, name), text(2, value)])),
  ]);
}

interface Graph {
  readonly nodes: readonly (readonly Field[])[];
  readonly initialisers: readonly (readonly Field[])[];
  readonly operations: Operations<Name>;
  node(operator: string, inputs: readonly Name[], attributes?: Readonly<Record<string, Attribute>>, as?: Name): Name;
}

function createGraph(): Graph {
  const nodes: (readonly Field[])[] = [];
  const initialisers: (readonly Field[])[] = [];
  const node: Graph["node"] = (operator, inputs, attributes = {}, as = `${operator.toLowerCase()}_${nodes.length}`) => {
    nodes.push([
      ...inputs.map((name) => text(1, name)),
      text(2, as),
      text(3, as),
      text(4, operator),
      ...Object.entries(attributes).map(([name, value]) => message(5, attributeFields(name, value))),
    ]);
    return as;
  };
  const initialiser = (type: number, shape: readonly number[], raw: Uint8Array): Name => {
    const name = `constant_${initialisers.length}`;
    initialisers.push([integers(1, shape), integer(2, type), text(8, name), bytes(9, raw)]);
    return name;
  };
  const floats = (values: Float32Array, shape: readonly number[]): Name =>
    initialiser(FLOAT, shape, littleEndian(values));
  const whole = (values: readonly number[]): Name => {
    const raw = new DataView(new ArrayBuffer(values.length * 8));
    values.forEach((value, i) => raw.setBigInt64(i * 8, BigInt(value), true));
    return initialiser(INT64, [values.length], new Uint8Array(raw.buffer));
  };
  const onChannelsFirst = (images: Name, work: (images: Name) => Name): Name =>
    node("Transpose", [work(node("Transpose", [images], { perm: [0, 3, 1, 2] }))], { perm: [0, 2, 3, 1] });
  const pool =
    (operator: string): Operations<Name>["maxPool"] =>
    (images, window) =>
      onChannelsFirst(images, (x) => node(operator, [x], { kernel_shape: window, strides: window }));
  const operations: Operations<Name> = {
    constant: floats,
    matMul: (a, b) => node("MatMul", [a, b]),
    add: (a, b) => node("Add", [a, b]),
    subtract: (a, b) => node("Sub", [a, b]),
    multiply: (a, b) => node("Mul", [a, b]),
    relu: (x) => node("Relu", [x]),
    tanh: (x) => node("Tanh", [x]),
    logarithm: (x) => node("Log", [x]),
    reciprocalRoot: (x) => node("Reciprocal", [node("Sqrt", [x])]),
    softmax: (x) => node("Softmax", [x], { axis: -1 }),
    convolve: (images, kernel, [height, width, from, to]) => {
      const turned = floats(channelsFirst(kernel, [height, width, from, to]), [to, from, height, width]);
      return onChannelsFirst(images, (x) => node("Conv", [x, turned], { kernel_shape: [height, width] }));
    },
    maxPool: pool("MaxPool"),
    averagePool: pool("AveragePool"),
    mean: (x, axes) => node("ReduceMean", [x], { axes, keepdims: 1 }),
    reshape: (x, shape) => node("Reshape", [x, whole([-1, ...shape])]),
    lookUp: (table, numbers, rows) => {
      const within = node("Clip", [
        node("Floor", [numbers]),
        ...[0, rows - 1].map((end) => floats(Float32Array.of(end), [])),
      ]);
      return node("Gather", [table, node("Cast", [within], { to: INT64 })], { axis: 0 });
    },
  };
  return { nodes, initialisers, operations, node };
}

/** AttributeProto: i = 3, ints = 8; its type is 2 or 7. */
function attributeFields(name: string, value: Attribute): Field[] {
  if (typeof value === "number") return [text(1, name), integer(3, value), integer(20, 2)];
  return [text(1, name), integers(8, value), integer(20, 7)];
}

/** A tensor of float32 whose first side is the number of examples. */
function valueInfo(name: string, shape: readonly number[]): Field[] {
  const sides = [message(1, [text(2, "examples")]), ...shape.map((side) => message(1, [integer(1, side)]))];
  return [text(1, name), message(2, [message(1, [integer(1, FLOAT), message(2, sides)])])];
}

/** [height, width, in, out] as [out, in, height, width]. */
function channelsFirst(
  kernel: Float32Array,
  [height, width, from, to]: readonly [number, number, number, number],
): Float32Array {
  const turned = new Float32Array(kernel.length);
  let at = 0;
  for (let place = 0; place < height * width; place++)
    for (let i = 0; i < from; i++)
      for (let o = 0; o < to; o++) turned[(o * from + i) * height * width + place] = kernel[at++]!;
  return turned;
}
