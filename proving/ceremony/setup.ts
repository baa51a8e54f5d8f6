/** A ceremony's steps over folders: begin from powers of tau, contribute, verify (docs/protocol.md, section 9). */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { VerisumError } from "../../protocol/errors.ts";
import { guardVerificationKeys } from "../../protocol/key-guard.ts";
import { g1Json, g2Json } from "../../protocol/key-json.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import type { ChunkKind, Preset } from "../../protocol/parameters.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { VerificationKeys } from "../../protocol/verification-key.ts";
import { G1_BYTES, g1FromEngine, G2_BYTES, g2FromEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { powersAreConsistent } from "../curve/kzg.ts";
import { checkKind } from "../groth16/checked-key-files.ts";
import { chunkWires, PUBLIC_INPUT_WIRES } from "../groth16/chunk-circuit.ts";
import { compileChunk } from "../groth16/compile-chunk.ts";
import { kindFiles, POWERS_FILE } from "../groth16/manifest.ts";
import { encodeWitnessProgram } from "../groth16/witness-file.ts";
import { witnessProgram } from "../groth16/witness-program.ts";
import { Contributor } from "./contribute.ts";
import type { Source } from "./contribute.ts";
import { initialChunkKeys, powerFor } from "./initial-key.ts";
import { checkPowersFile } from "./powers-check.ts";
import { readPowersFile } from "./powers-file.ts";
import type { PowersFile } from "./powers-file.ts";
import { filesIn, readTranscript, setupFiles, TRANSCRIPT_FOLDER, writeSetup } from "./setup-folder.ts";
import type { NamedFiles } from "./setup-folder.ts";
import {
  ceremonyRefused,
  contributionFile,
  fileDigest,
  POWERS_RECORD_FILE,
  SETUP_FORMAT,
  START_FILE,
} from "./transcript.ts";
import { verifyTranscript } from "./verify-transcript.ts";
import type { VerifiedTranscript } from "./verify-transcript.ts";

export interface SetupEnvironment {
  readonly curve: Curve;
  readonly random: RandomBytes;
  /** Called before each slow step with its description. */
  readonly onStep: (description: string) => void;
  /** Where compiled circuits are kept; `build` in the project by default. */
  readonly buildRoot?: string;
}

export interface SetupRequest {
  readonly preset: Preset;
  /** The preset's first so many kinds. */
  readonly kindCount: number;
  /** The .ptau file. */
  readonly powers: string;
}

/** A folder that holds what it says. */
export interface VerifiedSetup {
  readonly transcript: VerifiedTranscript;
  readonly transcriptFiles: NamedFiles;
}

/**
 * Begins a setup: checks the powers of tau, derives each kind's first key from them, checks it as every key is checked.
 * @throws POWERS_REFUSED, PARAMETERS_INVALID, CIRCUIT_COMPILATION, USAGE
 */
export async function beginSetup(
  out: string,
  request: SetupRequest,
  environment: SetupEnvironment,
): Promise<VerifiedSetup> {
  const kinds = requestedKinds(request);
  const [power, reason] = neededPower(kinds);
  const file = await readPowersFile(request.powers, power, reason);
  await checkPowersFile(environment.curve, file, environment.random, environment.onStep);
  await writeSetup(out, (save) => writeStart(save, request.preset, kinds, file, environment));
  return verifySetup(out, environment);
}

function requestedKinds({ preset, kindCount }: SetupRequest): readonly ChunkKind[] {
  if (!Number.isInteger(kindCount) || kindCount < 1 || kindCount > preset.kinds.length)
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `preset ${preset.name} has ${preset.kinds.length} chunk kinds, not ${kindCount}`,
      { kindCount },
    );
  return preset.kinds.slice(0, kindCount);
}

/** log2 of the powers that these kinds take, and which of them takes the most. */
function neededPower(kinds: readonly ChunkKind[]): [power: number, reason: string] {
  const largest = kinds.reduce((a, b) => (b.domainBits > a.domainBits ? b : a));
  const power = powerFor(largest.domainBits);
  return [power, `${largest.name} needs 2^${power}`];
}

type Save = (name: string, bytes: Uint8Array) => Promise<void>;

