/** Accounts and contracts as people write them; inside the project every address is lower-case. */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "./transcript.ts";

/**
 * What is wrong with an address, in words; undefined if nothing is. All digits lower-case, or all upper-case, is an
 * address without a checksum and passes (EIP-55).
 */
export function addressFault(text: string): string | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return "an address has 0x and 40 hexadecimal digits";
  const digits = text.slice(2);
  if (digits === digits.toLowerCase() || digits === digits.toUpperCase()) return undefined;
  if (text === withChecksum(text.toLowerCase() as Hex)) return undefined;
  return "its checksum is wrong (EIP-55), so a digit is mistyped: copy it again, or write it in lower case to do without a checksum";
}

/** A lower-case address with the checksum of EIP-55. */
export function withChecksum(address: Hex): string {
  const digits = address.slice(2);
  const hash = bytesToHex(keccak_256(utf8ToBytes(digits)));
  return `0x${[...digits].map((digit, i) => (Number.parseInt(hash[i]!, 16) >= 8 ? digit.toUpperCase() : digit)).join("")}`;
}
