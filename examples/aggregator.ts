/**
 * Runs the aggregator of a task until it is stopped, and measures each model on the digits. With --once it and its
 * gateway end when the task is complete.
 *
 *   VERISUM_KEY=0x… node aggregator.ts --contract 0x…
 */
import { parseArgs } from "node:util";
import { serve, standardDependencies } from "verisum/aggregator";
import type { Hex } from "verisum/protocol";

const { values } = parseArgs({
  options: {
    contract: { type: "string" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    /** The operator published the task below this directory. */
    state: { type: "string", default: ".verisum/aggregator" },
    port: { type: "string", default: "7700" },
    data: { type: "string", default: "digits" },
    once: { type: "boolean", default: false },
  },
});

await serve(
  {
    contract: values.contract as Hex,
    rpc: values.rpc,
    peers: [],
    stateDirectory: values.state,
    listen: { host: "127.0.0.1", port: Number(values.port) },
    pollMs: 500,
    data: values.data,
    once: values.once,
  },
  standardDependencies("aggregator"),
);
process.exit();
