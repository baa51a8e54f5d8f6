/** What `fl keygen` does. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { createKeyFile } from "../chain/key-file.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Format } from "../command/reporter.ts";

/** Makes a key file, and its folder if there is none; prints the account. */
export async function makeKey(
  { out, format }: { readonly out: string; readonly format: Format },
  random: RandomBytes,
): Promise<void> {
  await mkdir(dirname(out), { recursive: true, mode: 0o700 });
  const account = await createKeyFile(out, random);
  process.stdout.write(
    format === "json"
      ? `${JSON.stringify({ schemaVersion: 1, status: "ok", data: { account, file: out } })}\n`
      : `${account}\n`,
  );
}
