import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "mocha";
import type { Finding } from "../../../auditor/doctor/check.ts";
import { dataFound, listeningFailure, listeningFound } from "../../../auditor/doctor/data.ts";
import {
  clockAgainstHead,
  freeDisk,
  nodeVersion,
  roomForRounds,
  ROUNDS_AHEAD,
} from "../../../auditor/doctor/machine.ts";
import { readDisk } from "../../../auditor/doctor/sources.ts";
import type { Dataset } from "../../../learning/examples.ts";
import { throwsCode } from "../../support/errors.ts";

/** Everything that is not right says why, and what to do. */
function assertState({ state, cause, remedy }: Finding, expected: Finding["state"]): void {
  assert.equal(state, expected, cause);
  assert.equal(cause !== undefined && remedy !== undefined, expected !== "ok");
}

describe("the doctor, about the machine,", () => {
  it("takes the Node that package.json asks for, and later ones", () => {
    for (const version of ["22.18.0", "22.19.1", "v24.0.0", "100.0.0"])
      assertState(nodeVersion(version, ">=22.18"), "ok");
    for (const version of ["22.17.9", "20.19.0", "9.99.0"]) assertState(nodeVersion(version, ">=22.18"), "failed");
  });

  const now = 1_800_000_000;
  const clock = (head: number, secondsPerBlock = 12): Finding => clockAgainstHead({ now, head, secondsPerBlock });
  it("finds a clock that is behind the chain's latest block", () => {
    for (const ahead of [-12, 0, 60]) assertState(clock(now + ahead), "ok");
    for (const ahead of [61, 86_400]) assertState(clock(now + ahead), "failed");
  });

  it("doubts clock and endpoint where the latest block is old", () => {
    assertState(clock(now - 240), "ok");
    assertState(clock(now - 241), "warning");
    assertState(clock(now - 60, 1), "ok");
    assertState(clock(now - 61, 1), "warning");
  });

  it("lets a development chain have old blocks, and doubts those of the future", () => {
    assertState(clock(now - 86_400, 0), "ok");
    assertState(clock(now + 61, 0), "warning");
  });

  const MIB = 2 ** 20;
  const disk = (freeBytes: number): { readonly path: string; readonly freeBytes: number } => ({ path: "/", freeBytes });
  it("wants free space for keys and content", () => {
    assertState(freeDisk(disk(256 * MIB)), "ok");
    assertState(freeDisk(disk(256 * MIB - 1)), "failed");
  });

  it("counts the rounds for which there is room", () => {
    const room = (freeBytes: number, roundsLeft: number | undefined): Finding =>
      roomForRounds(disk(freeBytes), { perRoundBytes: 10 * MIB, transientBytes: 100 * MIB, roundsLeft });
    assertState(room(456 * MIB, 10), "ok");
    assertState(room(455 * MIB, 10), "warning");
    assertState(room(365 * MIB, 10), "failed");
    assertState(room(365 * MIB, 0), "ok");
    assertState(room((356 + 10 * ROUNDS_AHEAD) * MIB, undefined), "ok");
    assertState(room((355 + 10 * ROUNDS_AHEAD) * MIB, undefined), "warning");
  });

  it("measures the disk of a folder that is still to be made", async () => {
    const { path, freeBytes } = await readDisk("/nowhere/at/all");
    assert.equal(path, "/");
    assert.ok(freeBytes > 0);
  });
});

describe("the doctor, about what a role is given,", () => {
  const dataset = (labels: readonly number[], width = 2): Dataset => ({
    features: new Float32Array(labels.length * width),
    labels: Int32Array.from(labels),
    exampleCount: labels.length,
    featureShape: [width],
    classCount: 2,
  });
  const model = { kind: "mlp", inputShape: [2], hidden: [], classCount: 2 };

  it("holds data to the task's model, and names data of one class", () => {
    const good = { train: dataset([0, 1]), test: dataset([1]) };
    assertState(dataFound(good, model), "ok");
    assertState(dataFound(good, undefined), "ok");
    assertState(dataFound({ ...good, train: dataset([1, 1]) }, model), "warning");
    throwsCode(() => dataFound({ ...good, test: dataset([1], 3) }, model), "DATASET_MODEL_MISMATCH");
    throwsCode(() => dataFound(good, { ...model, inputShape: [3] }), "DATASET_MODEL_MISMATCH");
  });

  it("finds a port that is in use, and expects it while the role runs", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const taken = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
    const failure = await listeningFailure(taken);
    assert.equal(failure, "EADDRINUSE");
    assertState(listeningFound(taken, failure, false), "failed");
    assertState(listeningFound(taken, failure, true), "ok");
    await new Promise((resolve) => server.close(resolve));
    const free = await listeningFailure(taken);
    assert.equal(free, undefined);
    assertState(listeningFound(taken, free, false), "ok");
    const foreign = { host: "192.0.2.1", port: 7700 };
    assertState(listeningFound(foreign, await listeningFailure(foreign), true), "failed");
  });
});
