/**
 * Whether what runs at a task's address is this release's contract. An operator could deploy another one that answers
 * every question in the same way: who takes part relies on what it refuses.
 */
import { keccak256 } from "ethers";
import { isVerisumError, VerisumError } from "../protocol/errors.ts";
import { layoutOfTask, PARAMETER_WORDS, parametersHash, presetOf } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { fromHex, toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { kindsInKeys } from "../protocol/verification-key.ts";
import { RELEASED_CODE } from "./generated/released-code.ts";
import { confirmed } from "./rpc.ts";
import type { Endpoint } from "./rpc.ts";

type ContractName = keyof typeof RELEASED_CODE;
type Values = Readonly<Record<string, bigint>>;

/** What the contract and those that it created say of themselves, and no parameter does. */
const OWN: readonly string[] = ["_operator", "_parametersPointer", "deployment", "keysPointer", "lists", "verifier"];
const BITS_PER_KIND = 32n;

/**
 * Compares what runs at the task's address, and at those of the contracts that it works with, with this release: every
 * byte, and every immutable value with the task's parameters.
 * @throws CONTRACT_CODE_UNKNOWN naming the contract and what differs; CHAIN_UNREACHABLE
 */
export async function requireReleasedCode(
  endpoint: Endpoint,
  contract: Hex,
  parameters: TaskParameters,
): Promise<void> {
  await requireKnown(endpoint, () => compareTask(endpoint, contract, parameters));
}

/** The same of a contract that lists a task's cells. @throws as `requireReleasedCode` */
export async function requireReleasedGroup(endpoint: Endpoint, group: Hex): Promise<void> {
  await requireKnown(endpoint, () => immutablesAt(endpoint, "CellGroup", group));
}

/** One endpoint's word does not end a role. */
async function requireKnown({ transport }: Endpoint, compare: () => Promise<unknown>): Promise<void> {
  const difference = await confirmed(
    transport,
    () =>
      compare().then(
        () => undefined,
        (error: unknown) => {
          if (isVerisumError(error, "CONTRACT_CODE_UNKNOWN")) return error;
          throw error;
        },
      ),
    (answer) => answer === undefined,
  );
  if (difference !== undefined) throw difference;
}

/** Nothing is asked of the contract itself: whose code is unknown may answer anything, or nothing. */
async function compareTask(endpoint: Endpoint, contract: Hex, parameters: TaskParameters): Promise<void> {
  const task = await immutablesAt(endpoint, "Verisum", contract);
  const own = Object.fromEntries(OWN.map((name) => [name, task[name]!]));
  const [lists, verifier, keysPointer, parametersPointer] = (
    ["lists", "verifier", "keysPointer", "_parametersPointer"] as const
  ).map((name) => addressOf(task[name]!));
  const values = valuesOf(parameters, (await codeAt(endpoint, keysPointer!)).length - 1);
  requireValues("Verisum", task, { ...values, ...own });
  const operator = task["_operator"]!;
  requireValues("Lists", await immutablesAt(endpoint, "Lists", lists!), {
    ...values,
    _operator: operator,
    _self: BigInt(lists!),
  });
  requireValues("SubmissionVerifier", await immutablesAt(endpoint, "SubmissionVerifier", verifier!), {
    ...values,
    _keysPointer: BigInt(keysPointer!),
  });
  for (const pointer of [keysPointer!, parametersPointer!])
    if ((await codeAt(endpoint, pointer))[0] !== 0)
      throw unknownCode(`${pointer} should hold data, and can run`, pointer);
}

/** By name, after the rest of the code was compared. @throws CONTRACT_CODE_UNKNOWN */
async function immutablesAt(endpoint: Endpoint, name: ContractName, address: Hex): Promise<Values> {
  const code = (await codeAt(endpoint, address)).slice();
  const { codeHash, immutables } = RELEASED_CODE[name];
  const values: Record<string, bigint> = {};
  for (const [immutable, places] of Object.entries<readonly number[]>(immutables)) {
    const words = places.map((place) => toHex(code.subarray(place, place + 32)));
    if (words.some((word) => word !== words[0] || word.length !== 66))
      throw unknownCode(`${name} at ${address} has several values of ${immutable}`, address);
    values[immutable] = BigInt(words[0]!);
    for (const place of places) code.fill(0, place, place + 32);
  }
  if (keccak256(code) !== codeHash)
    throw unknownCode(`what runs at ${address} is not ${name} of this release`, address);
  return values;
}

function requireValues(name: ContractName, actual: Values, expected: Values): void {
  for (const [immutable, value] of Object.entries(actual))
    if (value !== expected[immutable])
      throw unknownCode(`${name} runs with ${immutable} = ${value}, which the task's parameters do not give`, name);
}

/** Of every immutable that follows from the task's parameters and its keys' length in bytes. */
function valuesOf(parameters: TaskParameters, keyBytes: number): Values {
  const { elementCount, chunks } = layoutOfTask(parameters);
  const kinds = presetOf(parameters).kinds;
  const perKind = kinds.map((_, kind) => parameters.chunkKinds.filter((of) => of === kind).length);
  const parameterBytes = Math.ceil(parameters.chunkKinds.length / 32);
  return {
    ...Object.fromEntries(PARAMETER_WORDS.map((name) => [`_${name}`, BigInt(parameters[name])])),
    parametersHash: BigInt(parametersHash(parameters)),
    vectorLength: BigInt(elementCount),
    _chunkCount: BigInt(chunks.length),
    _modelCount: BigInt(parameters.maxStaleness) + 1n,
    _goalClients: BigInt(parameters.bufferGoal) * BigInt(parameters.minSeparation),
    _kinds: packed(perKind),
    _kindCoordinates: packed(kinds.map(({ coordinates }) => coordinates)),
    _kindCount: BigInt(kindsInKeys(keyBytes)),
    // abi.encode of one dynamic struct: its offset, its words, the offset of the bytes, their length and themselves.
    _parametersWords: BigInt(PARAMETER_WORDS.length + 3 + parameterBytes),
  };
}

function packed(values: readonly number[]): bigint {
  return values.reduce((sum, value, kind) => sum | (BigInt(value) << (BITS_PER_KIND * BigInt(kind))), 0n);
}

async function codeAt({ provider, request }: Endpoint, address: Hex): Promise<Uint8Array> {
  return fromHex((await request(() => provider.getCode(address))) as Hex);
}

function addressOf(word: bigint): Hex {
  return `0x${word.toString(16).padStart(40, "0")}`;
}

function unknownCode(text: string, contract: string): VerisumError {
  return new VerisumError("CONTRACT_CODE_UNKNOWN", text, { contract });
}
