import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { NetworkConnection } from "hardhat/types/network";
import { openChain } from "../support/task-on-chain.ts";
import type { TaskOnChain } from "../support/task-on-chain.ts";

const FOLDER = process.env["VECTORS_DIR"] ?? join(import.meta.dirname, "../../../shared/vectors");

interface Vector {
  readonly Name: string;
  readonly Input: string;
  readonly Expected: string;
}

describe("the precompile wrappers on go-ethereum's vectors for EIP-196 and EIP-197", function () {
  this.timeout(60_000);
  let connection: NetworkConnection;
  let harness: TaskOnChain["verisum"];
  before(async () => {
    connection = await openChain();
    harness = await (await connection.ethers.getContractFactory("Bn254Harness")).deploy();
  });
  after(() => connection.close());

  const call = async (name: string, ...args: unknown[]): Promise<unknown> => harness[name]!.staticCall(...args);

  forEachVector("bn256Add.json", async ({ Input, Expected }) => {
    const [ax, ay, bx, by] = words(Input, 4);
    assert.deepEqual([...((await call("add", { x: ax, y: ay }, { x: bx, y: by })) as bigint[])], words(Expected, 2));
  });
  forEachVector("bn256ScalarMul.json", async ({ Input, Expected }) => {
    const [x, y, scalar] = words(Input, 3);
    assert.deepEqual([...((await call("scale", { x, y }, scalar)) as bigint[])], words(Expected, 2));
  });
  forEachVector("bn256Pairing.json", async ({ Input, Expected }) => {
    assert.equal(await call("pairingIsOne", words(Input, Input.length / 64)), BigInt(`0x${Expected}`) === 1n);
  });
});

/** One test for each vector of a file, or one that is skipped by name where the folder is absent. */
function forEachVector(file: string, check: (vector: Vector) => Promise<void>): void {
  const path = join(FOLDER, file);
  if (!existsSync(path)) {
    it.skip(`${file} (set VECTORS_DIR)`);
    return;
  }
  for (const vector of JSON.parse(readFileSync(path, "utf8")) as Vector[])
    it(`${file} ${vector.Name}`, () => check(vector));
}

/** The first `count` words; missing bytes are zero, as the EVM reads them. */
function words(hex: string, count: number): bigint[] {
  const padded = hex.padEnd(64 * count, "0");
  return Array.from({ length: count }, (_, i) => BigInt(`0x${padded.slice(64 * i, 64 * (i + 1))}`));
}
