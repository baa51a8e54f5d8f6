/**
 * Shares on their way to the committee: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * ChaCha20-Poly1305. One file per seat, `seat-<j>.bin` = encapsulated key (32 bytes) ‖ ciphertext of the share's
 * canonical bytes, or of its seed.
 */
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { VerisumError } from "./errors.ts";
import { decodeElements, encodeElements, encodeWords } from "./field.ts";
import { ELEMENT_BYTES, PROTOCOL_VERSION } from "./parameters.ts";
import type { RandomBytes } from "./random.ts";
import { expandShareSeed, isSeedSeat, SHARE_SEED_BYTES } from "./sharing.ts";
import type { SharingShape } from "./sharing.ts";
import { domainTag } from "./transcript.ts";
import type { Hex, RoundContext } from "./transcript.ts";

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const INFO = utf8ToBytes(`verisum.v${PROTOCOL_VERSION}.share`);

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

/** Whom a share is from and for. Every field is authenticated. */
export interface ShareAddress extends RoundContext {
  readonly client: Hex;
  /** 1 … n. */
  readonly seat: number;
}

/** A member's one-time key pair for one round: raw X25519 bytes. */
export interface RoundKeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** Name of a seat's file in a share bundle. */
export function shareFileName(seat: number): string {
  return `seat-${seat}.bin`;
}

/** Bytes that a seat's file must have. */
export function sealedShareBytes(seat: number, { elementCount, threshold }: SharingShape): number {
  return KEY_BYTES + (isSeedSeat(seat, threshold) ? SHARE_SEED_BYTES : elementCount * ELEMENT_BYTES) + TAG_BYTES;
}

/** Bytes of a committee's files together: the most that a client or a member publishes in a round. */
export function bundleBytes(committeeSize: number, shape: SharingShape): number {
  return Array.from({ length: committeeSize }, (_, i) => sealedShareBytes(i + 1, shape)).reduce(
    (sum, bytes) => sum + bytes,
    0,
  );
}

/** Derives a key pair from 32 random bytes (RFC 9180, DeriveKeyPair). */
export async function newRoundKeyPair(random: RandomBytes): Promise<RoundKeyPair> {
  const pair = await suite.kem.deriveKeyPair(exactBuffer(random(KEY_BYTES)));
  return {
    secretKey: new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey)),
    publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)),
  };
}

/**
 * Encrypts one share to a member's key of the round.
 * @param content the share, or the seed of one for seats below t
 * @throws SHARE_DECRYPTION if the public key is not usable (a small-order point, for example)
 */
export async function sealShare(
  content: readonly bigint[] | Uint8Array,
  publicKey: Uint8Array,
  address: ShareAddress,
  random: RandomBytes,
): Promise<Uint8Array> {
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(exactBuffer(publicKey));
    const ekm = await suite.kem.deriveKeyPair(exactBuffer(random(KEY_BYTES)));
    const sender = await suite.createSenderContext({ recipientPublicKey, ekm, info: exactBuffer(INFO) });
    const sealed = await sender.seal(
      exactBuffer(content instanceof Uint8Array ? content : encodeElements(content)),
      exactBuffer(associatedData(address)),
    );
    return concatBytes(new Uint8Array(sender.enc), new Uint8Array(sealed));
  } catch (cause) {
    throw new VerisumError(
      "ROUND_KEY_INVALID",
      `cannot encrypt to the key of seat ${address.seat}`,
      { seat: address.seat },
      { cause },
    );
  }
}

/**
 * Decrypts a seat's file to its share.
 * @throws ENCODING_LENGTH if the size is not the formula's; SHARE_DECRYPTION; ENCODING_NOT_CANONICAL
 */
export async function openShare(
  file: Uint8Array,
  keys: RoundKeyPair,
  address: ShareAddress,
  shape: SharingShape,
): Promise<bigint[]> {
  const expected = sealedShareBytes(address.seat, shape);
  if (file.length !== expected) {
    throw new VerisumError(
      "ENCODING_LENGTH",
      `the file of seat ${address.seat} has ${expected} bytes, got ${file.length}`,
      { expected, actual: file.length },
    );
  }
  const content = await decrypt(file, keys, address);
  return isSeedSeat(address.seat, shape.threshold)
    ? expandShareSeed(content, shape.elementCount)
    : decodeElements(content, shape.elementCount);
}

async function decrypt(file: Uint8Array, keys: RoundKeyPair, address: ShareAddress): Promise<Uint8Array> {
  try {
    const recipientKey = await suite.kem.deserializePrivateKey(exactBuffer(keys.secretKey));
    const recipient = await suite.createRecipientContext({
      recipientKey,
      enc: exactBuffer(file.subarray(0, KEY_BYTES)),
      info: exactBuffer(INFO),
    });
    return new Uint8Array(
      await recipient.open(exactBuffer(file.subarray(KEY_BYTES)), exactBuffer(associatedData(address))),
    );
  } catch (cause) {
    throw new VerisumError(
      "SHARE_DECRYPTION",
      `the share for seat ${address.seat} does not open`,
      { seat: address.seat, client: address.client },
      { cause },
    );
  }
}

/** (tag, version, deployment, round, client, seat), one 32-byte word each. */
function associatedData(address: ShareAddress): Uint8Array {
  return encodeWords([
    domainTag("share"),
    BigInt(PROTOCOL_VERSION),
    BigInt(address.deployment),
    address.round,
    BigInt(address.client),
    BigInt(address.seat),
  ]);
}

/** WebCrypto wants a buffer of its own, not a view into a larger one. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}
