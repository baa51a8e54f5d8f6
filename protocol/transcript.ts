/** Domain-separated hashes that the contract and everybody else compute alike: keccak-256 over 32-byte words. */
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { VerisumError } from "./errors.ts";
import { encodeWords } from "./field.ts";
import { DIGEST_LEAF_BYTES, FIELD_ORDER, PROTOCOL_VERSION } from "./parameters.ts";
import type { G1 } from "./points.ts";

/** A 20-byte address or a 32-byte word as lower-case 0x-hex. */
export type Hex = `0x${string}`;

/** Where a statement is made: replay anywhere else fails. */
export interface RoundContext {
  /** The contract's identity (`deploymentOf`). */
  readonly deployment: Hex;
  readonly round: bigint;
}

/** The inputs of a client's challenge, all fixed before alpha and z exist. */
export interface ChallengeInput extends RoundContext {
  readonly client: Hex;
  readonly weight: number;
  readonly baseModelDigest: Hex;
  /** Number of the base model: the rounds that were finalised before it was the latest. */
  readonly base: bigint;
  readonly commitment: G1;
  readonly sharesDigest: Hex;
  readonly sharesCid: Hex;
  /** t − 1. */
  readonly shareEvaluationCount: number;
  /** D of each chunk, in order. */
  readonly wireCommitments: readonly G1[];
}

/** The same with the digest of every D instead of them. */
export interface ChallengeHead extends Omit<ChallengeInput, "wireCommitments"> {
  readonly wiresDigest: Hex;
  /** K. */
  readonly chunkCount: number;
}

/** What a round keeps of a submission. */
export interface IntakeRecord {
  readonly client: Hex;
  readonly weight: number;
  readonly commitment: G1;
  readonly sharesDigest: Hex;
  readonly sharesCid: Hex;
}

/** What a settlement fixes. */
export interface SettlementInput {
  readonly round: bigint;
  readonly intake: Hex;
  /** U: bit i is the i-th accepted client. */
  readonly included: bigint;
  readonly totalWeight: number;
  /** C_Σ. */
  readonly sum: G1;
}

/** The inputs of a result's evaluation point. */
export interface ResultPointInput extends RoundContext {
  /** `settlementOf` the round. */
  readonly settlement: Hex;
  readonly aggregateDigest: Hex;
  readonly modelDigest: Hex;
}

/** An intake without submissions; also a settlement or a key that is not there. */
export const ZERO_WORD: Hex = `0x${"00".repeat(32)}`;

/** The few labels that there are, with their tags. */
const TAGS = new Map<string, bigint>();

/** keccak-256 of a label: the first word of every transcript. */
export function domainTag(label: string): bigint {
  const tag = TAGS.get(label) ?? bytesToBigint(keccak_256(utf8ToBytes(`verisum.v${PROTOCOL_VERSION}.${label}`)));
  TAGS.set(label, tag);
  return tag;
}

/** What a contract's identity is made of. */
export interface DeploymentInput {
  readonly chainId: bigint;
  readonly contract: Hex;
  readonly parametersHash: Hex;
  /** Of the block before the deployment's. */
  readonly parentHash: Hex;
  /** Of the deployment's block (EIP-4399). */
  readonly prevRandao: Hex;
}

/** A contract's identity, protocol.md §6: another one at the same address, on a chain started anew, has another. */
export function deploymentOf({ chainId, contract, parametersHash, parentHash, prevRandao }: DeploymentInput): Hex {
  return hashWords([
    domainTag("deployment"),
    chainId,
    BigInt(contract),
    BigInt(parametersHash),
    BigInt(parentHash),
    BigInt(prevRandao),
  ]);
}

/** chal of protocol.md §5. */
export function challengeOf({ wireCommitments, ...input }: ChallengeInput): Hex {
  return challengeOfHead({
    ...input,
    wiresDigest: wiresDigest(wireCommitments),
    chunkCount: wireCommitments.length,
  });
}

/** The same from the digest of the wires, which is all that a submission in several transactions has at its start. */
export function challengeOfHead(input: ChallengeHead): Hex {
  const words = [
    domainTag("challenge"),
    ...contextWords(input),
    BigInt(input.client),
    BigInt(input.weight),
    BigInt(input.baseModelDigest),
    input.base,
    input.commitment.x,
    input.commitment.y,
    BigInt(input.sharesDigest),
    BigInt(input.sharesCid),
    BigInt(input.wiresDigest),
    BigInt(input.shareEvaluationCount),
    BigInt(input.chunkCount),
  ];
  return hashWords(words);
}

