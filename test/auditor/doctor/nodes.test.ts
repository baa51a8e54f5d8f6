import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { keysFound, readKeys } from "../../../auditor/doctor/keys.ts";
import type { KeysReading } from "../../../auditor/doctor/keys.ts";
import { peersFound, readPeer } from "../../../auditor/doctor/peers.ts";
import type { PeerReading } from "../../../auditor/doctor/peers.ts";
import { deploymentFound, readDeployments, readState, stateFound } from "../../../auditor/doctor/state.ts";
import { peerFetch } from "../../../content/peer-fetch.ts";
import { createContentStore } from "../../../content/store.ts";
import { encodeRecord, writeDurably } from "../../../storage/durable-file.ts";
import { openStateDirectory } from "../../../storage/state-directory.ts";
import { rejectsCode } from "../../support/errors.ts";
import { word } from "../../support/random.ts";
import { createRecorder } from "../../support/round-recorder.ts";

const peer = (facts: Partial<Extract<PeerReading, { latencyMs: number }>> = {}): PeerReading => ({
  ...{ url: "http://a", latencyMs: 4, status: 200, version: "1.2.0" },
  ...facts,
});
const deadPeer: PeerReading = { url: "http://b", failure: "refused" };
const peerStates = (...readings: readonly PeerReading[]): readonly string[] =>
  peersFound(readings, "1.3.0").map(({ state }) => state);

describe("the doctor, about nodes,", () => {
  it("wants one that answers, and warns of the others", () => {
    assert.deepEqual(peerStates(peer()), ["ok"]);
    assert.deepEqual(peerStates(), ["failed"]);
    assert.deepEqual(peerStates(deadPeer), ["failed"]);
    assert.deepEqual(peerStates(peer(), deadPeer), ["ok", "warning"]);
  });

  it("names those of another version, that are slow, refuse the name, or lack the task", () => {
    assert.deepEqual(peerStates(peer({ version: undefined, status: undefined })), ["ok"]);
    assert.deepEqual(peerStates(peer({ version: "2.0.0" })), ["warning"]);
    assert.deepEqual(peerStates(peer({ latencyMs: 2_001 })), ["warning"]);
    assert.deepEqual(peerStates(peer({ status: 403 })), ["warning"]);
    assert.deepEqual(peerStates(peer({ status: 404 })), ["warning"]);
  });

  it("asks a real one for its version and for content", async () => {
    const server = createServer((request, response) =>
      response
        .writeHead(request.url === "/v1/dag/held" ? 200 : request.url === "/status" ? 200 : 404)
        .end(JSON.stringify({ version: "7.8.9" })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [held, other, unasked] = await Promise.all(
      ["held", "other", undefined].map((cid) => readPeer(url, cid, peerFetch)),
    );
    const told = (reading: PeerReading | undefined): unknown =>
      reading !== undefined && "failure" in reading ? reading.failure : [reading?.version, reading?.status];
    assert.deepEqual([held, other, unasked].map(told), [
      ["7.8.9", 200],
      ["7.8.9", 404],
      ["7.8.9", undefined],
    ]);
    await new Promise((resolve) => server.close(resolve));
    assert.match(String(told(await readPeer(url, undefined, peerFetch))), /fetch failed/);
    assert.match(String(told(await readPeer("http://169.254.169.254", undefined, peerFetch))), /IPFS_PEER_URL/);
  });
});

describe("the doctor, about keys,", () => {
  const reading: KeysReading = {
    folder: "keys",
    files: ["manifest.json"],
    keysHash: word("keys"),
    kinds: ["small", "large"],
    checked: ["large", "small"],
  };
  const state = (facts: Partial<KeysReading>): string => keysFound({ ...reading, ...facts }, word("keys")).state;

  it("wants the contract's, and says which are missing, damaged or unchecked", async () => {
    assert.equal(state({}), "ok");
    assert.equal(state({ kinds: [], checked: [] }), "ok");
    assert.equal(state({ keysHash: word("others") }), "failed");
    assert.equal(state({ checked: ["small"] }), "warning");
    assert.equal(state({ files: undefined }), "warning");
    assert.equal(state({ damage: "powers.bin is not the one in the manifest" }), "warning");
    assert.equal((await readKeys("/nowhere")).files, undefined);
  });
});

describe("the doctor, about a state directory,", () => {
  let parent: string;
  let path: string;
  const store = (): string => join(path, "ipfs");
  const found = async (): Promise<readonly [string, string]> => {
    const { state, value } = stateFound(await readState(path, store()));
    return [state, value];
  };
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "verisum-doctor-"));
    path = join(parent, "state");
  });
  afterEach(() => rm(parent, { recursive: true, force: true }));

  it("makes nothing, and says who uses it", async () => {
    assert.equal((await found())[0], "ok");
    await assert.rejects(readFile(join(path, "state.json")));
    const state = await openStateDirectory(path);
    const [held, value] = await found();
    assert.equal(held, "ok");
    assert.ok(value.includes(`process ${process.pid}`), value);
    await state.release();
    assert.match((await found())[1], /is free/);
  });

  it("names a store that another process has open", async () => {
    await (await openStateDirectory(path)).release();
    const other = await createContentStore({ directory: store(), peers: () => [], reporter: createRecorder() });
    assert.equal((await found())[0], "failed");
    await other.close();
    assert.equal((await found())[0], "ok");
  });

  it("warns of a copy and of a directory that others can read, and refuses a newer one", async () => {
    await (await openStateDirectory(path)).release();
    const mark = join(path, "state.json");
    const bytes = await readFile(mark);
    await rm(mark);
    await writeFile(mark, bytes);
    await writeFile(join(path, "other"), "");
    const { body } = JSON.parse(bytes.toString()) as { readonly body: string };
    const { made } = JSON.parse(body) as { readonly made?: string };
    if (made !== undefined) assert.equal((await found())[0], "warning");
    await writeFile(mark, encodeRecord({ version: 99 }));
    await rejectsCode(readState(path, store()), "STORAGE_NEWER");
    await rm(path, { recursive: true });
    await mkdir(path, { mode: 0o755 });
    assert.equal((await found())[0], "warning");
  });

  it("says of which deployment it has state", async () => {
    const scope = `31337-0x${"ab".repeat(20)}`;
    const own = `0x${"11".repeat(32)}`;
    const state = async (deployment: string): Promise<string> =>
      deploymentFound(path, await readDeployments(path), { scope, deployment }).state;
    assert.equal(await state(own), "ok");
    await writeDurably(join(path, scope, "deployment.json"), encodeRecord({ deployment: own }));
    assert.equal(await state(own), "ok");
    assert.equal(await state(`0x${"22".repeat(32)}`), "warning");
    const { state: without, value } = deploymentFound(path, await readDeployments(path), undefined);
    assert.equal(without, "ok");
    assert.ok(value.includes(scope));
  });
});
