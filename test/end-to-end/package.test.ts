import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, lstatSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { cloneForRoles, installPackage, NoRegistry, npm, ROOT } from "../support/installed-package.ts";
import type { Project, Running } from "../support/installed-package.ts";
import { startRoundChain } from "../support/round-chain.ts";
import type { RoundChain } from "../support/round-chain.ts";
import { reservePort } from "../support/round-harness.ts";
import { fetchNodeStatus } from "../../task/node-status.ts";
import type { NodeStatus } from "../../task/node-status.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";

/** What an install for roles may take on disk, in megabytes. */
const MOST_MEGABYTES = 185;

const ROUND_TIMEOUT_MS = 120_000;

/** Runs the action, or leaves the test out, by name, where there is no registry. */
async function withRegistry(test: Mocha.Context, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof NoRegistry)) throw error;
    test.skip();
  }
}

function megabytes(folder: string): number {
  const files = globSync("**/*", { cwd: folder }).map((name) => lstatSync(join(folder, name)));
  // Blocks of the disk, as du counts them.
  return files.reduce((sum, { blocks }) => sum + blocks * 512, 0) / 2 ** 20;
}

describe("a clone with an install for roles", function () {
  this.timeout(120_000);
  let folder: string;
  before(async function () {
    folder = await mkdtemp(join(tmpdir(), "verisum-roles-"));
    await withRegistry(this, () => cloneForRoles(folder));
  });
  after(() => rm(folder, { recursive: true }));

  const node = (...args: readonly string[]): string =>
    execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: folder,
      encoding: "utf8",
    });

  it(`has no compiler and takes at most ${MOST_MEGABYTES} MB`, async () => {
    const { packages } = JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8")) as {
      readonly packages: Readonly<Record<string, unknown>>;
    };
    const names = Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, ""));
    assert.ok(names.includes("ethers"));
    assert.deepEqual(
      names.filter((name) => /^(@nomicfoundation\/|hardhat$|solc$|circom2?|typescript$|esbuild$|mocha$)/.test(name)),
      [],
    );
    assert.ok(megabytes(join(folder, "node_modules")) <= MOST_MEGABYTES);
  });

  it("runs the programs of roles, and installs nothing more for them", () => {
    assert.match(node("bin/fl.mjs", "--help"), /^Usage: fl /);
    assert.match(node("bin/fl-aggregator.mjs", "serve", "--help"), /^Usage: fl-aggregator serve /);
    assert.match(node("bin/fl-client.mjs", "data", "--data", "digits", "--format", "json"), /"train":1437/);
    assert.ok(!existsSync(join(folder, ".toolchain", "node_modules")));
  });

  it("loads every file that roles are made of", async () => {
    const files = globSync("{protocol,task,client,member,aggregator,auditor,operator}/**/*.ts", {
      cwd: folder,
      exclude: ["**/cli.ts", "**/*-worker.ts", "**/*.d.ts"],
    });
    await writeFile(join(folder, "load.mjs"), loading(files));
    node("load.mjs");
  });

  it("says that keys need the circuit compiler, and which", async () => {
    await writeFile(
      join(folder, "keys.ts"),
      `import { prepareTask } from "./operator/prepare-task.ts";
      const specification = ${JSON.stringify(TINY_SPECIFICATION)};
      const failed = prepareTask(specification, "store", () => new Uint8Array(), () => undefined);
      process.stdout.write(await failed.then(() => "made", ({ code, message }) => code + message));
      process.exit();`,
    );
    assert.match(node("keys.ts"), /^CIRCUIT_COMPILATION.*npm install circom2@/);
  });
});

/** A module that imports the files. */
function loading(files: readonly string[]): string {
  return `${files.map((name) => `await import("./${name}");`).join("\n")}\nprocess.exit();\n`;
}

