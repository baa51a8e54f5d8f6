/** `--trainer`: a command, or the URL of a server on this machine. */
import { readFile } from "node:fs/promises";
import { commandWords } from "../../protocol/command-words.ts";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import { trainerUrl } from "./http.ts";
import type { TrainerAddress } from "./training.ts";

/** Names the server's token where no file does. */
export const TOKEN_VARIABLE = "VERISUM_TRAINER_TOKEN";

/**
 * @param text of the option; a command unless it begins as a URL
 * @param token where a server's token is: a file's path, or what the environment says
 * @throws USAGE
 */
export async function trainerAddress(
  text: string,
  token: { readonly file?: string; readonly environment?: string },
): Promise<TrainerAddress> {
  if (!/^https?:/i.test(text)) return { words: commandWords(text, "the trainer's command") };
  const url = trainerUrl(text);
  const found = (token.file === undefined ? token.environment : await tokenIn(token.file))?.trim() ?? "";
  ensure(
    /^[\x21-\x7e]{16,1024}$/.test(found),
    "USAGE",
    `a trainer's server needs a token of 16 to 1,024 printable characters, from --trainer-token or ${TOKEN_VARIABLE}`,
  );
  return { url, token: found };
}

async function tokenIn(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new VerisumError("USAGE", `the token's file ${file} cannot be read: ${cause.code}`, { file }, { cause });
  });
}
