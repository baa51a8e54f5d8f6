/**
 * Recomputes a task from chain and IPFS, and says what it found. Needs no account.
 *
 *   node auditor.ts --contract 0x…
 */
import { parseArgs } from "node:util";
import { auditTask, createReporter, openReadingNode } from "verisum/auditor";
import type { Hex } from "verisum/protocol";

const { values } = parseArgs({
  options: {
    contract: { type: "string" },
    rpc: { type: "string", default: "http://127.0.0.1:8545" },
    peer: { type: "string", multiple: true, default: ["http://127.0.0.1:7700"] },
    state: { type: "string", default: ".verisum/auditor" },
  },
});

const reporter = createReporter("text", "auditor", (line) => console.error(line), Date.now);
const node = await openReadingNode(
  { contract: values.contract as Hex, rpc: values.rpc, peers: values.peer, stateDirectory: values.state },
  reporter,
  new AbortController().signal,
);
const audit = await auditTask(node.task, {
  onFinding: ({ round, check, ok, detail }) =>
    reporter.say(ok ? "good" : "error", "finding", `round ${round}, ${check}: ${detail}`),
});
await node.close();
console.log(JSON.stringify({ ok: audit.ok, lastRound: Number(audit.model?.record.round ?? 0n) }));
process.exit(audit.ok ? 0 : 1);
