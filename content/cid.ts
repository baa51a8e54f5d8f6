import { base32 } from "multiformats/bases/base32";
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { sha256 } from "multiformats/hashes/sha2";
import { VerisumError } from "../protocol/errors.ts";

/** Multicodec codes, https://github.com/multiformats/multicodec/blob/master/table.csv */
export const DAG_PB_CODEC = 0x70;
export const RAW_CODEC = 0x55;
const SHA2_256_CODE = 0x12;
const DIGEST_BYTES = 32;
const anyBase = base32.decoder.or(base36.decoder).or(base58btc.decoder);

/** The longest CID text looked at: 59 characters of base32, with room for other forms in messages. */
const MAX_CID_CHARACTERS = 128;

function invalid(text: string, cause: string): VerisumError {
  const shown = text.slice(0, MAX_CID_CHARACTERS);
  return new VerisumError("IPFS_CID_INVALID", `CID ${JSON.stringify(shown)} ${cause}`, { cid: shown });
}

/**
 * Why a CID names no block that is used here, in words that follow its name; undefined of version 1, sha2-256 with 32
 * bytes, dag-pb or raw. Identity CIDs name none.
 */
export function faultOfBlockCid(cid: CID): string | undefined {
  if (cid.version !== 1) return "is not version 1";
  if (cid.code !== DAG_PB_CODEC && cid.code !== RAW_CODEC) return "has a codec other than dag-pb and raw";
  const { code, digest } = cid.multihash;
  return code === SHA2_256_CODE && digest.length === DIGEST_BYTES ? undefined : "has a hash other than sha2-256";
}

/** @throws VerisumError IPFS_CID_INVALID */
function assertBlockCid(cid: CID): void {
  const fault = faultOfBlockCid(cid);
  if (fault !== undefined) throw invalid(cid.toString(), fault);
}

/**
 * Parses the canonical text (base32, lower case) of the CID of a single block.
 *
 * @throws VerisumError IPFS_CID_INVALID
 */
export function parseBlockCid(text: string): CID {
  if (text.length > MAX_CID_CHARACTERS) throw invalid(text, "is too long");
  let cid: CID;
  try {
    cid = CID.parse(text);
  } catch {
    throw invalid(text, "does not parse");
  }
  assertBlockCid(cid);
  if (cid.toString() !== text) throw invalid(text, "is not in canonical base32");
  return cid;
}

/**
 * Parses a CID in any form that names a block of ours, as gateways take them: version 0, other bases.
 *
 * @returns the same as version 1
 * @throws VerisumError IPFS_CID_INVALID
 */
export function parseAnyCid(text: string): CID {
  if (text.length > MAX_CID_CHARACTERS) throw invalid(text, "is too long");
  let cid: CID;
  try {
    cid = CID.parse(text, anyBase).toV1();
  } catch {
    throw invalid(text, "does not parse");
  }
  assertBlockCid(cid);
  return cid;
}

/**
 * Parses the CID of a published directory: {@link parseBlockCid} with codec dag-pb.
 *
 * @throws VerisumError IPFS_CID_INVALID
 */
export function parseDirectoryCid(text: string): CID {
  const cid = parseBlockCid(text);
  if (cid.code !== DAG_PB_CODEC) throw invalid(text, "is a raw block, not a directory");
  return cid;
}

/** Whether `parseDirectoryCid` takes the text. */
export function isDirectoryCid(text: string): boolean {
  try {
    parseDirectoryCid(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * The 32 bytes the contract stores for a published directory.
 *
 * @throws VerisumError IPFS_CID_INVALID
 */
export function digestOfCid(cid: string): Uint8Array {
  return parseDirectoryCid(cid).multihash.digest.slice();
}

/** {@link digestOfCid} as 0x-prefixed hexadecimal, the form a bytes32 argument takes. */
export function digestHexOfCid(cid: string): string {
  return `0x${bytesToHex(digestOfCid(cid))}`;
}

/**
 * The directory CID (bafybei…) of a digest from the contract, given as 32 bytes or as hexadecimal with or without 0x.
 *
 * @throws VerisumError IPFS_DIGEST_INVALID
 */
export function cidFromDigest(digest: string | Uint8Array): string {
  const bytes = typeof digest === "string" ? digestBytes(digest) : digest;
  if (bytes.length !== DIGEST_BYTES) {
    throw new VerisumError("IPFS_DIGEST_INVALID", `a content digest has 32 bytes, not ${bytes.length}`, {
      byteLength: bytes.length,
    });
  }
  return CID.createV1(DAG_PB_CODEC, Digest.create(SHA2_256_CODE, bytes)).toString();
}

function digestBytes(text: string): Uint8Array {
  const hex = text.startsWith("0x") ? text.slice(2) : text;
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) {
    throw new VerisumError("IPFS_DIGEST_INVALID", "a content digest has 64 hexadecimal digits", { length: hex.length });
  }
  return hexToBytes(hex);
}

/**
 * True if the bytes hash to the CID. The CID has no {@link faultOfBlockCid}. The digest is the platform's: of Node,
 * or of a browser's page that came from HTTPS or from this machine.
 */
export async function blockMatches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  const actual = await sha256.digest(bytes);
  const expected = cid.multihash.digest;
  return actual.digest.every((byte, index) => byte === expected[index]);
}
