/** The files of one valid task, changed one thing at a time: each change is refused by the name in the table. */
import { after, before, describe } from "mocha";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCurve } from "../../proving/node/open-curve.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { createContentStore } from "../../content/store.ts";
import { createRecorder } from "../support/round-recorder.ts";
import type { ContentStore } from "../../content/store.ts";
import { uploadCar } from "../../content/upload.ts";
import { decodeSafetensors } from "../../learning/safetensors.ts";
import { loadKeySet } from "../../proving/groth16/key-set.ts";
import { KEY_FORMAT } from "../../proving/groth16/manifest.ts";
import { openTask } from "../../task/open-task.ts";
import { uploadAuthorization } from "../../task/upload-authorisation.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { csprng, startHarness } from "../support/round-harness.ts";
import type { RoundHarness } from "../support/round-harness.ts";
import { changed, flipBit, flipHex, plusOne, tamperTests, text } from "../support/round-tamper.ts";
import type { TamperCase } from "../support/round-tamper.ts";

describe("one valid task, changed one thing at a time", function () {
  this.timeout(120_000);
  let harness: RoundHarness;
  let folder: string;
  let keys: string;
  let root: string;
  let car: Uint8Array;
  const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

  before(async () => {
    harness = await startHarness({ clients: 3, learning: "scripted" });
    folder = await mkdtemp(join(tmpdir(), "verisum-tamper-"));
    root = cidFromDigest(harness.task.parameters.genesisCid);
    car = await harness.task.store.exportCar(root);
    keys = join(folder, "keys");
    const cid = cidFromDigest(harness.task.document.keysCid);
    const { store, state } = harness.aggregator.node;
    await cp(state.file("keys", cid), keys, { recursive: true });
    for (const { name } of await store.list(cid))
      await writeFile(join(keys, name), await store.getFile(cid, name, { maxBytes: 1 << 30 }));
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe("a participant refuses to open a task with", () => {
    const parameter = (
      name: string,
      change: (old: never) => unknown,
      code: "PARAMETERS_INVALID" | "CONTRACT_MISMATCH" = "CONTRACT_MISMATCH",
    ): TamperCase => [
      `another ${name} in the parameters`,
      code,
      () =>
        openTask(
          {
            ...harness.task.chain,
            parameters: async () => changed(await harness.task.chain.parameters(), name, change),
          },
          harness.task.store,
        ),
    ];
    const document = (what: string, change: (text: string) => string): TamperCase => [
      `${what} in task.json`,
      "TASK_DOCUMENT_INVALID",
      () =>
        openTask(harness.task.chain, {
          ...harness.task.store,
          getFile: async (...args) => bytes(change(text(await harness.task.store.getFile(...args)))),
        }),
    ];
    const increment = (value: number): number => value + 1;
    tamperTests([
      ...["taskCid", "genesisCid", "genesisDigest", "keysHash"].map((name) => parameter(name, flipHex)),
      ...[
        "dimension",
        "committeeSize",
        "minClients",
        "keyWindowSeconds",
        "collectSeconds",
        "attestSeconds",
        "aggregateSeconds",
        "maxRounds",
        "maxRefusals",
        "maxRoundsPerClient",
        "maxWeight",
      ].map((name) => parameter(name, increment)),
      parameter("normBoundSquared", plusOne),
      parameter("uniformWeights", (flag: boolean) => !flag, "PARAMETERS_INVALID"),
      // These break a rule of their own.
      ...["threshold", "quorum", "minHonest", "maxCorrupt"].map((name) =>
        parameter(name, increment, "PARAMETERS_INVALID"),
      ),
      ...["bondWei", "privacyCostPerRound", "privacyBudget"].map((name) =>
        parameter(name, plusOne, "PARAMETERS_INVALID"),
      ),
      parameter("openRegistration", (flag: boolean) => !flag, "PARAMETERS_INVALID"),
      parameter("coordinateBits", () => 12),
      parameter("chunkKinds", () => [0, 0]),
      [
        "another hash of the parameters",
        "CONTRACT_MISMATCH",
        () =>
          openTask(
            {
              ...harness.task.chain,
              parametersHash: async () => flipHex(await harness.task.chain.parametersHash()),
            },
            harness.task.store,
          ),
      ],
      document("no JSON", (json) => json.slice(1)),
      document("another version", (json) => json.replace('"version": 1', '"version": 2')),
      document("an unknown field", (json) => json.replace("{", '{ "extra": 1,')),
      document("another preset", (json) => json.replace('"tiny"', '"standard"')),
      document("another clip norm", (json) => json.replace('"clipSteps": 150', '"clipSteps": 151')),
      document("another number of weights", (json) => json.replace('"classCount": 10', '"classCount": 11')),
      document("a negative learning rate", (json) => json.replace('"learningRate": 0.05', '"learningRate": -0.05')),
      document("a malformed keys CID", (json) => json.replace('"keysCid": "0x', '"keysCid": "0y')),
    ]);
  });

  describe("a participant refuses keys with", () => {
    const open = async (): Promise<void> => {
      const set = await loadKeySet(await openCurve(), keys, csprng);
      for (const index of set.manifest.kinds.keys()) await set.provingFiles(index);
    };
    /** Changes a file, loads the keys, and puts the file back. */
    const withFile =
      (name: string, change: (file: Uint8Array) => Uint8Array | undefined) => async (): Promise<void> => {
        const path = join(keys, name);
        const file = await readFile(path);
        const next = change(file);
        await (next === undefined ? rm(path) : writeFile(path, next));
        try {
          await open();
        } finally {
          await writeFile(path, file);
        }
      };
    const manifest = (what: string, change: (text: string) => string): TamperCase => [
      what,
      "KEY_ARTIFACT_CORRUPT",
      withFile("manifest.json", (file) => bytes(change(text(file)))),
    ];
    const files = [
      "powers.bin",
      "verification-keys.json",
      "chunk_588x8.zkey",
      "chunk_588x8.wires",
      "chunk_588x8.witness",
    ];
    tamperTests([
      ["nothing changed", "accepted", open],
      ...files.flatMap((name): TamperCase[] => [
        [
          `a flipped bit of ${name}`,
          "KEY_ARTIFACT_CORRUPT",
          withFile(name, (file) => flipBit(file, Math.floor(file.length / 2))),
        ],
        [`a truncated ${name}`, "KEY_ARTIFACT_CORRUPT", withFile(name, (file) => file.subarray(0, -1))],
        [`no ${name}`, "KEY_ARTIFACT_CORRUPT", withFile(name, () => undefined)],
      ]),
      manifest("a malformed manifest", (json) => json.slice(1)),
      manifest("another format", (json) => json.replace(KEY_FORMAT, "verisum-keys/0")),
      manifest("an unknown preset", (json) => json.replace('"tiny"', '"huge"')),
      manifest("another number of powers", (json) => json.replace(/"powers": (\d+)/, '"powers": 1$1')),
      manifest("a file that is not listed", (json) => json.replace('"powers.bin": {', '"other.bin": {')),
    ]);
  });

  describe("a store refuses", () => {
    let store: ContentStore;
    const importing = (content: Uint8Array, as = root): Promise<void> => store.importCar(content, as);
    before(async () => {
      store = await createContentStore({
        directory: join(folder, "store"),
        peers: () => [],
        reporter: createRecorder(),
      });
    });
    after(() => store.close());
    /** Fills a store of its own, flips a bit of every block on its disk, and reads. */
    const damagedDisk = async (): Promise<void> => {
      const directory = await mkdtemp(join(folder, "damaged-"));
      const damaged = await createContentStore({ directory, peers: () => [], reporter: createRecorder() });
      try {
        await damaged.importCar(car, root);
        for (const name of await readdir(join(directory, "blocks"), { recursive: true })) {
          if (name.endsWith(".data"))
            await writeFile(
              join(directory, "blocks", name),
              flipBit(await readFile(join(directory, "blocks", name)), 20),
            );
        }
        await damaged.getFile(root, "state.bin", { maxBytes: 1 << 20 });
      } finally {
        await damaged.close();
      }
    };
    tamperTests([
      ["a CAR with a flipped bit in its last block", "IPFS_BLOCK_MISMATCH", () => importing(flipBit(car, -1))],
      ["a CAR with a flipped bit in its root", "IPFS_CAR_INVALID", () => importing(flipBit(car, 40))],
      ["a truncated CAR", "IPFS_CAR_INVALID", () => importing(car.slice(0, -1))],
      ["a CAR with a byte too many", "IPFS_CAR_INVALID", () => importing(Uint8Array.of(...car, 0))],
      [
        "a CAR under another root",
        "IPFS_CAR_INVALID",
        () => importing(car, cidFromDigest(harness.task.parameters.taskCid)),
      ],
      ["a CID with a letter changed", "IPFS_CID_INVALID", () => importing(car, root.replace("b", "z"))],
      [
        "a file that a directory lacks",
        "IPFS_NOT_FOUND",
        () => harness.task.store.getFile(root, "other.bin", { maxBytes: 10 }),
      ],
      [
        "a file above the limit",
        "IPFS_LIMIT_EXCEEDED",
        () => harness.task.store.getFile(root, "state.bin", { maxBytes: 10 }),
      ],
      ["blocks that changed on its disk", "IPFS_UNAVAILABLE", damagedDisk],
    ]);
  });

  describe("a reader refuses model.safetensors with", () => {
    const file = (): Promise<Uint8Array> =>
      harness.task.store.getFile(root, "model.safetensors", { maxBytes: 1 << 20 });
    const decode = (change: (file: Uint8Array) => Uint8Array) => async (): Promise<unknown> =>
      decodeSafetensors(change(await file()));
    tamperTests([
      ["nothing changed", "accepted", decode((whole) => whole)],
      ["another header length", "SAFETENSORS_INVALID", decode((whole) => flipBit(whole, 0))],
      ["a malformed header", "SAFETENSORS_INVALID", decode((whole) => flipBit(whole, 8))],
      ["a byte too few", "SAFETENSORS_INVALID", decode((whole) => whole.slice(0, -1))],
      ["a byte too many", "SAFETENSORS_INVALID", decode((whole) => Uint8Array.of(...whole, 0))],
      [
        "a weight that is no number",
        "MODEL_NOT_FINITE",
        decode((whole) => Uint8Array.from(whole, (byte, i) => (i >= whole.length - 4 ? 255 : byte))),
      ],
    ]);
  });

  describe("a member's gateway refuses an upload with", () => {
    let bundle: string;
    let packed: Uint8Array;
    before(async () => {
      const { store } = harness.task;
      bundle = await store.putDirectory({ "seat-1.bin": bytes("share") });
      packed = await store.exportCar(bundle);
    });
    const now = (): number => Math.floor(Date.now() / 1000);
    const upload = async (authorization: string | undefined, of = bundle, content = packed): Promise<void> => {
      const result = await uploadCar(harness.aggregator.url, of, content, authorization);
      if (!result.ok) throw new VerisumError(result.code, result.message);
    };
    const honest = (root = bundle, at = now(), node = harness.aggregator.url): Promise<string> =>
      uploadAuthorization(harness.clients[0]!.node.chain, { root, node }, at);
    const part = (index: number, change: (old: string) => string) => async (): Promise<void> =>
      upload(
        (await honest())
          .split(" ")
          .map((word, i) => (i === index ? change(word) : word))
          .join(" "),
      );
    tamperTests([
      ["no authorisation", "IPFS_UPLOAD_REFUSED", () => upload(undefined)],
      ["another scheme", "IPFS_UPLOAD_REFUSED", part(0, () => "Bearer")],
      ["another account", "IPFS_UPLOAD_REFUSED", part(1, () => harness.clients[1]!.account)],
      ["another expiry", "IPFS_UPLOAD_REFUSED", part(2, (expiry) => String(Number(expiry) + 1))],
      [
        "another signature",
        "IPFS_UPLOAD_REFUSED",
        part(3, (signature) => flipHex(`${signature.slice(0, 40)}${signature.slice(40)}` as Hex)),
      ],
      ["a malformed signature", "IPFS_UPLOAD_REFUSED", part(3, () => "0x00")],
      ["a word too many", "IPFS_UPLOAD_REFUSED", part(3, (signature) => `${signature} more`)],
      [
        "an authorisation for another root",
        "IPFS_UPLOAD_REFUSED",
        async () => upload(await honest(cidFromDigest(harness.task.parameters.taskCid))),
      ],
      [
        "an authorisation for another node",
        "IPFS_UPLOAD_REFUSED",
        async () => upload(await honest(bundle, now(), "http://127.0.0.1:1")),
      ],
      ["an expired authorisation", "IPFS_UPLOAD_REFUSED", async () => upload(await honest(bundle, now() - 3600))],
      ["an authorisation for ever", "IPFS_UPLOAD_REFUSED", async () => upload(await honest(bundle, now() + 86_400))],
      ["files that are no shares", "IPFS_UPLOAD_REFUSED", async () => upload(await honest(root), root, car)],
      ["nothing changed", "accepted", async () => upload(await honest())],
    ]);
  });
});
