import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { after, describe, it } from "mocha";
import { closeKernelThreads, kernelThreads } from "../../../proving/node/open-curve.ts";
import type { PointTask } from "../../../proving/curve/kernel/point-task.ts";

/** A task of infinity alone. */
const nothing = (): PointTask => ({
  group: "G1",
  points: new Uint8Array(64),
  scalars: Uint8Array.of(1),
  scalarBytes: 1,
});

describe("kernel threads", function () {
  this.timeout(60_000);
  after(closeKernelThreads);

  it("answer more tasks than there are threads", async () => {
    const threads = kernelThreads()!;
    const results = await Promise.all(Array.from({ length: 9 }, () => threads.run(nothing())));
    for (const bytes of results) assert.ok(bytes.length % 64 === 0 && bytes.every((byte) => byte === 0));
  });

  it("reject a task that fails and go on", async () => {
    const threads = kernelThreads()!;
    await assert.rejects(threads.run({ ...nothing(), scalars: null as unknown as Uint8Array }));
    assert.ok((await threads.run(nothing())).length > 0);
  });

  it("reject what is under way when closed, and start again", async () => {
    const pending = [1, 2, 3, 4].map(() => assert.rejects(kernelThreads()!.run(nothing())));
    await closeKernelThreads();
    await Promise.all(pending);
    assert.ok((await kernelThreads()!.run(nothing())).length > 0);
  });

  it("do not keep a process alive when idle, and do while they work", async () => {
    const file = new URL("../../../proving/node/open-curve.ts", import.meta.url).href;
    const script = `import(${JSON.stringify(file)})
      .then(({ kernelThreads }) => kernelThreads().run({ group: "G1", points: new Uint8Array(64), scalars: Uint8Array.of(1), scalarBytes: 1 }))
      .then((bytes) => console.log(bytes.length));`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "-e", script],
      { timeout: 30_000 },
    );
    assert.ok(Number(stdout) > 0);
  });
});
