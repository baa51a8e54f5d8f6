import assert from "node:assert/strict";
import { after, describe, it } from "mocha";
import { auditGenesis } from "../../auditor/genesis.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { modelTensors } from "../../learning/model.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { TaskDocument } from "../../task/document.ts";
import { genesisFiles } from "../../task/genesis.ts";
import { directoryDigest } from "../../task/outcome.ts";
import { Workbench } from "../content/support.ts";
import { word } from "../support/random.ts";
import { TINY_SPECIFICATION } from "../support/tiny-specification.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

const DOCUMENT = { ...TINY_SPECIFICATION.document, version: 1, keysCid: word("keys") } as TaskDocument;
const TENSORS = modelTensors(DOCUMENT.model);
const COUNT = 650;
const STATE = { weights: Int32Array.from({ length: COUNT }, (_, i) => i), kept: [new Int32Array(COUNT)] };

type Files = Readonly<Record<string, Uint8Array>>;

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const replaced = (files: Files, name: string, from: string, to: string): Files => {
  const before = text(files[name]!);
  assert.ok(before.includes(from), `${name} has ${from}`);
  return { ...files, [name]: new TextEncoder().encode(before.replace(from, to)) };
};

describe("an audit of a genesis", () => {
  const bench = new Workbench();
  after(() => bench.clear());

  /** What an audit says of a task whose operator published these files. */
  const auditOf = async (files: Files): Promise<string> => {
    const store = await bench.store();
    await store.putDirectory(files);
    const parameters = {
      ...{ ...TINY_TASK, dimension: COUNT, keysHash: word("keys") },
      ...{ genesisCid: await directoryDigest(files), genesisDigest: modelDigest(STATE) },
    };
    const fetched: string[] = [];
    const getFile: typeof store.getFile = async (cid, name, limits) => {
      assert.equal(cid, cidFromDigest(parameters.genesisCid));
      fetched.push(name);
      return store.getFile(cid, name, limits);
    };
    const task = { store: { ...store, getFile }, document: DOCUMENT, tensors: TENSORS, parameters };
    return auditGenesis(task).then(
      (state) => {
        assert.deepEqual(state, STATE);
        return `read ${fetched.join()}`;
      },
      (error: unknown) => {
        assert.ok(isVerisumError(error), String(error));
        return `${error.code} ${String(error.details["files"])}`;
      },
    );
  };
  const files = genesisFiles(DOCUMENT, TENSORS, STATE, TINY_TASK.taskCid);

  it("reads its weights alone where all of it follows from the task's document", async () => {
    assert.equal(await auditOf(files), "read state.bin");
  });

  for (const [name, from, to] of [
    ["topology.json", '"classCount": 10', '"classCount": 11'],
    ["config.json", '"name": "tiny digits"', '"name": "other digits"'],
    ["config.json", '"metrics": null', '"metrics": { "accuracy": 1, "loss": 0, "samples": 1 }'],
    ["config.json", cidFromDigest(TINY_TASK.taskCid), cidFromDigest(word("another task"))],
  ] as const)
    it(`is red where ${name} has ${to} in place of ${from}`, async () => {
      assert.equal(await auditOf(replaced(files, name, from, to)), `CHECKPOINT_INVALID ${name}`);
    });

  it("is red where the weights for other programs are others than those that count", async () => {
    const tensors = files["model.safetensors"].map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte));
    assert.equal(await auditOf({ ...files, "model.safetensors": tensors }), "CHECKPOINT_INVALID model.safetensors");
  });

  it("is red where a file is missing, or there is one more", async () => {
    const { "topology.json": _, ...rest } = files;
    assert.equal(await auditOf(rest), "CHECKPOINT_INVALID topology.json");
    assert.equal(await auditOf({ ...files, "more.txt": Uint8Array.of(1) }), "CHECKPOINT_INVALID ");
  });
});