/**
 * H_D of protocol.md §5: digest ← keccak-256(digest, D.x, D.y) for each chunk, from zero. Its steps can be taken in
 * several transactions.
 */
export function wiresDigest(wireCommitments: readonly G1[]): Hex {
  return wireCommitments.reduce<Hex>((digest, { x, y }) => hashWords([BigInt(digest), x, y]), ZERO_WORD);
}

/** alpha and z of protocol.md §5: two independent field elements from one challenge. */
export function challengePoints(challenge: Hex): { readonly alpha: bigint; readonly z: bigint } {
  const derive = (label: string): bigint => BigInt(hashWords([domainTag(label), BigInt(challenge)])) % FIELD_ORDER;
  return { alpha: derive("alpha"), z: derive("z") };
}

/** The record of one submission, protocol.md §6: what a statement over an intake says something about. */
export function recordHashOf(round: bigint, record: IntakeRecord): Hex {
  return hashWords([
    round,
    BigInt(record.client),
    BigInt(record.weight),
    record.commitment.x,
    record.commitment.y,
    BigInt(record.sharesDigest),
    BigInt(record.sharesCid),
  ]);
}

/** intake of protocol.md §6: intake ← keccak-256(intake, record) for each accepted submission, from the zero word. */
export function extendIntake(intake: Hex, recordHash: Hex): Hex {
  return hashWords([BigInt(intake), BigInt(recordHash)]);
}

/** settlement of protocol.md §6: releases and results are signed over it. */
export function settlementOf({ round, intake, included, totalWeight, sum }: SettlementInput): Hex {
  return hashWords([domainTag("settlement"), round, BigInt(intake), included, BigInt(totalWeight), sum.x, sum.y]);
}

/** z' of protocol.md §6: where the contract opens the sum of commitments. */
export function resultPoint(input: ResultPointInput): bigint {
  const words = [
    domainTag("result"),
    ...contextWords(input),
    BigInt(input.settlement),
    BigInt(input.aggregateDigest),
    BigInt(input.modelDigest),
  ];
  return BigInt(hashWords(words)) % FIELD_ORDER;
}

/**
 * sharesDigest: keccak-256 of the concatenated share hashes. @throws ENCODING_LENGTH for a hash that is not 32 bytes
 */
export function sharesDigest(shareHashes: readonly Hex[]): Hex {
  shareHashes.forEach((hash, i) => {
    if (!/^0x[0-9a-fA-F]{64}$/.test(hash))
      throw new VerisumError("ENCODING_LENGTH", `share hash ${i} is not 32 bytes`, { index: i });
  });
  return toHex(keccak_256(concatBytes(...shareHashes.map((hash) => fromHex(hash)))));
}

/**
 * The digest of megabytes: keccak-256 of a domain tag, the length and the sha-256 of each 64 KiB leaf. One leaf can be
 * disputed alone, and sha-256 is several times faster than keccak-256 without the EVM.
 */
export function leafDigest(label: "model" | "aggregate" | "share" | "release", bytes: Uint8Array): Hex {
  const leaves: Uint8Array[] = [encodeWords([domainTag(label), BigInt(bytes.length)])];
  for (let at = 0; at < bytes.length; at += DIGEST_LEAF_BYTES)
    leaves.push(sha256(bytes.subarray(at, at + DIGEST_LEAF_BYTES)));
  return toHex(keccak_256(concatBytes(...leaves)));
}

/** keccak-256 of 32-byte big-endian words. @throws ENCODING_NOT_CANONICAL for a value that is no word */
export function hashWords(words: readonly bigint[]): Hex {
  return toHex(keccak_256(encodeWords(words)));
}

export function toHex(bytes: Uint8Array): Hex {
  return `0x${bytesToHex(bytes)}`;
}

export function fromHex(hex: Hex): Uint8Array {
  return hexToBytes(hex.slice(2));
}

function contextWords(context: RoundContext): bigint[] {
  return [BigInt(context.deployment), context.round];
}

function bytesToBigint(bytes: Uint8Array): bigint {
  return BigInt(toHex(bytes));
}
