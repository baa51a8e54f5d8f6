/** One real submission with everything that is public about it, as a page gets it: JSON in which `12n` is a bigint. */
import type { SubmittedRecord, TaskContext } from "../../chain/task-chain.ts";
import { digestHexOfCid } from "../../content/cid.ts";
import { encodeCar } from "../../content/car.ts";
import { buildDirectory } from "../../content/profile.ts";
import { newRoundKeyPair, sealShare, shareFileName } from "../../protocol/bundle.ts";
import { layoutFor } from "../../protocol/layout.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { commitUpdate, proveUpdate } from "../../protocol/submission.ts";
import { BARRIER, layoutOfTask } from "../../protocol/task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { toHex } from "../../protocol/transcript.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../../protocol/verification-key.ts";
import { kzgCommitter } from "../../proving/curve/kzg.ts";
import { chunkProver } from "../../proving/groth16/chunk-prover.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { devKeys } from "../support/proving.ts";
import { seededRandom, word } from "../support/random.ts";

export interface Evidence {
  readonly context: TaskContext;
  readonly parameters: TaskParameters;
  /** As the contract stores them. */
  readonly keys: Hex;
  readonly base: { readonly number: bigint; readonly digest: Hex };
  readonly record: SubmittedRecord;
  /** The encrypted shares, a CAR. */
  readonly shares: Hex;
  /** What the client alone knows: the committed vector, to be committed to again. */
  readonly vector: readonly bigint[];
  /** [tau^i]_1 in the engine's bytes, as many as the vector is long. */
  readonly powers: Hex;
}

const DIMENSION = PRESETS.tiny.kinds[0]!.coordinates + PRESETS.tiny.kinds[1]!.coordinates;
const CLIENT: Hex = `0x${"22".repeat(20)}`;

/** A submission of two chunks, of both kinds, made as a client makes it. */
export async function makeEvidence(): Promise<Evidence> {
  const random = seededRandom("browser evidence");
  const keys = await devKeys();
  const curve = await openCurve();
  const committer = kzgCommitter(curve, keys.powers);
  const parameters = parametersOver(toHex(hashVerificationKeys(keys.verificationKeys)));
  const layout = layoutOfTask(parameters);
  const quantised = Int32Array.from({ length: layout.dimension }, (_, i) => ((i * 31) % 15) - 7);
  const committed = await commitUpdate(layout, parameters, quantised, { committer, random });
  const context = {
    chainId: 31337n,
    contract: `0x${"11".repeat(20)}`,
    deployment: word("deployment"),
    round: 4n,
  } as const;
  const files: Record<string, Uint8Array> = {};
  for (const [index, share] of committed.shares.entries()) {
    const { publicKey } = await newRoundKeyPair(random);
    const address = { ...context, client: CLIENT, seat: index + 1 };
    const sealed = await sealShare(committed.sharing.seeds[index] ?? share, publicKey, address, random);
    files[shareFileName(index + 1)] = sealed;
  }
  const { root, blocks } = await buildDirectory(files);
  const base = { number: 3n, digest: word("digest") };
  const submission = await proveUpdate(
    layout,
    {
      ...context,
      client: CLIENT,
      weight: 3,
      baseModelDigest: base.digest,
      base: base.number,
      normBoundSquared: parameters.normBoundSquared,
    },
    committed,
    digestHexOfCid(root.toString()) as Hex,
    { committer, prover: chunkProver(curve, keys, random) },
  );
  return {
    context: { chainId: context.chainId, contract: context.contract, deployment: context.deployment },
    parameters,
    keys: toHex(encodeVerificationKeys(keys.verificationKeys)),
    base,
    record: {
      ...{ round: 4n, client: CLIENT, index: 0, weight: 3, submission },
      ...{ transactionHash: word("transaction"), blockNumber: 4 },
    },
    shares: toHex(encodeCar(root, blocks)),
    vector: committed.vector,
    powers: toHex(keys.powers.subarray(0, committed.vector.length * 64)),
  };
}

function parametersOver(keysHash: Hex): TaskParameters {
  return {
    taskCid: word("task"),
    genesisCid: word("genesis"),
    genesisDigest: word("genesis digest"),
    keysHash,
    coordinateBits: PRESETS.tiny.coordinateBits,
    dimension: DIMENSION,
    normBoundSquared: 1_000_000n,
    committeeSize: 4,
    threshold: 2,
    quorum: 3,
    minClients: 3,
    minHonest: 2,
    maxCorrupt: 1,
    uniformWeights: false,
    maxWeight: 511,
    ...BARRIER,
    openRegistration: false,
    bondWei: 0n,
    maxRefusals: 3,
    keyWindowSeconds: 60,
    collectSeconds: 600,
    attestSeconds: 300,
    aggregateSeconds: 900,
    maxRounds: 0,
    maxRoundsPerClient: 0,
    privacyCostPerRound: 0n,
    privacyBudget: 0n,
    chunkKinds: layoutFor(PRESETS.tiny, DIMENSION).chunks.map(({ kindIndex }) => kindIndex),
  };
}

export function evidenceToJson(evidence: Evidence): string {
  return JSON.stringify(evidence, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}
