import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { connectReader } from "../../chain/connect.ts";
import { prepareTask, publishTask } from "../../operator/prepare-task.ts";
import type { TaskKeys } from "../../operator/prepare-task.ts";
import type { KeyRule } from "../../protocol/key-guard.ts";
import { commitUpdate, proveUpdate } from "../../protocol/submission.ts";
import { G1_BYTES } from "../../proving/curve/bn254.ts";
import type { Curve } from "../../proving/curve/curve.ts";
import { chunkWires } from "../../proving/groth16/chunk-circuit.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";
import { MANIFEST_FILE } from "../../proving/groth16/manifest.ts";
import type { Manifest } from "../../proving/groth16/manifest.ts";
import { readZkey } from "../../proving/groth16/proving-key.ts";
import { decodeWitnessProgram, encodeWitnessProgram } from "../../proving/groth16/witness-file.ts";
import { STEP } from "../../proving/groth16/witness-program.ts";
import { writeZkey } from "../../proving/groth16/zkey.ts";
import type { ZkeyPoints } from "../../proving/groth16/zkey.ts";
import { digestOf } from "../../proving/node/key-folder.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import { parseSpecification } from "../../task/create-task.ts";
import { openStateDirectory } from "../../storage/state-directory.ts";
import { joinTask } from "../../client/join.ts";
import { loadCommitter, loadProvingKeys } from "../../task/keys.ts";
import { openWritingNode } from "../../task/node.ts";
import type { WritingNode } from "../../task/node.ts";
import { rejectsCode } from "../support/errors.ts";
import { folderOf, makeOperatorKeys } from "../support/hostile-keys.ts";
import type { CircuitKeys, OperatorKeys } from "../support/hostile-keys.ts";
import { devKeys } from "../support/proving.ts";
import { word } from "../support/random.ts";
import { startRoundChain } from "../support/round-chain.ts";
import type { RoundChain } from "../support/round-chain.ts";
import { csprng, deployCell, startHarness } from "../support/round-harness.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import { createRecorder } from "../support/round-recorder.ts";

/** 585 weights, one chunk of the smallest kind. */
const ONE_CHUNK = {
  ...TINY_SPECIFICATION,
  document: { ...TINY_SPECIFICATION.document, model: { ...TINY_SPECIFICATION.document.model, classCount: 9 } },
};
/** 4,510 weights, two chunks of the second kind. */
const TWO_CHUNKS = {
  ...TINY_SPECIFICATION,
  document: { ...TINY_SPECIFICATION.document, model: { ...TINY_SPECIFICATION.document.model, hidden: [60] } },
};
const CLIENT_ACCOUNT = 5;

