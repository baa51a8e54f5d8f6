/**
 * Takes part in a task with a trainer of its own: logistic regression of each class against the others.
 *
 *   VERISUM_KEY=0x… node client.ts --contract 0x… --data "digits?client=0&clients=3&seed=7"
 */
import { parseArgs } from "node:util";
import { joinTask, standardDependencies } from "verisum/client";
import type { RoundTrainer } from "verisum/client";
import { featuresOf, loadDataset } from "verisum/learning";
import type { Hex } from "verisum/protocol";

const text = { type: "string" } as const;
const options = { contract: text, rpc: text, peer: text, state: text, data: text, rounds: text };
const { contract, rpc = "http://127.0.0.1:8545", peer, state, data, rounds } = parseArgs({ options }).values;
const own = (await loadDataset(data ?? "digits")).train;
const { labels, exampleCount, classCount } = own;

const trainer: RoundTrainer = {
  train: async ({ tensors }) => {
    const [kernel, bias] = tensors.map((tensor) => tensor.data) as [Float32Array, Float32Array];
    for (let row = 0; row < exampleCount; row++) {
      const x = featuresOf(own, row);
      bias.forEach((start, c) => {
        const score = x.reduce((sum, value, i) => sum + value * kernel[i * classCount + c]!, start);
        const step = 0.1 * (1 / (1 + Math.exp(-score)) - Number(labels[row] === c));
        x.forEach((value, i) => (kernel[i * classCount + c]! -= step * value));
        bias[c]! -= step;
      });
    }
    return { kind: "weights", tensors };
  },
};
const where = { contract: contract as Hex, rpc, peers: [peer ?? "http://127.0.0.1:7700"] };
const rest = { stateDirectory: state ?? ".verisum/client", rounds: Number(rounds ?? 5), trainer };
await joinTask({ ...where, ...rest }, standardDependencies("client"));
process.exit();