async function writeStart(
  save: Save,
  preset: Preset,
  kinds: readonly ChunkKind[],
  file: PowersFile,
  environment: SetupEnvironment,
): Promise<void> {
  const { curve } = environment;
  const powers = file.tauG1.slice(0, 2 ** file.power * G1_BYTES);
  await save(POWERS_FILE, powers);
  await save(path.join(TRANSCRIPT_FOLDER, POWERS_RECORD_FILE), file.contributions);
  const started: object[] = [];
  for (const kind of kinds) started.push(await writeKind(save, preset, kind, file, environment));
  const { power, ceremonyPower, sha256: fileSha256 } = file;
  const start = {
    format: SETUP_FORMAT,
    preset: preset.name,
    source: { fileSha256, power, ceremonyPower, recordSha256: fileDigest(file.contributions) },
    powers: { count: powers.length / G1_BYTES, sha256: fileDigest(powers) },
    alpha: g1Json(g1FromEngine(curve, file.alphaTauG1.slice(0, G1_BYTES))),
    beta: g2Json(g2FromEngine(curve, file.betaG2)),
    tau: g2Json(g2FromEngine(curve, file.tauG2.slice(G2_BYTES, 2 * G2_BYTES))),
    kinds: started,
  };
  await save(
    path.join(TRANSCRIPT_FOLDER, START_FILE),
    new TextEncoder().encode(`${JSON.stringify(start, undefined, 2)}\n`),
  );
}

async function writeKind(
  save: Save,
  preset: Preset,
  kind: ChunkKind,
  file: PowersFile,
  { curve, onStep, buildRoot }: SetupEnvironment,
): Promise<object> {
  onStep(`compiling ${kind.name}`);
  const { circuit, system } = await compileChunk(preset, kind, buildRoot);
  onStep(`deriving the first key of ${kind.name} from the powers of tau`);
  const wires = chunkWires(kind.coordinates, preset.coordinateBits);
  const keys = await initialChunkKeys(curve, system, { start: wires.rowStart, end: wires.committedEnd }, file);
  const names = kindFiles(kind.name);
  const constraints = await readFile(circuit.r1csPath);
  await save(names.zkey, keys.zkey);
  await save(names.wireBases, keys.wireBases);
  await save(names.constraints, constraints);
  await save(
    names.witnessProgram,
    encodeWitnessProgram(witnessProgram(system, PUBLIC_INPUT_WIRES.alpha, wires.inputsEnd)),
  );
  return {
    name: kind.name,
    constraints: fileDigest(constraints),
    circuitHash: circuit.hash,
    publicBases: keys.verificationKey.publicBases.map(g1Json),
    files: { zkey: fileDigest(keys.zkey), wireBases: fileDigest(keys.wireBases) },
  };
}

/**
 * Verifies a folder: the transcript, then every base of every key against circuit, powers, and the secrets with which
 * the transcript ends. Folders without contributions pass; {@link requireContributors} refuses them.
 * @param requireOfTranscript refuses a transcript that holds but is not the wanted one, before the keys' slow check
 * @throws CEREMONY_REFUSED, POWERS_REFUSED, KEY_REFUSED, KEY_ARTIFACT_CORRUPT
 */
export async function verifySetup(
  folder: string,
  environment: SetupEnvironment,
  requireOfTranscript: (setup: VerifiedSetup) => Promise<void> | void = () => undefined,
): Promise<VerifiedSetup> {
  const { curve, random, onStep } = environment;
  const transcriptFiles = await readTranscript(folder);
  onStep("checking the transcript's proofs");
  const transcript = await verifyTranscript(curve, filesIn(transcriptFiles), Object.keys(transcriptFiles), random);
  await requireOfTranscript({ transcript, transcriptFiles });
  const { start, verificationKeys } = transcript;
  const preset = PRESETS[start.preset];
  const powers = await setupFiles(folder).read(POWERS_FILE);
  if (fileDigest(powers) !== start.powers.sha256 || powers.length !== start.powers.count * G1_BYTES)
    throw ceremonyRefused("files", `${POWERS_FILE} is not the file that the transcript names`, { file: POWERS_FILE });
  if (!(await powersAreConsistent(curve, powers, start.tau, random)))
    throw ceremonyRefused("files", `${POWERS_FILE} does not hold the powers of the transcript's tau`, {
      file: POWERS_FILE,
    });
  for (const index of start.kinds.keys()) {
    const kind = preset.kinds[index];
    if (kind?.name !== start.kinds[index]!.name)
      throw ceremonyRefused("kinds", `preset ${preset.name} has no kind ${start.kinds[index]!.name} in this place`);
    onStep(`checking every base of the keys of ${kind.name}`);
    await verifyKind(folder, preset, kind, index, { transcript, powers, verificationKeys }, environment);
  }
  return { transcript, transcriptFiles };
}

