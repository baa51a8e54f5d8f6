import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { openCurve } from "../../../proving/node/open-curve.ts";
import { chunkProver } from "../../../proving/groth16/chunk-prover.ts";
import { proverCommand } from "../../../proving/groth16/prover-command.ts";
import type { KeySet } from "../../../proving/groth16/key-set.ts";
import { FIRST_ACCUMULATOR_HASH, verifyChunkProof } from "../../../protocol/groth16.ts";
import type { ChunkProofPoints } from "../../../protocol/ports.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";
import { closeEngine, devKeys } from "../../support/proving.ts";
import { seededRandom } from "../../support/random.ts";

const CHALLENGE = { alpha: 6n, z: 7n, bound: 1n << 40n };
const SNARKJS = `${process.execPath} ${path.join(path.dirname(createRequire(import.meta.url).resolve("snarkjs")), "cli.cjs")} groth16 prove`;

describe("proving command", function () {
  this.timeout(60_000);
  const random = seededRandom("proving command");
  let keys: KeySet;
  let folder: string;
  let kept: readonly string[];
  before(async () => {
    keys = await devKeys();
    folder = await mkdtemp(path.join(tmpdir(), "command-"));
    kept = ["kept-proof.json", "kept-public.json"].map((name) => path.join(folder, name));
  });
  after(async () => {
    await rm(folder, { recursive: true, force: true });
    await closeEngine();
  });

  /** A command that runs this script; its arguments are files[0 … 3]. */
  async function scripted(body: string): Promise<string> {
    const file = path.join(folder, `command-${(await readdir(folder)).length}.cjs`);
    await writeFile(file, `const fs = require("node:fs"); const files = process.argv.slice(-4);\n${body}\n`);
    return `${process.execPath} ${file}`;
  }
  const witness = () => ({
    rows: new Uint16Array(keys.preset.kinds[0]!.coordinates).fill(130),
    masks: [1n, 2n, 3n],
    blinder: 4n,
    accumulatedBefore: 0n,
    saltBefore: 0n,
    salt: 5n,
  });
  const prove = async (line: string, timeoutMs = 30_000): Promise<ChunkProofPoints> =>
    chunkProver(await openCurve(), keys, random, proverCommand(line, timeoutMs)).prove(0, witness(), CHALLENGE);
  /** Leaves the proof that snarkjs made in the first test, changed. */
  const altered = (change: string): Promise<string> =>
    scripted(`const [proof, signals] = ${JSON.stringify(kept)}.map((file) => JSON.parse(fs.readFileSync(file, "utf8")));
      ${change}
      fs.writeFileSync(files[2], JSON.stringify(proof)); fs.writeFileSync(files[3], JSON.stringify(signals));`);

  it("with snarkjs as the command gives proofs that verify", async () => {
    const keeping = await scripted(`const [program, ...rest] = ${JSON.stringify(SNARKJS.split(" "))};
      require("node:child_process").execFileSync(program, [...rest, ...files]);
      ${JSON.stringify(kept)}.forEach((file, k) => fs.copyFileSync(files[2 + k], file));`);
    const prover = chunkProver(await openCurve(), keys, random, proverCommand(keeping));
    const wires = await prover.commitWires(0, witness());
    const proof = await prover.prove(0, witness(), CHALLENGE);
    assert.ok(
      verifyChunkProof(keys.verificationKeys, 0, wires, proof, { ...CHALLENGE, hPrevious: FIRST_ACCUMULATOR_HASH }),
    );
  });

  it("sees the witness in a private folder that is gone afterwards, and none of this program's variables", async () => {
    const report = path.join(folder, "report.json");
    const line =
      await scripted(`fs.writeFileSync(${JSON.stringify(report)}, JSON.stringify({ input: files[1], env: Object.keys(process.env),
      modes: [files[1], require("node:path").dirname(files[1])].map((file) => fs.statSync(file).mode & 0o777) })); process.exit(3);`);
    process.env["VERISUM_TEST_SECRET"] = "1";
    try {
      await rejectsCode(prove(line), "PROVER_COMMAND_FAILED");
    } finally {
      delete process.env["VERISUM_TEST_SECRET"];
    }
    const { input, env, modes } = JSON.parse(await readFile(report, "utf8")) as {
      input: string;
      env: string[];
      modes: number[];
    };
    assert.deepEqual(modes, [0o600, 0o700]);
    assert.ok(!env.includes("VERISUM_TEST_SECRET"));
    await assert.rejects(stat(path.dirname(input)), { code: "ENOENT" });
  });

  it("leaves no witness behind when the process exits while it runs", async () => {
    const temporary = await mkdtemp(path.join(folder, "temporary-"));
    const command = await scripted("process.kill(process.ppid, 'SIGTERM'); setTimeout(() => undefined, 1000);");
    const program = `import { existsSync, readdirSync } from "node:fs";
      import { proveWithCommand } from ${JSON.stringify(new URL("../../../proving/groth16/external-prover.ts", import.meta.url).href)};
      import { proverCommand } from ${JSON.stringify(new URL("../../../proving/groth16/prover-command.ts", import.meta.url).href)};
      process.on("SIGTERM", () => process.exit(existsSync(${JSON.stringify(temporary)} + "/" + readdirSync(${JSON.stringify(temporary)})[0] + "/witness.wtns") ? 3 : 4));
      await proveWithCommand(proverCommand(${JSON.stringify(command)}), "key", 0, new Uint8Array(64));`;
    const ended = await new Promise<unknown>((resolve) => {
      execFile(
        process.execPath,
        ["--input-type=module", "-e", program],
        { env: { ...process.env, TMPDIR: temporary } },
        (error) => resolve(error?.code),
      );
    });
    assert.equal(ended, 3);
    assert.deepEqual(await readdir(temporary), []);
  });

  it("that fails, hangs or does not exist is reported with a code", async () => {
    await rejectsCode(prove(await scripted("process.exit(1);")), "PROVER_COMMAND_FAILED");
    await rejectsCode(prove(await scripted("setInterval(() => undefined, 1000);"), 500), "PROVER_COMMAND_FAILED");
    await rejectsCode(prove(path.join(folder, "missing")), "PROVER_COMMAND_FAILED");
    const forbidden = path.join(folder, "forbidden");
    await writeFile(forbidden, "");
    await chmod(forbidden, 0o600);
    await rejectsCode(prove(forbidden), "PROVER_COMMAND_FAILED");
    throwsCode(() => proverCommand("  "), "USAGE");
  });

  it("that leaves nothing, garbage or another proof is reported with a code", async () => {
    await rejectsCode(prove(await scripted("")), "PROVER_COMMAND_FAILED");
    await rejectsCode(
      prove(await scripted('fs.writeFileSync(files[2], "{"); fs.writeFileSync(files[3], "[]");')),
      "PROVER_COMMAND_FAILED",
    );
    assert.equal(
      (await prove(await altered(""))).y,
      BigInt((JSON.parse(await readFile(kept[1]!, "utf8")) as string[])[0]!),
    );
    for (const change of [
      'signals[0] = "1";',
      "signals.pop();",
      "signals[0] = 1;",
      'proof.pi_a[2] = "0";',
      'proof.pi_a[0] = "01";',
      'proof.pi_a[0] = "5";',
      "proof.pi_b.pop();",
      'proof.protocol = "plonk";',
      "proof.pi_c = proof.pi_a;",
    ]) {
      await rejectsCode(prove(await altered(change)), "PROVER_COMMAND_FAILED");
    }
  });
});
