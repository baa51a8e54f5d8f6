/** `fl predict` and `fl evaluate` on a published checkpoint, and what they refuse. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "mocha";
import { filesAs } from "../../auditor/exported.ts";
import { placed } from "../../auditor/pull.ts";
import { readCheckpoint, usableCheckpoint } from "../../auditor/read-checkpoint.ts";
import type { CheckpointFlags } from "../../auditor/read-checkpoint.ts";
import { carRoot } from "../../content/car.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { decodeSafetensors, encodeSafetensors } from "../../learning/safetensors.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { trainedCheckpoint } from "../support/trained-checkpoint.ts";
import type { TrainedCheckpoint } from "../support/trained-checkpoint.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const quiet = { say: () => undefined, wait: () => undefined };

interface Ending {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

function fl(...args: readonly string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["bin/fl.mjs", ...args], { cwd: ROOT, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });
}

describe("commands that use a checkpoint", function () {
  this.timeout(120_000);
  let directory: string;
  let folder: string;
  let cid: string;
  let trained: TrainedCheckpoint;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "verisum-checkpoint-"));
    const json: unknown = JSON.parse(await readFile(join(ROOT, "tasks/digits.json"), "utf8"));
    trained = await trainedCheckpoint(json, "digits");
    folder = await written("checkpoint", trained.files);
    cid = cidFromDigest(await directoryDigest(trained.files));
  });
  after(() => rm(directory, { recursive: true }));

  async function written(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
    const path = join(directory, name);
    await mkdir(path);
    for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
    return path;
  }

  /** The digits' specification for another model, of a table. */
  async function tableTask(of: { readonly model: object; readonly data: object }): Promise<object> {
    const task = JSON.parse(await readFile(join(ROOT, "tasks/digits.json"), "utf8")) as { readonly document: object };
    const { preprocessing: _, ...document } = task.document as Record<string, unknown>;
    return { ...task, document: { ...document, ...of } };
  }

  const read = (flags: object): ReturnType<typeof readCheckpoint> =>
    readCheckpoint(flags as CheckpointFlags, quiet, new AbortController().signal);

  it("reproduce what was reported of it, to the example", async () => {
    const { status, stdout, stderr } = await fl(
      "evaluate",
      "--checkpoint",
      folder,
      "--data",
      "digits",
      "--format",
      "json",
    );
    assert.equal(status, 0, stderr);
    const { data } = JSON.parse(stdout) as {
      readonly data: {
        readonly checkpoint: string;
        readonly samples: number;
        readonly evaluation: { readonly accuracy: number; readonly loss: number };
        readonly claimed: object;
        readonly classes: readonly { readonly name: string; readonly examples: number; readonly recall: number }[];
        readonly calibration: { readonly bins: readonly { readonly count: number }[] };
      };
    };
    const { accuracy, loss, samples } = trained;
    assert.deepEqual([data.checkpoint, data.samples, data.evaluation.accuracy], [cid, samples, accuracy]);
    assert.deepEqual(data.claimed, { accuracy, loss, samples });
    assert.deepEqual(
      data.classes.map(({ name }) => name),
      Array.from("0123456789"),
    );
    const right = data.classes.reduce((sum, { examples, recall }) => sum + examples * recall, 0);
    assert.ok(Math.abs(right - accuracy * samples) < 1e-6);
    assert.equal(
      data.calibration.bins.reduce((sum, { count }) => sum + count, 0),
      samples,
    );
  });

  it("answer for each example, as CSV with the classes' names and as JSON", async () => {
    const asked = ["predict", "--checkpoint", folder, "--cid", cid, "--data", "digits", "--part", "test"];
    const { status, stdout, stderr } = await fl(...asked);
    assert.equal(status, 0, stderr);
    const [header, ...lines] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    assert.deepEqual(header!.slice(0, 5), ["part", "row", "answer", "prediction", "probability of 0"]);
    const right = lines.filter(([, , answer, prediction]) => answer === prediction).length;
    assert.equal(right / lines.length, trained.accuracy);
    for (const [, , , , ...probabilities] of lines)
      assert.ok(Math.abs(probabilities.reduce((sum, text) => sum + Number(text), 0) - 1) < 1e-5);
    const out = join(directory, "predictions.json");
    const json = await fl(...asked, "--format", "json", "--out", out);
    assert.equal(json.status, 0, json.stderr);
    const { data } = JSON.parse(await readFile(out, "utf8")) as {
      readonly data: { readonly predictions: readonly { readonly prediction: string }[] };
    };
    assert.deepEqual(
      data.predictions.map(({ prediction }) => prediction),
      lines.map(([, , , prediction]) => prediction),
    );
  });

  it("answer every row of a table in its order, by the number that a refusal would name, with a label or without", async () => {
    const task = await tableTask({
      model: { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 },
      data: {
        label: "ill",
        classes: ["no", "yes"],
        columns: [
          { name: "a", type: "number" },
          { name: "b", type: "number" },
        ],
      },
    });
    const rows = Array.from({ length: 40 }, (_, i) => [i % 7, (i * 5) % 11, i % 7 > 3 ? "yes" : "no"]);
    const table = join(directory, "rows.csv");
    await writeFile(table, `a,b,ill\n${rows.map((row) => `${row.join(",")}\n`).join("")}`);
    const { files } = await trainedCheckpoint(task, table, 1);
    const checkpoint = await written("of-a-table", files);
    const answered = async (data: string, ...more: readonly string[]): Promise<readonly (readonly string[])[]> => {
      const { status, stdout, stderr } = await fl("predict", "--checkpoint", checkpoint, "--data", data, ...more);
      assert.equal(status, 0, stderr);
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(","));
    };
    const [header, ...all] = await answered(table);
    assert.deepEqual(header, ["row", "answer", "prediction", "probability of no", "probability of yes"]);
    assert.deepEqual(
      all.map(([row, answer]) => [row, answer]),
      rows.map(([, , ill], i) => [String(i + 2), ill]),
    );
    // Blank lines and an empty label: rows keep their lines, and the answer is left open.
    const gaps = join(directory, "gaps.csv");
    await writeFile(gaps, `a,b,ill\n\n${rows.map(([a, b]) => `${a},${b},\n`).join("\n")}`);
    const open = await answered(gaps);
    assert.deepEqual(
      open.slice(1).map(([row, answer, ...rest]) => [row, answer, rest]),
      all.map(([, , ...rest], i) => [String(2 * i + 3), "", rest]),
    );
    const bare = join(directory, "bare.csv");
    await writeFile(bare, `b,a\n${rows.map(([a, b]) => `${b},${a}\n`).join("")}`);
    const [bareHeader, ...unlabelled] = await answered(bare);
    assert.deepEqual(bareHeader, ["row", "prediction", "probability of no", "probability of yes"]);
    assert.deepEqual(
      unlabelled,
      all.map(([row, , ...rest]) => [row, ...rest]),
    );
    // A part of the split has the rows of the file as well.
    const [partHeader, ...part] = await answered(table, "--part", "test");
    assert.deepEqual(partHeader!.slice(0, 3), ["part", "row", "answer"]);
    assert.ok(part.length > 4 && part.length < 12);
    for (const [, row, ...rest] of part) assert.deepEqual([row, ...rest], all[Number(row) - 2]);
    const refused = await fl("predict", "--checkpoint", checkpoint, "--data", bare, "--part", "test");
    assert.match(refused.stderr, /DATASET_COLUMN_ABSENT/);
  });

  it("answer unlabelled rows with numbers in the data's unit", async () => {
    const task = await tableTask({
      model: { kind: "mlp", inputShape: [1], hidden: [], head: { kind: "regression" } },
      data: { label: "y", target: { mean: 500, stdDev: 10 }, columns: [{ name: "x", type: "number" }] },
    });
    const table = join(directory, "numbers.csv");
    await writeFile(table, `x,y\n${Array.from({ length: 20 }, (_, i) => `${i / 20},${500 + i}\n`).join("")}`);
    const { files } = await trainedCheckpoint(task, table, 1);
    const checkpoint = await written("of-numbers", files);
    const bare = join(directory, "x.csv");
    await writeFile(bare, "x\n0.5\n");
    const predictions = async (data: string): Promise<readonly (readonly string[])[]> => {
      const { status, stdout, stderr } = await fl("predict", "--checkpoint", checkpoint, "--data", data);
      assert.equal(status, 0, stderr);
      return stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(","));
    };
    const known = await predictions(table);
    assert.deepEqual(known[0], ["row", "answer", "prediction"]);
    assert.deepEqual(await predictions(`${bare}?delimiter=comma`), [
      ["row", "prediction"],
      ["2", known[11]![2]],
    ]);
  });

  it("say what is measured in words", async () => {
    const { stdout } = await fl("evaluate", "--checkpoint", folder, "--data", "digits?testSamples=50");
    assert.match(stdout, /^data {12}50 test examples$/m);
    assert.match(stdout, /accuracy \d+\.\d % \(majority class/);
    assert.match(stdout, /^9 .* \d+\.\d %/m);
  });

  it("refuse data that does not fit, by its code", async () => {
    const { status, stderr } = await fl("predict", "--checkpoint", folder, "--data", "activity");
    assert.notEqual(status, 0);
    assert.match(stderr, /DATASET_SPEC_INVALID/);
  });

  it("take a CAR of it, whose root is its CID", async () => {
    const { "checkpoint.car": car } = await filesAs("car", { files: trained.files, cid });
    assert.equal(carRoot(car!).toString(), cid);
    const path = join(directory, "a.car");
    await writeFile(path, car!);
    const found = await read({ checkpoint: path });
    assert.equal(found.cid, cid);
    assert.deepEqual(Object.keys(found.files).sort(), Object.keys(trained.files).sort());
    // As fl pull writes it: into a folder, or as the file that --out names.
    for (const out of [join(directory, "pulled"), join(directory, "pulled.car")]) {
      const { folder: into, files } = await placed({ out, format: "car" }, { "checkpoint.car": car! });
      await mkdir(into, { recursive: true });
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(into, name), bytes);
      assert.equal((await read({ checkpoint: out })).cid, cid);
    }
    assert.ok((await stat(join(directory, "pulled.car"))).isFile());
    await writeFile(
      path,
      car!.map((byte, i) => (i === car!.length - 1 ? byte ^ 1 : byte)),
    );
    await rejectsCode(read({ checkpoint: path }), "IPFS_BLOCK_MISMATCH");
  });

  it("refuse a checkpoint that is absent, incomplete, another one than was named, or named twice", async () => {
    await rejectsCode(read({ checkpoint: join(directory, "nothing") }), "CHECKPOINT_INVALID");
    const { "state.bin": _, ...rest } = trained.files;
    await rejectsCode(read({ checkpoint: await written("incomplete", rest) }), "CHECKPOINT_INVALID");
    await rejectsCode(read({ checkpoint: folder, cid: `${cid}a` }), "CHECKPOINT_INVALID");
    await rejectsCode(read({ checkpoint: folder, contract: `0x${"12".repeat(20)}` }), "USAGE");
    await rejectsCode(read({}), "USAGE");
    await rejectsCode(read({ checkpoint: folder, round: 2n }), "USAGE");
  });

  it("refuse a pipe and a file without end in place of a checkpoint's files, without waiting", async () => {
    const { "state.bin": _, ...rest } = trained.files;
    const piped = await written("piped", rest);
    execFileSync("sh", ["-c", 'mkfifo "$1"', "sh", join(piped, "state.bin")]);
    await rejectsCode(read({ checkpoint: piped }), "CHECKPOINT_INVALID");
    const endless = await written("endless", rest);
    await symlink("/dev/zero", join(endless, "state.bin"));
    await rejectsCode(read({ checkpoint: endless }), "CHECKPOINT_INVALID");
    await rejectsCode(read({ checkpoint: "/dev/zero" }), "CHECKPOINT_INVALID");
    const long = await written("long", rest);
    await writeFile(join(long, "state.bin"), "");
    await truncate(join(long, "state.bin"), (1 << 30) + 1);
    await rejectsCode(read({ checkpoint: long }), "CHECKPOINT_INVALID");
  });

  it("refuse JSON that two readers may understand differently", () => {
    for (const [name, key] of [
      ["config.json", "round"],
      ["topology.json", "model"],
    ] as const) {
      const text = new TextDecoder().decode(trained.files[name]).replace(`"${key}"`, `"${key}": 7, "${key}"`);
      const files = { ...trained.files, [name]: new TextEncoder().encode(text) };
      throwsCode(() => usableCheckpoint({ cid, files }), "CHECKPOINT_INVALID");
    }
  });

  it("refuse a checkpoint whose files contradict one another", () => {
    const json = (name: string): Record<string, unknown> =>
      JSON.parse(new TextDecoder().decode(trained.files[name])) as Record<string, unknown>;
    const altered = (name: string, value: object | Uint8Array): void => {
      const bytes = value instanceof Uint8Array ? value : new TextEncoder().encode(JSON.stringify(value));
      throwsCode(() => usableCheckpoint({ cid, files: { ...trained.files, [name]: bytes } }), "CHECKPOINT_INVALID");
    };
    const config = json("config.json");
    altered("config.json", { ...config, layers: [] });
    altered("config.json", { ...config, outputs: { kind: "regression" } });
    altered("config.json", { ...config, inputs: { ...(config["inputs"] as object), shape: [63] } });
    const topology = json("topology.json");
    altered("topology.json", { ...topology, model: { ...(topology["model"] as object), hidden: [31] } });
    altered("topology.json", new TextEncoder().encode("{"));
    altered("config.json", new TextEncoder().encode("null"));
    const { tensors } = decodeSafetensors(trained.files["model.safetensors"]!);
    altered("model.safetensors", encodeSafetensors(tensors.slice(1)));
    altered(
      "model.safetensors",
      encodeSafetensors(tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("dense_1", "dense_9") }))),
    );
  });

  it("write the model for TensorFlow.js and ONNX with what its config.json says", async () => {
    const { "model.json": json } = await filesAs("tfjs", { files: trained.files, cid });
    const { userDefinedMetadata } = JSON.parse(new TextDecoder().decode(json)) as {
      readonly userDefinedMetadata: { readonly checkpoint: string; readonly inputs: string };
    };
    assert.equal(userDefinedMetadata.checkpoint, cid);
    const { preprocessing } = JSON.parse(userDefinedMetadata.inputs) as {
      readonly preprocessing: { readonly divisor: number };
    };
    assert.equal(preprocessing.divisor, 16);
    const { "model.onnx": onnx } = await filesAs("onnx", { files: trained.files, cid });
    assert.ok(Buffer.from(onnx!).includes(cid));
  });
});
