/** The published vector with one thing changed, and what an auditor says of it. For tests only. */
import { dirname, basename } from "node:path";
import { VERISUM_INTERFACE } from "../../chain/rpc.ts";
import { decodeParameters } from "../../chain/codec.ts";
import type * as Solidity from "../../chain/generated/verisum.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { parametersHash } from "../../protocol/task.ts";
import { fromHex, toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { RecordedChain, Recording } from "./recorded-chain.ts";

/** The 32-byte word at this place, from 0, of the bytes at `path` of `chain.json` is another one. */
export interface WordChange {
  /** Keys and places, such as `logs/12/data` or `calls/parameters`. */
  readonly path: string;
  readonly word: number;
  readonly value: Hex;
}

export interface VectorChange {
  readonly what: string;
  readonly words: readonly WordChange[];
  /** Files that nobody has, by their path in `content/`. */
  readonly missing: readonly string[];
}

const WORD_BYTES = 32;
/** Places of words in the events' data (docs/formats.md, section 6). */
const SUBMITTED = { weight: 1, base: 3 } as const;
const SETTLED = { included: 2, members: 3 } as const;
const FINALISED = { modelCid: 3, modelDigest: 4, evaluation: 5, firstRelease: 13, secondRelease: 17 } as const;
const NORM_BOUND = 7;
const MODEL_CID = 1;

/** What is changed; every one of it but the last must be refused. */
export function vectorChanges({ chain }: Recording): readonly VectorChange[] {
  const submitted = pathsOf(chain, "Submitted");
  const settled = pathsOf(chain, "Settled");
  const finalised = pathsOf(chain, "Finalised");
  const parameters = "calls/parameters";
  const bound = changedBy(chain, parameters, NORM_BOUND, 1n);
  const [fresh, stale] = [1n, 0n].map((base) =>
    submitted.findLast((path) => submissionAt(chain, path).base === base),
  ) as [string, string];
  const [spoilt, another] = submitted.map((path) => submissionAt(chain, path));
  const [first, second] = [FINALISED.firstRelease, FINALISED.secondRelease].map((word) =>
    wordAt(chain, finalised[0]!, word),
  );
  const aggregateCid = cidFromDigest(wordAt(chain, finalised[0]!, 1));
  const one = (what: string, ...words: WordChange[]): VectorChange => ({ what, words, missing: [] });
  return [
    one("the norm bound is larger by one", bound, {
      ...{ path: "calls/parametersHash", word: 0 },
      value: hashAfter(chain, bound),
    }),
    one(
      "a proof's y is larger by one",
      changedBy(chain, submitted[0]!, placeOf(chain, submitted[0]!, spoilt!.chunks[0]!.y), 1n),
    ),
    one("a submission's weight is larger by one", changedBy(chain, submitted[0]!, SUBMITTED.weight, 1n)),
    one("a stale submission starts from the latest model", changedBy(chain, stale, SUBMITTED.base, 1n)),
    one("a submission starts from the model before", changedBy(chain, fresh, SUBMITTED.base, -1n)),
    one("a submission starts from a model to come", changedBy(chain, fresh, SUBMITTED.base, 1n)),
    one(
      "a share's hash is another one",
      changedBy(chain, submitted[1]!, placeOf(chain, submitted[1]!, BigInt(another!.shareHashes[0]!)), 1n),
    ),
    one("a client more is included", changedBy(chain, settled[0]!, SETTLED.included, 8n)),
    one("a member fewer attested", changedBy(chain, settled[0]!, SETTLED.members, -4n)),
    one(
      "two releases are swapped",
      { path: finalised[0]!, word: FINALISED.firstRelease, value: second! },
      { path: finalised[0]!, word: FINALISED.secondRelease, value: first! },
    ),
    one("the model's CID is another one", changedBy(chain, finalised[1]!, FINALISED.modelCid, 1n)),
    one("the model's digest is another one", changedBy(chain, finalised[0]!, FINALISED.modelDigest, 1n)),
    one("the sum opens to another value", changedBy(chain, finalised[0]!, FINALISED.evaluation, 1n)),
    one("the contract's model is another one", changedBy(chain, "calls/latestModel", MODEL_CID, 1n)),
    { what: "nobody has the aggregate", words: [], missing: [`${aggregateCid}/aggregate.bin`] },
  ];
}

/** The recording with a change made. */
export function changedVector({ chain, content }: Recording, { words, missing }: VectorChange): Recording {
  const recorded = words.reduce(withWord, structuredClone(chain));
  const left = Object.entries(content).map(([cid, files]) => {
    const names = missing.filter((path) => dirname(path) === cid).map((path) => basename(path));
    return [cid, Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)))] as const;
  });
  return { chain: recorded, content: Object.fromEntries(left) };
}

function withWord(chain: RecordedChain, { path, word, value }: WordChange): RecordedChain {
  const bytes = fromHex(bytesAt(chain, path));
  bytes.set(fromHex(value), word * WORD_BYTES);
  const keys = path.split("/");
  const holder = keys.slice(0, -1).reduce<object>((within, key) => Reflect.get(within, key) as object, chain);
  Reflect.set(holder, keys.at(-1)!, toHex(bytes));
  return chain;
}

function changedBy(chain: RecordedChain, path: string, word: number, difference: bigint): WordChange {
  const value = BigInt(wordAt(chain, path, word)) + difference;
  return { path, word, value: `0x${value.toString(16).padStart(2 * WORD_BYTES, "0")}` };
}

function hashAfter(chain: RecordedChain, change: WordChange): Hex {
  const { calls } = withWord(structuredClone(chain), change);
  const [parameters] = VERISUM_INTERFACE.decodeFunctionResult("parameters", calls["parameters"]!);
  return parametersHash(decodeParameters(parameters as Solidity.TaskParameters));
}

function submissionAt(chain: RecordedChain, path: string): Solidity.Submission {
  const { topics } = chain.logs[Number(path.split("/")[1])]!;
  return (
    VERISUM_INTERFACE.parseLog({ topics, data: bytesAt(chain, path) })!.args as unknown as Solidity.SubmittedEvent
  ).submission;
}

/** Where the word with this value is. */
function placeOf(chain: RecordedChain, path: string, value: bigint): number {
  const words = bytesAt(chain, path).slice(2).match(/.{64}/g)!;
  return words.findIndex((word) => BigInt(`0x${word}`) === value);
}

function wordAt(chain: RecordedChain, path: string, word: number): Hex {
  return toHex(fromHex(bytesAt(chain, path)).slice(word * WORD_BYTES, (word + 1) * WORD_BYTES));
}

function bytesAt(chain: RecordedChain, path: string): Hex {
  return path.split("/").reduce<unknown>((within, key) => Reflect.get(within as object, key), chain) as Hex;
}

/** Of the events with this name, in order. */
function pathsOf({ logs }: RecordedChain, name: string): string[] {
  const topic = VERISUM_INTERFACE.getEvent(name)!.topicHash;
  return logs.flatMap(({ topics }, place) => (topics[0] === topic ? [`logs/${place}/data`] : []));
}
