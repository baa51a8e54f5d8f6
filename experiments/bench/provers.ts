/**
 * Times stock snarkjs and the project's prover on the same keys in one run, taking turns, and prints their ratio; then
 * how memory grows with the number of chunks. Runs alone: `node experiments/bench/provers.ts [chunks]`.
 */
import Table from "cli-table3";
import { groth16 } from "snarkjs";
import { platformRandom as random } from "../../command/platform-random.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import { chunkProver } from "../../proving/groth16/chunk-prover.ts";
import { ensureDevKeys } from "../../proving/groth16/ensure-keys.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { witnessContainer } from "../../proving/groth16/witness-container.ts";
import { decodeWitnessProgram } from "../../proving/groth16/witness-file.ts";
import { witnessWriter } from "../../proving/groth16/witness-writer.ts";
import { randomElement } from "../../protocol/field.ts";
import { coordinateOffset, MASKS_PER_CHUNK, PRESETS } from "../../protocol/parameters.ts";
import type { ChunkKind } from "../../protocol/parameters.ts";
import type { ChunkProver, ChunkWitness } from "../../protocol/ports.ts";
import { median } from "./statistics.ts";
import { peakMemoryMb } from "./machine.ts";

const PRESET = PRESETS.standard;
const KINDS = [1, 2];
const REPEATS = 3;
const DEFAULT_CHUNKS = 8;
/** Elements of the longest vector of the keys; proofs do not use it. */
const POWERS = 1024;

interface Cost {
  readonly wallMs: number;
  /** Of all threads. */
  readonly processorMs: number;
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const processorBefore = process.cpuUsage();
  const started = performance.now();
  await work();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(processorBefore);
  return { wallMs, processorMs: (user + system) / 1000 };
}

/** Rows around zero as a trained update has them, a few hundred of them distinct. */
function randomWitness(kind: ChunkKind): ChunkWitness {
  const draws = random(4 * kind.coordinates);
  const offset = coordinateOffset(PRESET);
  return {
    rows: Uint16Array.from(
      { length: kind.coordinates },
      (_, i) =>
        offset + Math.round((draws.subarray(4 * i, 4 * i + 4).reduce((sum, byte) => sum + byte, 0) - 510) * 1.7),
    ),
    masks: Array.from({ length: MASKS_PER_CHUNK }, () => randomElement(random)),
    blinder: randomElement(random),
    accumulatedBefore: 0n,
    saltBefore: 0n,
    salt: randomElement(random),
  };
}

const challenge = { alpha: randomElement(random), z: randomElement(random), bound: 1n << 44n };

/**
 * One chunk with each prover, from the private inputs to the proof, in turns; the first turn warms up and does not
 * count.
 */
async function compare(keys: KeySet, prover: ChunkProver, kindIndex: number): Promise<(string | number)[]> {
  const kind = PRESET.kinds[kindIndex]!;
  const { zkey, witnessProgram } = await keys.provingFiles(kindIndex);
  const writer = witnessWriter(
    { coordinates: kind.coordinates, coordinateBits: PRESET.coordinateBits },
    decodeWitnessProgram(witnessProgram),
  );
  const witness = randomWitness(kind);
  const [stock, own]: [Cost[], Cost[]] = [[], []];
  for (let turn = 0; turn <= REPEATS; turn++) {
    const wires = writer.write(witness, challenge);
    stock.push(
      await costOf(() => groth16.prove({ type: "mem", data: zkey }, { type: "mem", data: witnessContainer(wires) })),
    );
    own.push(await costOf(() => prover.prove(kindIndex, witness, challenge)));
  }
  const of = (costs: readonly Cost[], key: keyof Cost): number => median(costs.slice(1).map((cost) => cost[key]));
  return (["wallMs", "processorMs"] as const).flatMap((key) => [
    of(stock, key).toFixed(0),
    of(own, key).toFixed(0),
    (of(stock, key) / of(own, key)).toFixed(1),
  ]);
}

async function main(): Promise<void> {
  const chunks = Number(process.argv[2] ?? DEFAULT_CHUNKS);
  const curve = await openCurve();
  const keys = await ensureDevKeys(
    { preset: PRESET, kindCount: PRESET.kinds.length, powers: POWERS },
    { curve, random },
  );
  const prover = chunkProver(curve, keys, random);
  await prover.preload(KINDS);
  const last = KINDS.at(-1)!;
  const memory = new Table({ head: ["chunks at once", "seconds", "processor s", "peak MB"] });
  for (let count = 1; count <= chunks; count = count < chunks ? Math.min(2 * count, chunks) : chunks + 1) {
    const witnesses = Array.from({ length: count }, () => randomWitness(PRESET.kinds[last]!));
    const { wallMs, processorMs } = await costOf(() =>
      Promise.all(witnesses.map((witness) => prover.prove(last, witness, challenge))),
    );
    memory.push([count, (wallMs / 1000).toFixed(2), (processorMs / 1000).toFixed(2), peakMemoryMb().toFixed(0)]);
  }
  const table = new Table({
    head: ["one chunk", "snarkjs ms", "own ms", "ratio", "snarkjs cpu ms", "own cpu ms", "ratio"],
  });
  for (const kindIndex of KINDS)
    table.push([PRESET.kinds[kindIndex]!.name, ...(await compare(keys, prover, kindIndex))]);
  process.stdout.write(
    `${memory.toString()}\n${table.toString()}\nsnarkjs is given the finished witness; the own prover writes its own.\n`,
  );
  await closeCurve();
}

await main();