describe("the packed package in an empty project", function () {
  this.timeout(240_000);
  let project: Project;
  let chain: RoundChain;

  before(async function () {
    await withRegistry(this, async () => void (project = await installPackage()));
    chain = await startRoundChain();
  });
  after(async () => {
    await project?.remove();
    await chain?.close();
  });

  it("offers its commands", async () => {
    for (const name of ["fl", "fl-client", "fl-aggregator", "fl-operator"]) {
      const { stdout } = await npm(project.folder, "exec", "--no-install", "--", name, "--help");
      assert.match(stdout, new RegExp(`^Usage: ${name} `));
    }
    const { stdout } = await project.run(["node_modules/verisum/bin/fl.mjs", "--version"]);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("has types at each of its doors, and for the examples", async () => {
    await writeFile(join(project.folder, "doors.ts"), DOORS);
    const options = {
      target: "es2023",
      module: "nodenext",
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      typeRoots: [join(ROOT, "node_modules/@types")],
      types: ["node"],
    };
    await writeFile(join(project.folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options }));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const check = (): string => execFileSync(process.execPath, [compiler], { cwd: project.folder, encoding: "utf8" });
    assert.equal(check(), "");
  });

  it("loads every file that roles are made of", async () => {
    const files = globSync("dist/{protocol,task,client,member,aggregator,auditor,operator}/**/*.js", {
      cwd: join(project.folder, "node_modules/verisum"),
      exclude: ["**/cli.js", "**/*-worker.js"],
    });
    await writeFile(join(project.folder, "load.mjs"), loading(files.map((name) => `node_modules/verisum/${name}`)));
    await project.run(["load.mjs"]);
  });

  it("runs a whole round by the examples and the commands, which the auditor and fl verify confirm", async () => {
    const [operator, ...members] = [0, 1, 2, 3, 4].map((index) => chain.wallet(index));
    const clients = [5, 6, 7].map((index) => chain.wallet(index));
    const specification = {
      ...TINY_SPECIFICATION,
      windowSeconds: { key: 20, collect: 60, attest: 60, aggregate: 60 },
      maxRounds: 1,
    };
    await writeFile(join(project.folder, "task.json"), JSON.stringify(specification));
    const roster = [...members.flatMap(named("--member")), ...clients.flatMap(named("--client"))];
    const started = await project.run(
      ["operator.ts", "--rpc", chain.rpc, "--task", "task.json", ...roster],
      operator!.privateKey,
    );
    const contract = started.stdout.trim();
    assert.match(contract, /^0x[0-9a-f]{40}$/);

    const ports = await freePorts(1 + members.length);
    const peer = `http://127.0.0.1:${ports[0]!}`;
    const where = ["--contract", contract, "--rpc", chain.rpc];
    const serving = [
      project.start(["aggregator.ts", ...where, "--port", String(ports[0])], operator!.privateKey),
      ...members.map((wallet, i) => {
        const state = ["--state", `.verisum/member-${i}`, "--peer", peer];
        const port = String(ports[1 + i]);
        const args =
          i === 0
            ? ["member.ts", ...where, ...state, "--port", port]
            : [bin("fl-aggregator"), "member", ...where, ...state, "--listen", `127.0.0.1:${port}`];
        return project.start(args, wallet.privateKey);
      }),
    ];
    const learning = clients.map((wallet, i) => {
      const options = [
        "--state",
        `.verisum/client-${i}`,
        "--peer",
        peer,
        "--data",
        `digits?client=${i}&clients=3&seed=7`,
      ];
      const program = i === 0 ? ["client.ts"] : [bin("fl-client"), "join"];
      return project.start([...program, ...where, ...options, "--rounds", "1"], wallet.privateKey);
    });
    const said = (): string => [...serving, ...learning].map(({ lines }) => lines.join("\n")).join("\n\n");
    await complete(serving[0]!, said);
    for (const { ended } of learning) assert.equal(await ended, 0, said());
    for (const [i, port] of ports.entries()) {
      const { role, seat, ready, round } = await statusAtEnd(`http://127.0.0.1:${port}`);
      const isOf = i === 0 ? { role: "aggregator", seat: undefined } : { role: "member", seat: i };
      assert.deepEqual({ role, seat, ready, phase: round?.phase }, { ...isOf, ready: true, phase: "Finalised" });
    }

    const audited = await project.run(["auditor.ts", ...where, "--peer", peer]);
    assert.deepEqual(JSON.parse(audited.stdout), { ok: true, lastRound: 1 });
    const verified = await project.run([bin("fl"), "verify", ...where, "--peer", peer, "--state", ".verisum/fl"]);
    assert.match(verified.stdout, /VERIFIED {2}\d+ checks passed, model of round 1/);
  });
});

const bin = (name: string): string => `node_modules/verisum/bin/${name}.mjs`;
const named =
  (option: string) =>
  ({ address }: { readonly address: string }): string[] => [option, address.toLowerCase()];

async function freePorts(count: number): Promise<readonly number[]> {
  const reserved = await Promise.all(Array.from({ length: count }, () => reservePort()));
  await Promise.all(reserved.map(({ release }) => release()));
  return reserved.map(({ port }) => port);
}

/** What a node says of itself once it has seen the round end, or after some time. */
async function statusAtEnd(url: string): Promise<Partial<NodeStatus>> {
  for (let tries = 0; tries < 50; tries++) {
    const status = await fetchNodeStatus(url, fetch);
    if (status?.round?.phase === "Finalised") return status;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {};
}

/** Waits until the aggregator says that the task is complete. @throws what everybody said, after too long */
async function complete({ child, lines }: Running, said: () => string): Promise<void> {
  const deadline = performance.now() + ROUND_TIMEOUT_MS;
  while (!lines.some((line) => /the task is complete/.test(line))) {
    assert.ok(child.exitCode === null && performance.now() < deadline, said());
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** What is declared must not be `any`: each wrong use is an error. */
const DOORS = `
import { auditTask, openReadingNode } from "verisum/auditor";
import { serve } from "verisum/aggregator";
import { joinTask } from "verisum/client";
import { createTrainer, loadDataset } from "verisum/learning";
import { runMember } from "verisum/member";
import { deployPreparedTask, prepareTask } from "verisum/operator";
import { VerisumError } from "verisum/protocol";
import { checkShare } from "verisum/protocol/sharing";

export const doors = [
  auditTask, openReadingNode, serve, joinTask, createTrainer, loadDataset, runMember, deployPreparedTask, prepareTask,
];
// @ts-expect-error
export const task: Parameters<typeof auditTask>[0]["chain"]["context"]["chainId"] = "1";
// @ts-expect-error
export const port: Parameters<typeof runMember>[0]["listen"]["port"] = "7701";
// @ts-expect-error
export const batch: Parameters<typeof serve>[0]["batch"] = "3";
// @ts-expect-error
export const rounds: Parameters<typeof joinTask>[0]["rounds"] = "3";
// @ts-expect-error
export const trained: Awaited<ReturnType<typeof createTrainer>>["parameterCount"] = "3";
// @ts-expect-error
export const labels: Awaited<ReturnType<typeof loadDataset>>["train"]["labels"] = "3";
// @ts-expect-error
export const wallet: Parameters<typeof deployPreparedTask>[1] = "0x";
// @ts-expect-error
export const prepared: Awaited<ReturnType<typeof prepareTask>>["parameters"]["dimension"] = "650";
// @ts-expect-error
export const code: VerisumError["code"] = "NO_SUCH_CODE";
// @ts-expect-error
export const share: Parameters<typeof checkShare>[0] = { share: true };
`;
