import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { hasAnvil } from "./anvil.ts";
import type { PartContext } from "./part.ts";
import { crash } from "./parts/crash.ts";
import type { CrashPoint } from "./parts/crash.ts";
import { disturb } from "./parts/endpoint.ts";
import type { EndpointFault } from "./parts/endpoint.ts";
import { reorganise } from "./parts/reorganisation.ts";
import type { Fork } from "./parts/reorganisation.ts";
import { slowMember } from "./parts/slow-member.ts";
import { reportOf, tableOf } from "./report.ts";
import { prepareAdversarialTask } from "./task.ts";

/** Few here; `npm run test:adversarial` tries all. */
const FAULTS: readonly EndpointFault[] = [
  ["aggregator Starting eth_call", "unavailable"],
  ["client Starting eth_getLogs", "empty"],
  ["member Idle eth_sendRawTransaction", "reset"],
  ["aggregator Collecting eth_blockNumber", "no body"],
  ["client Collecting eth_sendRawTransaction", "wrong"],
  ["client Collecting eth_getTransactionReceipt", "null"],
  ["member Attesting eth_call", "reset"],
  ["member Aggregating eth_getLogs", "empty"],
  ["aggregator Aggregating eth_sendRawTransaction", "unavailable"],
];

/** While others fetch the keys; with the release recorded and not sent; with the submission recorded and not sent. */
const CRASHES: readonly CrashPoint[] = [
  ["aggregator", "rename keys/*/powers.bin"],
  ["member", "link *-*-*/release-*.json"],
  ["client", "rename *-*-*/submission-*-*.json"],
];

/** As deep as they come, where members have attested and have released. */
const FORKS: readonly Fork[] = [
  ["Attesting", 12],
  ["Aggregating", 12],
];

describe("a task over processes", function () {
  this.timeout(600_000);
  let context: PartContext;
  let directory: string;

  before(async function () {
    if (!hasAnvil()) return this.skip();
    directory = await mkdtemp(join(tmpdir(), "verisum-adversarial-"));
    context = {
      task: await prepareAdversarialTask(directory),
      folder: () => mkdtemp(join(directory, "fleet-")),
      sample: undefined,
      say: () => undefined,
    };
  });

  after(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  it("goes on when roles are killed while they write, and every role starts again", async () => {
    const report = reportOf([await crash(context, CRASHES)]);
    assert.ok(report.ok, tableOf(report));
    assert.equal(report.parts[0]!.injected, CRASHES.length);
  });

  it("goes on to a final round whatever an endpoint answers once, and blames nobody", async () => {
    const report = reportOf([await disturb(context, FAULTS)]);
    assert.ok(report.ok, tableOf(report));
    assert.equal(report.parts[0]!.injected, FAULTS.length);
  });

  it("goes on to a final round when the chain undoes what roles did, and nobody opens a sum too early", async () => {
    const report = reportOf([await reorganise(context, FORKS)]);
    assert.ok(report.ok, tableOf(report));
    assert.equal(report.parts[0]!.injected, FORKS.length);
  });

  it("finishes every round in time where one member's release takes 19 seconds a block", async () => {
    const report = reportOf([await slowMember(context, 2)]);
    assert.ok(report.ok, tableOf(report));
    // Whoever can have content of others asks these first, and may need nothing of the slow one.
    assert.ok((report.parts[0]!.faults["taken in"] ?? 0) > 0);
  });
});
