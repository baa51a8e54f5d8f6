/** Web cryptography without threads: what share bundles use of it, over the same library's calls that do not wait. */
import { createHmac, createPrivateKey, createPublicKey, diffieHellman, hkdfSync } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";

/** A handle: only this file looks inside. */
type Key = { readonly bytes: Buffer } | { readonly x25519: KeyObject };
type Algorithm = string | { readonly name: string };
interface Derivation {
  readonly name: string;
  readonly hash: string;
  readonly salt: ArrayBuffer;
  readonly info: ArrayBuffer;
  readonly public: Key;
}

const METHODS = { importKey, exportKey, sign, deriveBits };

/** Handles of X25519 keys, whose parsing costs as much as their use: each is one from the first party that needs it. */
const handles = new Map<string, Key>();

/** Returns what brings the real ones back. */
export function quietCiphers(): () => void {
  handles.clear();
  const prototype = Object.getPrototypeOf(crypto.subtle) as Record<string, unknown>;
  const real = Object.getOwnPropertyDescriptors(prototype);
  for (const [name, method] of Object.entries(METHODS))
    prototype[name] = async (...args: Parameters<typeof method>) => (method as (...all: unknown[]) => unknown)(...args);
  return () => void Object.defineProperties(prototype, real);
}

function importKey(format: string, data: ArrayBuffer | Uint8Array | JsonWebKey, algorithm: Algorithm): Key {
  const bytes = data instanceof ArrayBuffer || data instanceof Uint8Array ? Buffer.from(data as Uint8Array) : undefined;
  const isX25519 = nameOf(algorithm) === "X25519";
  if (format === "raw" && bytes !== undefined && !isX25519) return { bytes };
  if (!isX25519) throw new Error(`no role imports ${nameOf(algorithm)} keys as ${format}`);
  const name = `${format} ${bytes?.toString("base64url") ?? (data as JsonWebKey).x!}`;
  const handle = handles.get(name) ?? { x25519: parsed(format, bytes, data as JsonWebKey) };
  handles.set(name, handle);
  return handle;
}

function parsed(format: string, bytes: Buffer | undefined, given: JsonWebKey): KeyObject {
  if (format === "pkcs8" && bytes !== undefined) return createPrivateKey({ key: bytes, format: "der", type: "pkcs8" });
  const jwk = bytes === undefined ? given : { kty: "OKP", crv: "X25519", x: bytes.toString("base64url") };
  return createPublicKey({ key: jwk, format: "jwk" });
}

function exportKey(format: string, key: Key): JsonWebKey | ArrayBuffer {
  const jwk = x25519Of(key).export({ format: "jwk" });
  return format === "jwk" ? jwk : bufferOf(Buffer.from(jwk.x!, "base64url"));
}

function sign(_: Algorithm, key: Key, data: ArrayBuffer | Uint8Array): ArrayBuffer {
  return bufferOf(
    createHmac("sha256", bytesOf(key))
      .update(Buffer.from(data as Uint8Array))
      .digest(),
  );
}

function deriveBits(derivation: Derivation, key: Key, bits: number): ArrayBuffer {
  if (derivation.name === "X25519")
    return bufferOf(diffieHellman({ privateKey: x25519Of(key), publicKey: x25519Of(derivation.public) }));
  const { salt, info } = derivation;
  return hkdfSync("sha256", bytesOf(key), Buffer.from(salt), Buffer.from(info), bits / 8);
}

function x25519Of(key: Key): KeyObject {
  if (!("x25519" in key)) throw new TypeError("no X25519 key");
  return key.x25519;
}

function bytesOf(key: Key): Buffer {
  if (!("bytes" in key)) throw new TypeError("no secret bytes");
  return key.bytes;
}

const nameOf = (algorithm: Algorithm): string => (typeof algorithm === "string" ? algorithm : algorithm.name);

/** A buffer of its own, as Web cryptography gives it. */
const bufferOf = (bytes: Buffer): ArrayBuffer => new Uint8Array(bytes).buffer;
