/**
 * Holds one seat of a task's committee until it is stopped.
 *
 *   VERISUM_KEY=0x… node member.ts --contract 0x… --port 7701
 */
import { parseArgs } from "node:util";
import { runMember, standardDependencies } from "verisum/member";
import { isVerisumError } from "verisum/protocol";
import type { Hex } from "verisum/protocol";

const { values } = parseArgs({
  options: {
    contract: { type: "string" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    peer: { type: "string", multiple: true, default: ["http://127.0.0.1:7700"] },
    /** Round keys lie here: a member that loses them can release nothing. */
    state: { type: "string", default: ".verisum/member" },
    port: { type: "string", default: "7701" },
  },
});

try {
  await runMember(
    {
      contract: values.contract as Hex,
      rpc: values.rpc,
      peers: values.peer,
      stateDirectory: values.state,
      listen: { host: "127.0.0.1", port: Number(values.port) },
      pollMs: 500,
    },
    standardDependencies("member"),
  );
} catch (error) {
  if (!isVerisumError(error, "INTERRUPTED")) throw error;
}
process.exit();
