/**
 * Starts a task: makes development keys, publishes the document and the first model, deploys the contract
 * and lists who takes part. Needs the circuit compiler: npm install circom2
 *
 *   VERISUM_KEY=0x… node operator.ts --task task.json --store DIRECTORY --member 0x… --client 0x…
 */
import { parseArgs } from "node:util";
import { deployPreparedTask, loadWallet, platformRandom, prepareTask, readSpecification } from "verisum/operator";
import type { Hex } from "verisum/protocol";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "node_modules/verisum/tasks/digits.json" },
    /** The aggregator serves what is published here. */
    store: { type: "string", default: ".verisum/aggregator/ipfs" },
    build: { type: "string", default: ".verisum/build" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    member: { type: "string", multiple: true, default: [] },
    client: { type: "string", multiple: true, default: [] },
  },
});
const onStep = (step: string): void => console.error(step);

const wallet = await loadWallet(undefined, process.env);
const specification = await readSpecification(values.task);
const prepared = await prepareTask(specification, values.store, platformRandom, onStep, { buildRoot: values.build });
const roster = {
  members: values.member as Hex[],
  clients: values.client.map((account) => ({ account: account as Hex, weight: 1 })),
  // One ether each, for gas.
  fundWei: 10n ** 18n,
};
const { contract } = await deployPreparedTask(values.rpc, wallet, prepared, roster, onStep);
console.log(contract);
// The proving engine's threads would keep the process.
process.exit();
