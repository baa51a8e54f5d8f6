/** What `fl status` and `fl pull` do. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { keysOrigin } from "../task/keys-origin.ts";
import { openReadingNode } from "../task/node.ts";
import { privacyLine, privacySummary } from "../task/privacy-summary.ts";

/** Mode of the files that `pull` writes: what was published is no secret. */
const READABLE_BY_ALL = 0o644;

/** Prints a task's state. @throws what opening a node throws */
export async function showStatus(flags: CommonFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const node = await openReadingNode(nodeOptions(flags, "reader"), reporter, signal);
  const { chain, task } = node;
  const [round, model, finalised, clients] = [
    await chain.round(),
    await chain.latestModel(),
    await chain.finalisedRounds(),
    await chain.clientCount(),
  ];
  const gateways = node.network.peers();
  // `fl verify` keeps what it verified in a folder of its own, unless both are told another one.
  const verifiers = [node.state.file("keys"), join(".verisum", "auditor", "keys")];
  const keys = await keysOrigin(task, verifiers);
  const privacy = privacySummary(task, Number(await chain.privacySpent()));
  await node.close();
  const status = {
    task: task.document.name,
    round: round.number.toString(),
    phase: round.phase,
    submitted: `${round.submitted}/${round.expected}`,
    finalisedRounds: `${finalised}${task.parameters.maxRounds > 0 ? `/${task.parameters.maxRounds}` : ""}`,
    clients,
    committee: `${task.parameters.committeeSize} seats, threshold ${task.parameters.threshold}, quorum ${task.parameters.quorum}`,
    keys: keys.says,
    model: cidFromDigest(model.cid),
    ...(privacy === null ? {} : { privacySpent: privacyLine(privacy), privacyMeans: privacy.statement }),
    gateways,
  };
  const { says: _, ...origin } = keys;
  const data = { ...status, keysOrigin: origin, ...(privacy === null ? {} : { privacyEpsilon: privacy.epsilon }) };
  process.stdout.write(
    flags.format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`
      : `${linesOf(status).join("\n")}\n`,
  );
}

function linesOf(status: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(status).map(
    ([key, value]) => `${key.padEnd(16)} ${Array.isArray(value) ? value.join(", ") : String(value)}`,
  );
}

/** Writes the latest model's files, verified by their CID, into a folder. @throws what opening a node throws */
export async function pullModel(
  flags: CommonFlags & { readonly out: string },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const node = await openReadingNode(nodeOptions(flags, "reader"), reporter, signal);
  const model = await node.chain.latestModel();
  const cid = cidFromDigest(model.cid);
  await mkdir(flags.out, { recursive: true });
  // Fixed names: what a directory calls its files never becomes a path here.
  for (const name of ["config.json", "model.safetensors", "state.bin", "topology.json"]) {
    const bytes = await node.store.getFile(cid, name, { maxBytes: 1 << 30 });
    await writeDurably(join(flags.out, name), bytes, { mode: READABLE_BY_ALL });
  }
  await node.close();
  reporter.say("good", "pulled", `round ${model.round}: ${cid} is in ${flags.out}`);
}
