/** A command that proves in place of the built-in prover, with rapidsnark's interface. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { VerisumError } from "../../protocol/errors.ts";
import { BASE_FIELD_ORDER, FIELD_ORDER } from "../../protocol/parameters.ts";
import { readScalar, SCALAR_BYTES } from "../curve/bn254.ts";
import type { ProvedWitness } from "./groth16-prover.ts";
import type { ProverCommand } from "./prover-command.ts";
import { witnessContainer } from "./witness-container.ts";

/** Variables that the command has no business with: keys and passwords. */
const PRIVATE_VARIABLES = /^VERISUM_/;

const belowLimit = (limit: bigint) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,77})$/)
    .transform(BigInt)
    .refine((value) => value < limit);
const coordinate = belowLimit(BASE_FIELD_ORDER);
const pair = z.tuple([coordinate, coordinate]);
const PROOF = z.object({
  protocol: z.literal("groth16"),
  pi_a: z.tuple([coordinate, coordinate, z.literal("1")]),
  pi_b: z.tuple([pair, pair, z.tuple([z.literal("1"), z.literal("0")])]),
  pi_c: z.tuple([coordinate, coordinate, z.literal("1")]),
});
const SIGNALS = z.array(belowLimit(FIELD_ORDER));

/** Folders with a witness in them, for a process that ends while the command runs. */
const folders = new Set<string>();
let isWatchingExit = false;

function removeOnExit(folder: string): void {
  folders.add(folder);
  if (isWatchingExit) return;
  isWatchingExit = true;
  process.once("exit", () => {
    for (const left of folders) rmSync(left, { recursive: true, force: true });
  });
}

/**
 * Proves a witness with the command. The witness is in a file while the command runs, in a new folder that only this
 * user can read and that is removed afterwards, also if the process exits meanwhile (but not if it is killed). The
 * proof is well-formed, but whether it verifies is the caller's to check.
 * @param witness all wires, 32-byte little-endian words
 * @throws PROVER_COMMAND_FAILED
 */
export async function proveWithCommand(
  command: ProverCommand,
  zkeyPath: string,
  publicCount: number,
  witness: Uint8Array,
): Promise<ProvedWitness> {
  const folder = await mkdtemp(path.join(tmpdir(), "verisum-witness-")); // mode 0700
  removeOnExit(folder);
  try {
    const [input, proofFile, signalsFile] = ["witness.wtns", "proof.json", "public.json"].map((name) =>
      path.join(folder, name),
    ) as [string, string, string];
    await writeFile(input, witnessContainer(witness), { mode: 0o600, flag: "wx" });
    await run(command, [zkeyPath, input, proofFile, signalsFile]);
    const proof = await readJson(proofFile, PROOF);
    const publicSignals = await readJson(signalsFile, SIGNALS);
    const words = new DataView(witness.buffer, witness.byteOffset, witness.byteLength);
    if (
      publicSignals.length !== publicCount ||
      publicSignals.some((value, i) => value !== readScalar(words, (i + 1) * SCALAR_BYTES))
    ) {
      throw new VerisumError(
        "PROVER_COMMAND_FAILED",
        "the proving command's public signals differ from those of the witness",
      );
    }
    const [x, y] = proof.pi_b;
    return {
      a: { x: proof.pi_a[0], y: proof.pi_a[1] },
      b: { x: { c0: x[0], c1: x[1] }, y: { c0: y[0], c1: y[1] } },
      c: { x: proof.pi_c[0], y: proof.pi_c[1] },
      publicSignals,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}

function run(command: ProverCommand, files: readonly string[]): Promise<void> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PRIVATE_VARIABLES.test(name)));
  return new Promise((resolve, reject) => {
    execFile(
      command.program,
      [...command.arguments, ...files],
      { timeout: command.timeoutMs, killSignal: "SIGKILL", env },
      (cause, _, stderr) => {
        if (cause === null) resolve();
        else {
          const reason =
            cause.killed === true ? `was ended after ${command.timeoutMs} ms` : `failed (${String(cause.code)})`;
          reject(
            new VerisumError(
              "PROVER_COMMAND_FAILED",
              `the proving command ${command.program} ${reason}: ${stderr.trim().slice(-500)}`,
              { program: command.program },
              { cause },
            ),
          );
        }
      },
    );
  });
}

async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    throw new VerisumError(
      "PROVER_COMMAND_FAILED",
      `the proving command left no valid ${path.basename(file)}`,
      { file: path.basename(file) },
      { cause },
    );
  }
}
