/**
 * Takes part in a task with a learner of its own: softmax regression by plain gradient descent. Whatever returns the
 * change of the weights is a learner; clipping, noise and quantisation stay what the task asks for.
 *
 *   VERISUM_KEY=0x… node client.ts --contract 0x… --data "digits?client=0&clients=3&seed=7"
 */
import { parseArgs } from "node:util";
import { createReporter, joinTask, platformRandom, weightsOf } from "verisum/client";
import type { LocalLearner } from "verisum/client";
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
await joinTask(
  {
    contract: values.contract as Hex,
    rpc: values.rpc,
    peers: values.peer,
    stateDirectory: values.state,
    data,
    pollMs: 500,
    rounds: Number(values.rounds),
  },
  {
    reporter: createReporter("text", "client", (line) => console.error(line), Date.now),
    random: platformRandom,
    signal: stop.signal,
  },
  (parts, { document }) => {
    const learner: LocalLearner = {
      update: async (base) => {
        const start = weightsOf(document, base);
        return descended(start, data.train).map((weight, i) => weight - start[i]!);
      },
      quantise: (update, base) => parts.learner.quantise(update, base),
    };
    return { ...parts, learner };
  },
);
process.exit();
