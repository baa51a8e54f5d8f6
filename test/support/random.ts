import { createCipheriv } from "node:crypto";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { RandomBytes } from "../../protocol/random.ts";

/** A repeatable source of bytes: sha-256 of the seed and a counter. For tests only. */
export function seededRandom(seed: string): RandomBytes {
  const key = new TextEncoder().encode(seed);
  let counter = 0;
  let pool = new Uint8Array(0);
  return (byteLength) => {
    const bytes = new Uint8Array(byteLength);
    for (let filled = 0; filled < byteLength;) {
      if (pool.length === 0)
        pool = sha256(Uint8Array.of(...key, 0, counter >>> 24, counter >>> 16, counter >>> 8, counter++));
      const take = Math.min(pool.length, byteLength - filled);
      bytes.set(pool.subarray(0, take), filled);
      pool = pool.subarray(take);
      filled += take;
    }
    return bytes;
  };
}

/**
 * The same at more than a gigabyte a second, for statistics over millions of samples: AES-256 in counter mode under the
 * seed's hash.
 */
export function seededStream(seed: string): RandomBytes {
  const cipher = createCipheriv("aes-256-ctr", sha256(new TextEncoder().encode(seed)), new Uint8Array(16));
  return (byteLength) => cipher.update(new Uint8Array(byteLength));
}

/** 32 bytes that depend on nothing but the label, as hex. */
export function word(label: string): `0x${string}` {
  return `0x${bytesToHex(sha256(new TextEncoder().encode(label)))}`;
}
