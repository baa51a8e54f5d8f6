/** What `fl pull` does. */
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { CommonFlags } from "../command/options.ts";
import type { Format } from "../command/reporter.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { claimsText } from "../task/checkpoint.ts";
import { filesAs } from "./exported.ts";
import type { Files, ModelFormat } from "./exported.ts";
import type { FoundCheckpoint } from "./find-checkpoint.ts";
import { checkpointOfTask } from "./read-checkpoint.ts";
import { makeFolder, PUBLIC_FOLDER } from "../storage/folder.ts";

export interface PullFlags extends Omit<CommonFlags, "format"> {
  readonly out: string;
  /** The round that made the model; the latest one if absent, the genesis for 0. */
  readonly round?: bigint;
  /** What is written. */
  readonly format: ModelFormat;
  /** How the command says what it did. */
  readonly report: Format;
}

/** What was published is no secret. */
const READABLE_BY_ALL = 0o644;

/**
 * Writes a model's files into a folder: verified by their CID, or rebuilt from the round's releases where nobody has
 * them any more. @throws what opening a node, {@link checkpointOfTask} and {@link filesAs} throw
 */
export async function pullModel(flags: PullFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const found = await checkpointOfTask(flags, reporter, signal);
  const { folder, files } = await placed(flags, await filesAs(flags.format, found));
  await makeFolder(folder, PUBLIC_FOLDER);
  for (const [name, bytes] of Object.entries(files))
    await writeDurably(join(folder, name), bytes, { mode: READABLE_BY_ALL });
  const { round, cid, source, isWhole, claimed } = found;
  if (flags.report === "text")
    return reporter.say("good", "pulled", `round ${round}: ${textOf(found, cid)}, is in ${flags.out}`);
  const data = {
    ...{ round: round.toString(), model: cid, out: folder, files: Object.keys(files), source, isWhole },
    metrics: claimed === undefined ? {} : { claimed },
  };
  process.stdout.write(`${JSON.stringify({ schemaVersion: 1, status: "ok", data })}\n`);
}

/** Where they go: `--out` is a folder, or, if it ends with .car and is none, the CAR itself. */
export async function placed(
  { out, format }: Pick<PullFlags, "out" | "format">,
  files: Files,
): Promise<{ readonly folder: string; readonly files: Files }> {
  const [only] = Object.values(files);
  const isFile = format === "car" && out.endsWith(".car") && !(await isFolder(out));
  return isFile ? { folder: dirname(out), files: { [basename(out)]: only! } } : { folder: out, files };
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

function textOf({ source, isWhole, claimed }: FoundCheckpoint, cid: string): string {
  const said = claimed === undefined || claimed === null ? "" : `, ${claimsText(claimed)} and not checked`;
  if (source === "published") return `${cid}${said}`;
  const rebuilt = `${cid}, which nobody has, rebuilt from what the members released`;
  return isWhole ? `${rebuilt}${said}` : `${rebuilt}: the same weights, without what its config.json claimed of them`;
}
