/**
 * The machine under a schedule. Files, keys and ciphers are the real ones, but done at once: threads would finish them
 * in another order each time, and only a schedule's dice may say who is first. Nobody's patience ends by the machine's
 * clock either.
 */
import files from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { hexlify, Signature, SigningKey, TypedDataEncoder } from "ethers";
import type { BytesLike, SignatureLike } from "ethers";
import { quietCiphers } from "./quiet-ciphers.ts";

/** Shorter delays, in milliseconds, are no patience: libraries use them to let others run. */
const SHORTEST_PATIENCE_MS = 50;

const PUBLIC_KEYS = new WeakMap<SigningKey, string>();

/** Puts the machine in this state. Returns what ends it. */
export function quietMachine(): () => void {
  const ends = [quietTimers(), quietFiles(), quietCiphers(), signersOnce(), domainsOnce()];
  return () => ends.forEach((end) => end());
}

/**
 * Whoever signed is recovered once for all parties, which are one process here, and not at all where the signature was
 * made here: the same bytes give the same key.
 */
function signersOnce(): () => void {
  const { recoverPublicKey } = SigningKey;
  const { sign } = SigningKey.prototype;
  const publicKey = Object.getOwnPropertyDescriptor(SigningKey.prototype, "publicKey")!;
  const signers = new Map<string, string>();
  const keyOf = (digest: BytesLike, signature: SignatureLike): string =>
    `${hexlify(digest)} ${Signature.from(signature).serialized}`;
  SigningKey.recoverPublicKey = (digest, signature) => {
    const key = keyOf(digest, signature);
    const signer = signers.get(key) ?? recoverPublicKey.call(SigningKey, digest, signature);
    signers.set(key, signer);
    return signer;
  };
  SigningKey.prototype.sign = function (this: SigningKey, digest) {
    const signature = sign.call(this, digest);
    signers.set(keyOf(digest, signature), this.publicKey);
    return signature;
  };
  Object.defineProperty(SigningKey.prototype, "publicKey", { ...publicKey, get: publicKeyOnce(publicKey) });
  return () => {
    SigningKey.recoverPublicKey = recoverPublicKey;
    SigningKey.prototype.sign = sign;
    Object.defineProperty(SigningKey.prototype, "publicKey", publicKey);
  };
}

/** A multiplication of the curve for each key, and not for each signature. */
function publicKeyOnce({ get }: PropertyDescriptor): (this: SigningKey) => string {
  return function (this: SigningKey) {
    const known = PUBLIC_KEYS.get(this) ?? (get!.call(this) as string);
    PUBLIC_KEYS.set(this, known);
    return known;
  };
}

/** A schedule has one domain, which is in every digest that its parties sign. */
function domainsOnce(): () => void {
  const { hashDomain } = TypedDataEncoder;
  const hashes = new Map<string, string>();
  TypedDataEncoder.hashDomain = (domain) => {
    const key = Object.entries(domain).join();
    const hash = hashes.get(key) ?? hashDomain.call(TypedDataEncoder, domain);
    hashes.set(key, hash);
    return hash;
  };
  return () => {
    TypedDataEncoder.hashDomain = hashDomain;
  };
}

function quietTimers(): () => void {
  const [real, realTimeout] = [globalThis.setTimeout, AbortSignal.timeout];
  const patient = (callback: () => void, ms = 0): NodeJS.Timeout =>
    ms < SHORTEST_PATIENCE_MS ? real(callback, ms) : endless();
  // Not one that is only long: what waits for it would stay in memory after its schedule.
  const endless = (): NodeJS.Timeout => {
    const timer = real(() => undefined, 0);
    clearTimeout(timer);
    return timer;
  };
  globalThis.setTimeout = Object.assign<typeof patient, typeof real>(patient, real);
  AbortSignal.timeout = () => new AbortController().signal;
  return () => {
    globalThis.setTimeout = real;
    AbortSignal.timeout = realTimeout;
  };
}

function quietFiles(): () => void {
  const real = { ...promises };
  const atOnce = new Map<string, unknown>(Object.entries(files));
  for (const name of Object.keys(promises)) {
    const now = atOnce.get(`${name}Sync`) as ((...args: unknown[]) => unknown) | undefined;
    if (now !== undefined) Object.assign(promises, { [name]: async (...args: unknown[]) => now(...args) });
  }
  const open = async (path: string, flags: number, mode?: number): Promise<QuietFile> =>
    quietFile(files.openSync(path, flags, mode));
  Object.assign(promises, { open });
  syncBuiltinESMExports();
  return () => {
    Object.assign(promises, real);
    syncBuiltinESMExports();
  };
}

type QuietFile = Pick<promises.FileHandle, "writeFile" | "sync" | "close">;

/** What the roles ask of an open file. */
function quietFile(descriptor: number): QuietFile {
  return {
    writeFile: async (bytes) => files.writeFileSync(descriptor, bytes as Uint8Array),
    sync: async () => files.fsyncSync(descriptor),
    close: async () => files.closeSync(descriptor),
  };
}
