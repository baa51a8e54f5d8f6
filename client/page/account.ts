/** The page's account: a keystore in its folder, opened by a password. The key itself is told nobody. */
import { encryptKeystoreJson, hexlify, isKeystoreJson, Wallet } from "ethers";
import { openKeystore, walletOf } from "../../chain/key-file.ts";
import { ensure, VerisumError } from "../../protocol/errors.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { createDurably, readIfPresent } from "../../storage/durable-file.ts";

const LEAST_PASSWORD = 8;

export interface KeptAccount {
  readonly address: string;
  /** Undefined until the password was given. */
  readonly wallet: Wallet | undefined;
}

export interface AccountKeeper {
  /** Undefined until one is made or imported. @throws KEY_INVALID if the file is none */
  read(): Promise<KeptAccount | undefined>;
  /** @throws KEY_INVALID if there is one already, or the password is too short */
  make(password: string): Promise<void>;
  /** @param secret 32 bytes in hexadecimal, or a keystore's JSON that `password` opens @throws KEY_INVALID */
  import(secret: string, password: string): Promise<void>;
  /** @throws KEY_INVALID if the password is another one */
  open(password: string): Promise<void>;
}

/** @param file of the keystore (Web3 Secret Storage, version 3) */
export function createAccountKeeper(file: string, random: RandomBytes): AccountKeeper {
  let wallet: Wallet | undefined;
  const keystore = async (): Promise<string | undefined> => {
    const bytes = await readIfPresent(file);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  const keep = async (made: Wallet, password: string): Promise<void> => {
    ensure(
      password.length >= LEAST_PASSWORD,
      "KEY_INVALID",
      `the password has ${password.length} characters: it needs ${LEAST_PASSWORD} at least`,
    );
    const { address, privateKey } = made;
    const drawn = { salt: random(32), iv: random(16), uuid: hexlify(random(16)) };
    const isNew = await createDurably(file, await encryptKeystoreJson({ address, privateKey }, password, drawn));
    ensure(isNew, "KEY_INVALID", `there is an account in ${file} already: it is never overwritten`, { file });
    wallet = made;
  };
  return {
    read: async () => {
      if (wallet !== undefined) return { address: wallet.address.toLowerCase(), wallet };
      const text = await keystore();
      if (text === undefined) return undefined;
      return { address: addressIn(text, file), wallet: undefined };
    },
    make: (password) => keep(new Wallet(hexlify(random(32))), password),
    import: async (secret, password) =>
      keep(
        isKeystoreJson(secret) ? await openKeystore(secret, password, "the keystore") : walletOf(secret, "this"),
        password,
      ),
    open: async (password) => {
      const text = await keystore();
      ensure(text !== undefined, "KEY_MISSING", "there is no account yet: make or import one");
      wallet = await openKeystore(text, password, file);
    },
  };
}

function addressIn(text: string, file: string): string {
  try {
    const { address } = JSON.parse(text) as { readonly address?: unknown };
    if (typeof address === "string" && /^(0x)?[0-9a-fA-F]{40}$/.test(address))
      return `0x${address.replace(/^0x/, "").toLowerCase()}`;
  } catch {
    // It is no JSON: said below.
  }
  throw new VerisumError("KEY_INVALID", `${file} is no keystore`, { file });
}
