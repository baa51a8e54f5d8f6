import assert from "node:assert/strict";
import { after, describe, it } from "mocha";
import { encodeScalars } from "../../../proving/curve/bn254.ts";
import { openCurve } from "../../../proving/node/open-curve.ts";
import { readProvingKey } from "../../../proving/groth16/proving-key.ts";
import { quotientOnEngine, quotientScalars } from "../../../proving/groth16/quotient.ts";
import { WorkQueue } from "../../../proving/groth16/work-queue.ts";
import { randomElement } from "../../../protocol/field.ts";
import { FIELD_ORDER } from "../../../protocol/parameters.ts";
import { closeEngine, devKeys } from "../../support/proving.ts";
import { seededRandom } from "../../support/random.ts";

const EDGES = [
  0n,
  1n,
  2n,
  FIELD_ORDER - 1n,
  FIELD_ORDER - 2n,
  (FIELD_ORDER - 1n) / 2n,
  (FIELD_ORDER + 1n) / 2n,
  (1n << 253n) - 1n,
  1n << 51n,
  (1n << 51n) - 1n,
];

describe("quotient", function () {
  this.timeout(60_000);
  after(closeEngine);

  it("is the same with the engine's transforms, for any witnesses at once", async () => {
    const random = seededRandom("quotient");
    const keys = await devKeys();
    const curve = await openCurve();
    for (const kindIndex of keys.preset.kinds.keys()) {
      const key = readProvingKey((await keys.provingFiles(kindIndex)).zkey);
      const wire = (_: unknown, i: number): bigint =>
        i % 4 === 0 ? EDGES[random(1)[0]! % EDGES.length]! : randomElement(random);
      const witnesses = Array.from({ length: 3 }, () => encodeScalars(Array.from({ length: key.wireCount }, wire)));
      const [made, expected] = await Promise.all(
        [quotientScalars, quotientOnEngine].map((prove) =>
          Promise.all(witnesses.map((witness) => prove(curve, key, witness))),
        ),
      );
      for (const k of witnesses.keys()) assert.equal(Buffer.compare(made![k]!, expected![k]!), 0);
    }
  });
});

describe("work queue", () => {
  it("works on as many pieces as its limit, in order, and goes on after a failure", async () => {
    const queue = new WorkQueue(2);
    const started: number[] = [];
    let [running, most] = [0, 0];
    const piece = (k: number): Promise<number> =>
      queue.run(async () => {
        started.push(k);
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        if (k === 1) throw new Error("a piece failed");
        return k;
      });
    const results = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(piece));
    assert.deepEqual(started, [0, 1, 2, 3, 4, 5]);
    assert.equal(most, 2);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled", "fulfilled"],
    );
    assert.equal(await piece(6), 6);
  });
});
