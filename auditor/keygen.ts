/** What `fl keygen` does. */
import { dirname } from "node:path";
import { createKeyFile } from "../chain/key-file.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Format } from "../command/reporter.ts";
import { makeFolder } from "../storage/folder.ts";

/** Makes a key file, and its folder if there is none; prints the account. */
export async function makeKey(
  { out, format }: { readonly out: string; readonly format: Format },
  random: RandomBytes,
): Promise<void> {
  await makeFolder(dirname(out));
  const account = await createKeyFile(out, random);
  process.stdout.write(
    format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: { account, file: out } })}\n`
      : `${account}\n`,
  );
}
