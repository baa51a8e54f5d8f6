/**
 * An account's secret key: from a keystore file, a private hex file or the environment; never from the command line.
 */
import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { hexlify, isKeystoreJson, Wallet } from "ethers";
import { VerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import { isSecretKey } from "../protocol/secrets.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";

/** Environment variables that may hold the key, or the keystore's password. */
const KEY_VARIABLE = "VERISUM_KEY";
const PASSWORD_VARIABLE = "VERISUM_KEY_PASSWORD";
/** Far more than a keystore has. */
const MOST_KEY_FILE_BYTES = 2 ** 16;

/**
 * The account's wallet.
 * @param file keystore JSON (Web3 Secret Storage, scrypt), or 32 bytes in hexadecimal with blanks around them;
 *   undefined for the environment, whose value may be the same
 * @param environment the secret is removed from it, so that worker threads and children do not inherit it
 * @throws KEY_MISSING, KEY_INVALID; KEY_FILE_PERMISSIONS if others may read a hex file
 */
export async function loadWallet(file: string | undefined, environment: NodeJS.ProcessEnv): Promise<Wallet> {
  if (file === undefined) {
    const key = environment[KEY_VARIABLE];
    delete environment[KEY_VARIABLE];
    if (key === undefined) throw new VerisumError("KEY_MISSING", `give --key <file>, or set ${KEY_VARIABLE}`);
    return walletOf(key, KEY_VARIABLE);
  }
  if (isSecretKey(file))
    throw new VerisumError(
      "KEY_INVALID",
      `a secret key was given in the place of a file's name: write it into a file with mode 0600 and name that, or set ${KEY_VARIABLE}`,
    );
  const text = await readPrivateFile(file);
  if (!isKeystoreJson(text)) return walletOf(text, file);
  const password = environment[PASSWORD_VARIABLE];
  delete environment[PASSWORD_VARIABLE];
  if (password === undefined)
    throw new VerisumError("KEY_MISSING", `${file} is encrypted: set ${PASSWORD_VARIABLE}`, { file });
  return openKeystore(text, password, file);
}

/**
 * The account of a keystore's JSON (Web3 Secret Storage, version 3).
 * @param file how messages call it
 * @throws KEY_INVALID if the password is another one
 */
export async function openKeystore(text: string, password: string, file: string): Promise<Wallet> {
  try {
    const { privateKey } = await Wallet.fromEncryptedJson(text, password);
    return new Wallet(privateKey);
  } catch (cause) {
    throw new VerisumError("KEY_INVALID", `${file} does not open with this password`, { file }, { cause });
  }
}

/** The account of a secret key. @param source how messages call it @throws KEY_INVALID */
export function walletOf(key: string, source: string): Wallet {
  try {
    return new Wallet(key.trim());
  } catch {
    throw new VerisumError(
      "KEY_INVALID",
      `${source} is neither a secret key in hexadecimal nor an encrypted keystore`,
      { source },
    );
  }
}

/**
 * Writes a new random key as hexadecimal, mode 0600.
 * @returns the account's address
 * @throws STORAGE_FAILED if the file exists, or cannot be written
 */
export async function createKeyFile(path: string, random: RandomBytes): Promise<string> {
  const wallet = new Wallet(hexlify(random(32)));
  try {
    const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    await file.writeFile(`${wallet.privateKey}\n`);
    await file.sync();
    await file.close();
  } catch (cause) {
    throw new VerisumError(
      "STORAGE_FAILED",
      `${path} cannot be created: ${String((cause as NodeJS.ErrnoException).code)}`,
      { file: path },
      { cause },
    );
  }
  return wallet.address;
}

async function readPrivateFile(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !found.isFile())
    throw new VerisumError("KEY_MISSING", `there is no key file at ${file}`, { file });
  const text = await readUserText(file, refuseWith("KEY_INVALID", file, { file }), MOST_KEY_FILE_BYTES);
  // A keystore is secret by its password; secrets are mounted with mode 0644.
  if (!isKeystoreJson(text) && (found.mode & 0o077) !== 0 && process.platform !== "win32") {
    throw new VerisumError("KEY_FILE_PERMISSIONS", `${file} can be read by others; run: chmod 600 ${file}`, {
      file,
      mode: (found.mode & 0o777).toString(8),
    });
  }
  return text;
}
