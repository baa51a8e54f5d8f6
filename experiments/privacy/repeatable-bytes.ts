/** Random bytes that a seed repeats, for simulations and audits that others can run again. Never for a participant. */
import { createCipheriv, createHash } from "node:crypto";
import type { RandomBytes } from "../../protocol/random.ts";

/** AES-256 in counter mode under the seed's hash: more than a gigabyte a second. */
export function repeatableBytes(seed: string): RandomBytes {
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(seed).digest(), new Uint8Array(16));
  return (length) => new Uint8Array(cipher.update(new Uint8Array(length)));
}
