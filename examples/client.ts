/**
 * Takes part in a task with a trainer of its own: softmax regression by plain gradient descent. Whatever returns
 * tensors of the model's names and shapes is a trainer; clipping, noise and quantisation stay what the task asks for.
 *
 *   VERISUM_KEY=0x… node client.ts --contract 0x… --data "digits?client=0&clients=3&seed=7"
 */
import { parseArgs } from "node:util";
import { createReporter, joinTask, platformRandom } from "verisum/client";
import type { RoundTrainer } from "verisum/client";
import { loadDataset } from "verisum/learning";
import type { Dataset } from "verisum/learning";
import type { Hex } from "verisum/protocol";

const { values } = parseArgs({
  options: {
    contract: { type: "string" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    peer: { type: "string", multiple: true, default: ["http://127.0.0.1:7700"] },
    state: { type: "string", default: ".verisum/client" },
    data: { type: "string", default: "digits" },
    rounds: { type: "string", default: "5" },
  },
});
const RATE = 0.1;
const EPOCHS = 2;

/** The weights after some passes over the data: a matrix of features × classes, then a bias for each class. */
function descended(start: Float32Array, { features, labels, exampleCount, classCount }: Dataset): Float32Array {
  const weights = Float32Array.from(start);
  const width = features.length / exampleCount;
  for (let step = 0; step < EPOCHS * exampleCount; step++) {
    const row = step % exampleCount;
    const x = features.subarray(row * width, (row + 1) * width);
    const scores = Array.from({ length: classCount }, (_, c) =>
      x.reduce((sum, value, i) => sum + value * weights[i * classCount + c]!, weights[width * classCount + c]!),
    );
    const largest = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
    for (const [c, score] of scores.entries()) {
      const error = Math.exp(score - largest) / total - (labels[row] === c ? 1 : 0);
      x.forEach((value, i) => (weights[i * classCount + c]! -= RATE * error * value));
      weights[width * classCount + c]! -= RATE * error;
    }
  }
  return weights;
}

const data = await loadDataset(values.data);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
const trainer: RoundTrainer = {
  train: async ({ tensors: [kernel, bias] }) => {
    const start = Float32Array.of(...kernel!.data, ...bias!.data);
    const weights = descended(start, data.train);
    const split = kernel!.data.length;
    const tensors = [
      { ...kernel!, data: weights.subarray(0, split) },
      { ...bias!, data: weights.subarray(split) },
    ];
    return { kind: "weights", tensors };
  },
};
await joinTask(
  {
    contract: values.contract as Hex,
    rpc: values.rpc,
    peers: values.peer,
    stateDirectory: values.state,
    data,
    trainer,
    pollMs: 500,
    rounds: Number(values.rounds),
  },
  {
    reporter: createReporter("text", "client", (line) => console.error(line), Date.now),
    random: platformRandom,
    signal: stop.signal,
  },
);
process.exit();