async function verifyKind(
  folder: string,
  preset: Preset,
  kind: ChunkKind,
  index: number,
  checked: { transcript: VerifiedTranscript; powers: Uint8Array; verificationKeys: VerificationKeys },
  environment: SetupEnvironment,
): Promise<void> {
  const { transcript, powers, verificationKeys: keys } = checked;
  const files = await readKind(folder, kind);
  const named = { ...transcript.files[index]!, constraints: transcript.start.kinds[index]!.constraints };
  for (const part of ["zkey", "wireBases", "constraints"] as const)
    if (fileDigest(files[part]) !== named[part])
      throw ceremonyRefused("files", `${kindFiles(kind.name)[part]} is not the file that the transcript names`, {
        file: kindFiles(kind.name)[part],
      });
  const verificationKey = keys.kinds[index]!;
  await checkKind({ preset, kind, keys, verificationKey, powers, ...files }, environment);
}

/** One kind's files as they are in the folder. */
async function readKind(
  folder: string,
  kind: ChunkKind,
): Promise<Readonly<Record<"zkey" | "wireBases" | "witnessProgram" | "constraints", Uint8Array>>> {
  const { read } = setupFiles(folder);
  const names = kindFiles(kind.name);
  return {
    zkey: await read(names.zkey),
    wireBases: await read(names.wireBases),
    witnessProgram: await read(names.witnessProgram),
    constraints: await read(names.constraints),
  };
}

/** @throws CEREMONY_UNFINISHED if no party has contributed; KEY_REFUSED if the secrets are of an unsafe form */
export function requireContributors({ contributors, start, verificationKeys }: VerifiedTranscript): void {
  if (contributors.length === 0)
    throw new VerisumError(
      "CEREMONY_UNFINISHED",
      "nobody has contributed: everybody knows delta and sigma, and can forge proofs under these keys",
    );
  guardVerificationKeys(verificationKeys, PRESETS[start.preset]);
}

/**
 * Verifies a folder and writes another with one contribution more.
 * @throws what {@link verifySetup} throws; USAGE if something is in the way
 */
export async function contribute(
  folder: string,
  out: string,
  name: string,
  source: Source,
  environment: SetupEnvironment,
): Promise<VerifiedSetup> {
  const { transcript, transcriptFiles } = await verifySetup(folder, environment, (setup) =>
    requirePlace(setup.transcript, name, source),
  );
  const { read } = setupFiles(folder);
  const preset = PRESETS[transcript.start.preset];
  const contributor = new Contributor(transcript, name, source);
  await writeSetup(out, async (save) => {
    await save(POWERS_FILE, await read(POWERS_FILE));
    for (const [index] of transcript.start.kinds.entries()) {
      const kind = preset.kinds[index]!;
      const { witnessProgram: program, constraints, ...keys } = await readKind(folder, kind);
      environment.onStep(`multiplying the secrets of ${kind.name}`);
      const multiplied = await contributor.multiply(environment.curve, keys);
      for (const [part, bytes] of Object.entries({ ...multiplied, witnessProgram: program, constraints }))
        await save(kindFiles(kind.name)[part as keyof ReturnType<typeof kindFiles>], bytes);
    }
    const { index, file } = contributor.finish();
    const all = { ...transcriptFiles, [contributionFile(index)]: file };
    for (const [file, bytes] of Object.entries(all)) await save(path.join(TRANSCRIPT_FOLDER, file), bytes);
  });
  return verifySetup(out, environment);
}

function requirePlace(transcript: VerifiedTranscript, name: string, source: Source): void {
  if (transcript.beacon !== undefined)
    throw ceremonyRefused("beacon", "this ceremony has ended with a beacon: nobody can contribute any more");
  if (transcript.contributors.includes(name))
    throw ceremonyRefused("name-repeats", `${name} has contributed before: a name counts once`, { name });
  if ("beacon" in source) requireContributors(transcript);
}
