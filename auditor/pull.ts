/** What `fl pull` does. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { nodeOptions } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { cidFromDigest } from "../content/cid.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { claimsText } from "../task/checkpoint.ts";
import { openReadingNode } from "../task/node.ts";
import { findCheckpoint } from "./find-checkpoint.ts";
import type { FoundCheckpoint } from "./find-checkpoint.ts";

/** What was published is no secret. */
const READABLE_BY_ALL = 0o644;

/**
 * Writes the latest model's files into a folder: verified by their CID, or rebuilt from the round's releases where
 * nobody has them any more. @throws what opening a node and {@link findCheckpoint} throw
 */
export async function pullModel(
  flags: CommonFlags & { readonly out: string },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const node = await openReadingNode(nodeOptions(flags, "reader"), reporter, signal);
  const model = await node.chain.latestModel();
  const found = await findCheckpoint(node.task, model);
  await node.close();
  await mkdir(flags.out, { recursive: true });
  for (const [name, bytes] of Object.entries(found.files))
    await writeDurably(join(flags.out, name), bytes, { mode: READABLE_BY_ALL });
  const cid = cidFromDigest(model.cid);
  if (flags.format === "text")
    return reporter.say("good", "pulled", `round ${model.round}: ${textOf(found, cid)}, is in ${flags.out}`);
  const { source, isWhole, claimed } = found;
  const data = {
    ...{ round: model.round.toString(), model: cid, out: flags.out, source, isWhole },
    metrics: claimed === undefined ? {} : { claimed },
  };
  process.stdout.write(`${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`);
}

function textOf({ source, isWhole, claimed }: FoundCheckpoint, cid: string): string {
  const said = claimed === undefined || claimed === null ? "" : `, ${claimsText(claimed)} and not checked`;
  if (source === "published") return `${cid}${said}`;
  const rebuilt = `${cid}, which nobody has, rebuilt from what the members released`;
  return isWhole ? `${rebuilt}${said}` : `${rebuilt}: the same weights, without what its config.json claimed of them`;
}
