/**
 * A trainer that is a program of its own, as a user would write one: `node trainer.mjs WAY FOLDER`. It reads the files
 * of docs/trainers.md without any of this project's code, and behaves in the way named. For tests only.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [way, folder] = process.argv.slice(2);
const config = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
const file = join(folder, "update.safetensors");

function read(path) {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata, ...entries } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const tensors = Object.entries(entries).map(
    ([
      name,
      {
        shape,
        data_offsets: [start, end],
      },
    ]) => {
      const data = Float32Array.from({ length: (end - start) / 4 }, (_, i) =>
        bytes.readFloatLE(8 + length + start + 4 * i),
      );
      return { name, shape, data };
    },
  );
  return { metadata, tensors };
}

/** @param width bytes of a value: 4, or 8 for float64 */
function write(path, metadata, tensors, width = 4, dtype = width === 8 ? "F64" : "F32") {
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const start = end;
    end += width * data.length;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const body = Buffer.alloc(end);
  let at = 0;
  for (const { data } of tensors)
    for (const value of data) at = width === 8 ? body.writeDoubleLE(value, at) : body.writeFloatLE(value, at);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, header, body]));
}

const { tensors } = read(join(folder, "base.safetensors"));
const metadata = { kind: "difference", round: config.round, base: config.base };
const step = (tensor) => ({ ...tensor, data: tensor.data.map((_, i) => 0.01 * ((i % 7) - 3)) });
const steps = tensors.map(step);
const ways = {
  difference: () => write(file, metadata, steps),
  weights: () =>
    write(
      file,
      { ...metadata, kind: "weights" },
      tensors.map((tensor, t) => ({ ...tensor, data: tensor.data.map((value, i) => value + steps[t].data[i]) })),
    ),
  float64: () => write(file, metadata, steps, 8),
  reversed: () => write(file, metadata, steps.toReversed()),
  "sit-out": () => process.exit(10),
  fails: () => {
    console.error("no such file: patients.csv");
    process.exit(3);
  },
  measures: () => {
    if (config.format !== "verisum-evaluator-1") process.exit(5);
    console.log(JSON.stringify({ auc: 0.75 }));
  },
  killed: () => process.kill(process.pid, "SIGKILL"),
  hangs: () => {
    process.on("SIGTERM", () => undefined);
    const child = spawn(process.execPath, ["-e", "process.on('SIGTERM', () => 0); setInterval(() => 0, 1000)"]);
    console.log(JSON.stringify({ child: child.pid }));
    setInterval(() => undefined, 1000);
  },
  missing: () => undefined,
  garbage: () => writeFileSync(file, "not safetensors"),
  truncated: () => {
    write(file, metadata, steps);
    writeFileSync(file, readFileSync(file).subarray(0, -1));
  },
  integers: () => write(file, metadata, steps, 4, "I32"),
  symlink: () => {
    write(join(folder, "elsewhere"), metadata, steps);
    symlinkSync("elsewhere", file);
  },
  directory: () => symlinkSync("/", file),
  large: () => writeFileSync(file, Buffer.alloc(64 << 20)),
  "other round": () => write(file, { ...metadata, round: "0" }, steps),
  "other base": () => write(file, { ...metadata, base: "0x00" }, steps),
  "no kind": () => write(file, { round: config.round, base: config.base }, steps),
  "not a number": () =>
    write(
      file,
      metadata,
      steps.map((tensor) => ({ ...tensor, data: tensor.data.fill(NaN) })),
    ),
  "other name": () =>
    write(
      file,
      metadata,
      steps.map((tensor) => ({ ...tensor, name: `${tensor.name}?` })),
    ),
  "other shape": () =>
    write(
      file,
      metadata,
      steps.map((tensor) => ({ ...tensor, shape: [1, ...tensor.shape] })),
    ),
  "one tensor short": () => write(file, metadata, steps.slice(1)),
  environment: () => {
    const own = Object.keys(process.env).filter((name) => name.startsWith("VERISUM_"));
    if (own.length > 0 || !existsSync(join(folder, "base.safetensors"))) process.exit(4);
    write(file, metadata, steps);
  },
};
console.log("a line for people");
console.log(JSON.stringify({ loss: 0.25, epoch: 1, note: "kept out" }));
ways[way]();