describe("an operator who publishes keys to read or to forge with", function () {
  this.timeout(180_000);
  let curve: Curve;
  let chain: RoundChain;
  let operator: OperatorKeys;
  let development: KeySet;
  const scratch: string[] = [];
  const closers: (() => Promise<void>)[] = [];

  before(async () => {
    curve = await openCurve();
    chain = await startRoundChain();
    operator = await makeOperatorKeys(curve, csprng);
    development = await devKeys();
  });
  after(async () => {
    for (const close of closers) await close();
    await chain.close();
    await closeCurve();
    for (const folder of scratch) await rm(folder, { recursive: true, force: true });
  });

  async function temporary(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "verisum-hostile-"));
    scratch.push(folder);
    return folder;
  }

  /** Publishes and deploys a task; the keys' hash is on chain and every digest is right. */
  async function deploy(
    keys: TaskKeys,
    specification: unknown,
    clients: number,
  ): Promise<Awaited<ReturnType<typeof deployCell>> & { readonly directory: string }> {
    const directory = await temporary();
    const store = join(directory, "aggregator", "ipfs");
    const prepared = await publishTask(parseSpecification(specification), keys, { directory: store }, () => undefined);
    return { ...(await deployCell(chain, prepared, { clients }, 0)), directory };
  }

  /** A node of somebody who takes part. */
  async function participate(keys: TaskKeys, specification: unknown = ONE_CHUNK): Promise<WritingNode> {
    const { contract, directory } = await deploy(keys, specification, 1);
    const node = await openWritingNode(
      {
        rpc: chain.rpc,
        contract,
        confirmations: 0,
        stateDirectory: join(directory, "aggregator"),
        peers: [],
        wallet: chain.wallet(CLIENT_ACCOUNT),
      },
      createRecorder(),
      new AbortController().signal,
    );
    closers.push(() => node.close());
    return node;
  }

  /** What a client does with its update up to the submission. */
  async function makeSubmission({ task, state, chain: { context } }: WritingNode): Promise<unknown> {
    const { committer, prover } = await loadProvingKeys(task, state, csprng, createRecorder());
    const { layout, parameters } = task;
    const update = new Int32Array(layout.dimension).fill(1);
    const committed = await commitUpdate(layout, parameters, update, { committer, random: csprng });
    const submission = {
      ...context,
      round: 1n,
      client: `0x${"22".repeat(20)}`,
      weight: 1,
      parametersHash: task.parametersHash,
      baseModelDigest: word("base"),
      base: 0n,
      normBoundSquared: parameters.normBoundSquared,
    } as const;
    return proveUpdate(layout, submission, committed, word("bundle"), { committer, prover });
  }

  /** A member's part of the keys. */
  const loadAsMember = ({ task, state }: WritingNode): Promise<unknown> =>
    loadCommitter(task, state, csprng, createRecorder());

  const withPoints = (keys: CircuitKeys, change: (points: ZkeyPoints) => Partial<ZkeyPoints>): CircuitKeys => {
    const zkey = readZkey(keys.zkey);
    return { ...keys, zkey: writeZkey(keys.system, zkey.domainSize, { ...zkey, ...change(zkey) }) };
  };

  it("gets a submission with honest keys", async () => {
    const node = await participate(folderOf(operator, { keys: operator.honest }));
    await makeSubmission(node);
    await loadAsMember(node);
  });

  it("gets nothing in a round whose circuit writes the update into h: no submission, and no bundle at any peer", async () => {
    const cell = await deploy(folderOf(operator, { keys: operator.leaking }), ONE_CHUNK, 3);
    const harness = await startHarness({ clients: 3, learning: "scripted", cell: { ...cell, peers: [] } });
    try {
      const nodes = ["aggregator", ...harness.members.map(({ seat }) => `member-${seat}`)];
      const held = async (): Promise<string[][]> =>
        Promise.all(
          nodes.map(async (name) => {
            const files = await readdir(join(cell.directory, name, "ipfs", "blocks"), { recursive: true });
            return files.sort();
          }),
        );
      const replicated: string[] = [];
      for (const client of harness.clients) {
        client.running = false;
        client.restart((deps) => ({ ...deps, replicate: async (cid) => void replicated.push(cid) }));
      }
      await harness.turn(({ phase }) => phase === "Collecting");
      while ((await harness.operator.round()).phase !== "Collecting") await harness.turn(() => false);
      const before = await held();
      for (const client of harness.clients)
        await rejectsCode(() => client.step(), "KEY_REFUSED", { rule: "circuit-unknown" });
      const { phase, submitted } = await harness.operator.round();
      assert.deepEqual([phase, submitted], ["Collecting", 0]);
      assert.deepEqual(replicated, []);
      assert.deepEqual(await held(), before);
    } finally {
      await harness.close();
    }
  });

  it("gets neither a registration nor any training from a client that joins: it names the key", async () => {
    const open = { ...ONE_CHUNK, clients: { ...ONE_CHUNK.clients, openRegistration: true, bondWei: "1" } };
    const { contract, directory } = await deploy(folderOf(operator, { keys: operator.leaking }), open, 0);
    const options = {
      ...{ rpc: chain.rpc, contract, confirmations: 0, wallet: chain.wallet(CLIENT_ACCOUNT), peers: [], pollMs: 10 },
      stateDirectory: join(directory, "aggregator"),
      data: "digits?client=0&clients=3&seed=1",
    };
    let trained = 0;
    await rejectsCode(
      joinTask(
        options,
        { reporter: createRecorder(), random: csprng, signal: new AbortController().signal },
        (parts) => ({
          ...parts,
          learner: { ...parts.learner, update: async () => Float32Array.of((trained += 1)) },
        }),
      ),
      "KEY_REFUSED",
      { rule: "circuit-unknown" },
    );
    const reader = await connectReader({ rpc: chain.rpc, contract, confirmations: 0 });
    assert.deepEqual([await reader.clientCount(), trained], [0, 0]);
    // It left its directory, so that it can start again.
    await (await openStateDirectory(options.stateDirectory)).release();
  });

  const blinder = (): number => {
    const wires = chunkWires(588, 8);
    return (wires.blinder - wires.rowStart) * G1_BYTES;
  };
  /** Leaves the blinder and what follows to the program, which sets it to zero. */
  const withoutBlinder = (program: Uint8Array): Uint8Array => {
    const honest = decodeWitnessProgram(program);
    const givenEnd = chunkWires(588, 8).blinder;
    const zeros = Array.from({ length: honest.givenEnd - givenEnd }, (_, k) => [STEP.define, givenEnd + k, 0, 0, 0]);
    return encodeWitnessProgram({ ...honest, givenEnd, steps: Uint32Array.of(...zeros.flat(), ...honest.steps) });
  };

  const cases: Readonly<Record<string, readonly [() => TaskKeys, KeyRule]>> = {
    "a circuit that writes the update into h beside the project's constraint system": [
      () => {
        const { constraints, witnessProgram } = operator.honest;
        return folderOf(operator, { keys: { ...operator.leaking, constraints, witnessProgram } });
      },
      "circuit-mismatch",
    ],
    "an honest key with the bases that blind A and B at infinity": [
      () =>
        folderOf(operator, {
          keys: withPoints(operator.honest, ({ delta1 }) => ({ delta1: new Uint8Array(delta1.length) })),
        }),
      "delta-mismatch",
    ],
    "an honest key with the base that blinds D at infinity": [
      () => {
        const wireBases = operator.honest.wireBases.slice().fill(0, blinder(), blinder() + G1_BYTES);
        return folderOf(operator, { keys: { ...operator.honest, wireBases } });
      },
      "point-invalid",
    ],
    "a witness program that sets the blinder to zero": [
      () => {
        const { honest } = operator;
        return folderOf(operator, {
          keys: { ...honest, witnessProgram: withoutBlinder(honest.witnessProgram) },
        });
      },
      "witness-program",
    ],
    "the verification key of another circuit, its hash on chain": [
      () => folderOf(operator, { keys: operator.honest, verificationKey: operator.leaking.verificationKey }),
      "verification-key-mismatch",
    ],
    "the verification key's public bases of another circuit, its hash on chain and the proving key made to match": [
      () => {
        const { publicBases } = readZkey(operator.leaking.zkey);
        return folderOf(operator, {
          keys: withPoints(operator.honest, () => ({ publicBases })),
          verificationKey: {
            ...operator.honest.verificationKey,
            publicBases: operator.leaking.verificationKey.publicBases,
          },
        });
      },
      "wire-bases",
    ],
  };
  for (const [what, [keys, rule]] of Object.entries(cases)) {
    it(`gets nothing with ${what}: ${rule}`, async () => {
      const node = await participate(keys());
      await rejectsCode(makeSubmission(node), "KEY_REFUSED", { rule });
      // Members use the powers alone, and those are good.
      await loadAsMember(node);
    });
  }

  it("gets nothing from client or member with powers of tau that are none beyond some index", async () => {
    const powers = operator.common.powers.slice();
    powers.copyWithin(2000 * G1_BYTES, 1000 * G1_BYTES, 1000 * G1_BYTES + (powers.length - 2000 * G1_BYTES));
    const node = await participate(folderOf(operator, { keys: operator.honest, powers }));
    await rejectsCode(makeSubmission(node), "KEY_REFUSED", { rule: "powers-inconsistent" });
    await rejectsCode(loadAsMember(node), "KEY_REFUSED", { rule: "powers-inconsistent" });
  });

  it("makes nobody hold more powers of tau than the preset's largest kind takes", async () => {
    const powers = new Uint8Array(G1_BYTES * (2 ** 14 + 1));
    powers.set(operator.common.powers);
    const node = await participate(folderOf(operator, { keys: operator.honest, powers }));
    await rejectsCode(makeSubmission(node), "IPFS_LIMIT_EXCEEDED");
    await rejectsCode(loadAsMember(node), "IPFS_LIMIT_EXCEEDED");
  });

  it("gets nothing from client or member with keys of another preset than the task's", async () => {
    const { files, verificationKeys } = folderOf(operator, { keys: operator.honest });
    const manifest = JSON.parse(new TextDecoder().decode(files[MANIFEST_FILE])) as Manifest;
    const other = new TextEncoder().encode(JSON.stringify({ ...manifest, preset: "standard" }));
    const node = await participate({ files: { ...files, [MANIFEST_FILE]: other }, verificationKeys });
    await rejectsCode(makeSubmission(node), "KEY_REFUSED", { rule: "preset" });
    await rejectsCode(loadAsMember(node), "KEY_REFUSED", { rule: "preset" });
  });

  describe("with D's bases replaced for a kind of which the task has two chunks", () => {
    /** The development keys' folder with one base over sigma doubled. */
    async function copyInto(folder: string): Promise<void> {
      await cp(development.directory, folder, { recursive: true });
      const name = development.manifest.kinds[1]!.wireBases;
      const bases = new Uint8Array(await readFile(join(folder, name)));
      bases.set(curve.G1.toAffine(curve.G1.double(bases.slice(0, G1_BYTES))));
      await writeFile(join(folder, name), bases);
      const manifest = { ...development.manifest, files: { ...development.manifest.files, [name]: digestOf(bases) } };
      await writeFile(join(folder, MANIFEST_FILE), JSON.stringify(manifest));
    }

    it("gets nothing", async () => {
      const folder = join(await temporary(), "keys");
      await copyInto(folder);
      const files: Record<string, Uint8Array> = {};
      for (const name of await readdir(folder)) files[name] = await readFile(join(folder, name));
      const node = await participate({ files, verificationKeys: development.verificationKeys }, TWO_CHUNKS);
      assert.deepEqual(
        node.task.layout.chunks.map((chunk) => chunk.kindIndex),
        [1, 1],
      );
      await rejectsCode(makeSubmission(node), "KEY_REFUSED", { rule: "wire-bases" });
      await loadAsMember(node);
    });

    it("does not get as far as publishing them with create-task", async () => {
      const buildRoot = await temporary();
      await copyInto(join(buildRoot, "keys", basename(development.directory)));
      const store = join(buildRoot, "store");
      const prepare = (): Promise<unknown> => prepareTask(TWO_CHUNKS, store, csprng, () => undefined, { buildRoot });
      await rejectsCode(prepare, "KEY_REFUSED", { rule: "wire-bases" });
      await assert.rejects(stat(store), { code: "ENOENT" });
    });
  });
});
