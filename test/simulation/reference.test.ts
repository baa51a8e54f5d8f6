/** Each promise of the reference, broken once: a simulation that notices nothing proves nothing. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import type { ReleaseStatement, RoundRecords } from "../../chain/task-chain.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { includedRecords } from "../../task/round-records.ts";
import { word } from "../support/random.ts";
import { SharedContent } from "./content.ts";
import { Dice } from "./dice.ts";
import { quietMachine } from "./quiet-machine.ts";
import { Reference } from "./reference.ts";
import { clientName, memberName } from "./roles.ts";
import type { Planted, Stage } from "./roles.ts";
import { judge, openStage, runSchedule } from "./schedule.ts";
import { AGGREGATOR, openScene } from "./scene.ts";
import type { Scene, Shape } from "./scene.ts";
import { Actor } from "./world.ts";
import type { Life, Nature } from "./world.ts";

const SHAPE: Shape = { committeeSize: 4, threshold: 2, clients: 3, maxCorrupt: 0, confirmations: 1, blockSeconds: 1 };
const MOST_TURNS = 400;
const SEATS = new Set([1, 2, 3, 4]);
const NOBODY = { seats: new Set<number>(), clients: 0 };
const said = { r: word("r"), vs: word("vs") };

/** A world in which nothing goes wrong but what is planted. */
async function openCalm(planted: Planted = {}): Promise<{ scene: Scene; stage: Stage; nature: Nature }> {
  const scene = await openScene(SHAPE);
  const opened = openStage("reference", new Dice("reference"), scene, NOBODY, planted);
  opened.stage.world.hostile = false;
  opened.stage.world.interleaves = false;
  return { scene, ...opened };
}

async function playUntil(
  { stage, nature }: { readonly stage: Stage; readonly nature: Nature },
  holds: () => Promise<boolean>,
): Promise<void> {
  for (let turn = 0; !(await holds()); turn++) {
    assert.ok(turn < MOST_TURNS, "it never came to that");
    for (const actor of stage.world.actors) await stage.world.stepOf(actor);
    nature.pass(1);
  }
}

describe("what the simulation notices", function () {
  this.timeout(60_000);
  let calm: Awaited<ReturnType<typeof openCalm>>;
  let records: RoundRecords;
  let endQuiet: () => void;
  before(async () => {
    endQuiet = quietMachine();
    calm = await openCalm();
    const { scene } = calm;
    await playUntil(calm, async () => (await scene.reader().records(1n)).finalised !== undefined);
    scene.chain.mine(SHAPE.confirmations);
    records = await scene.reader().records(1n);
    assert.deepEqual(calm.stage.reference.violations, []);
  });
  after(() => {
    endQuiet();
    rmSync(calm.scene.directory, { recursive: true, force: true });
  });

  /** One that saw what was committed to, and nothing else; of a scene that is altered. */
  const reference = (change: Partial<Scene> = {}): Reference => {
    const fresh = new Reference({ ...calm.scene, ...change }, SEATS);
    for (const [d, vector] of calm.stage.reference.secrets) fresh.secrets.set(d, vector);
    return fresh;
  };
  const broken = ({ violations }: Reference): string =>
    violations.map(({ kind, detail }) => `${kind}: ${detail}`).join();
  const release = (change: Partial<ReleaseStatement> = {}): ReleaseStatement => ({
    ...{ round: 1n, seat: 1, settlement: records.settled!.settlement, releaseCid: word("sum"), signature: said },
    ...change,
  });
  const challenge = { client: clientName(1), round: 2n, base: word("base") };

  it("is nothing where nothing is broken", () => {
    const kept = reference();
    kept.settles(1n);
    kept.finalises(1n);
    kept.releases(release());
    kept.releases(release());
    kept.releases(release({ seat: 2, releaseCid: word("another") }));
    assert.equal(broken(kept), "");
  });

  it("is a sum that is not that of its clients", () => {
    const kept = reference();
    const [d] = includedRecords(records, records.settled!).map(({ submission }) => submission.chunks[0]!.d.x);
    kept.secrets.set(
      d!,
      kept.secrets.get(d!)!.map((value, i) => (i === 0 ? value + 1 : value)),
    );
    kept.finalises(1n);
    assert.match(broken(kept), /^wrong aggregate: round 1: the sum is not that of its clients$/);
  });

  it("is an aggregate that nobody holds, or a result without records", () => {
    const lost = reference({ content: new SharedContent() });
    lost.finalises(1n);
    assert.match(broken(lost), /^wrong aggregate: round 1: nobody holds the aggregate$/);
    const unknown = reference();
    unknown.finalises(9n);
    assert.match(broken(unknown), /^wrong aggregate: round 9 has no records$/);
  });

  it("is a second submission of a client for a round and a base", () => {
    const kept = reference();
    const [one, other] = [...kept.secrets.keys()] as [bigint, bigint];
    kept.secrets.set(other, kept.secrets.get(one)!);
    kept.submits(challenge, one);
    kept.submits(challenge, one);
    assert.equal(broken(kept), "");
    kept.submits(challenge, other);
    assert.match(
      broken(kept),
      /^privacy rule broken: client 1, round 2, .*: two different submissions left the client$/,
    );
  });

  it("is a second vector of a base, unless a settlement counts the first", () => {
    const [one, other] = [1_000_001n, 1_000_002n];
    const kept = reference();
    kept.secrets.set(one, Int32Array.of(1)).set(other, Int32Array.of(2));
    kept.submits(challenge, one);
    kept.submits({ ...challenge, round: 3n }, other);
    assert.match(broken(kept), /^privacy rule broken: client 1, round 3, .*: a second vector of the base/);
    const counted = reference();
    const [d] = includedRecords(records, records.settled!).map(({ submission }) => submission.chunks[0]!.d.x);
    counted.secrets.set(other, Int32Array.of(2));
    counted.submits({ ...challenge, round: 1n }, d!);
    counted.settles(1n);
    counted.submits(challenge, other);
    assert.equal(broken(counted), "");
  });

  it("is a vector that is shared again while its last round may still count it", () => {
    const kept = reference();
    const [d] = kept.secrets.keys();
    kept.submits(challenge, d!);
    kept.submits({ ...challenge, round: 3n }, d!);
    assert.match(broken(kept), /^privacy rule broken: client 1, round 3, .*: round 2 may still count its vector/);
    const decided = reference();
    decided.submits({ ...challenge, round: 1n }, d!);
    decided.submits(challenge, d!);
    assert.equal(broken(decided), "");
  });

  it("is a release for no settlement, of too few, before it is final, or of two sums", () => {
    const forNone = reference();
    forNone.releases(release({ settlement: word("none") }));
    assert.match(broken(forNone), /^privacy rule broken: seat 1 released for no settlement of round 1$/);
    const ofFew = reference({ parameters: { ...calm.scene.parameters, minClients: SHAPE.clients + 1 } });
    ofFew.releases(release());
    assert.match(broken(ofFew), /^privacy rule broken: seat 1 released a sum of too few in round 1$/);
    const early = reference({ shape: { ...SHAPE, confirmations: 10_000 } });
    early.releases(release());
    assert.match(broken(early), /^privacy rule broken: seat 1 released round 1 before its settlement was final$/);
    const two = reference();
    two.releases(release());
    two.releases(release({ releaseCid: word("another") }));
    assert.match(broken(two), /^privacy rule broken: seat 1 released two sums in round 1/);
  });

  it("is a vector of a client in two sums", async () => {
    const twice = await openCalm();
    const { scene, stage } = twice;
    await playUntil(twice, async () => (await scene.reader().records(2n)).finalised !== undefined);
    scene.chain.mine(SHAPE.confirmations);
    const [first, second] = [await scene.reader().records(1n), await scene.reader().records(2n)];
    const kept = (): Reference => {
      const fresh = new Reference(scene, SEATS);
      for (const [d, vector] of stage.reference.secrets) fresh.secrets.set(d, vector);
      return fresh;
    };
    const releaseOf = ({ settled }: RoundRecords, round: bigint): ReleaseStatement =>
      release({ round, settlement: settled!.settlement });
    const apart = kept();
    apart.releases(releaseOf(first, 1n));
    apart.releases(releaseOf(second, 2n));
    assert.equal(broken(apart), "");
    const [one] = includedRecords(first, first.settled!);
    const again = includedRecords(second, second.settled!).find(({ client }) => client === one!.client)!;
    const both = kept();
    both.secrets.set(again.submission.chunks[0]!.d.x, both.secrets.get(one!.submission.chunks[0]!.d.x)!);
    both.releases(releaseOf(first, 1n));
    both.releases(releaseOf(second, 2n));
    assert.match(broken(both), /^privacy rule broken: seat 1 released round 2: a vector of 0x.* is in round 1, too$/);
    rmSync(scene.directory, { recursive: true, force: true });
  });

  it("is an honest seat or client that somebody honest blames", () => {
    const { world } = calm.stage;
    const blamed = (event: string, facts: { readonly seat?: number; readonly client?: string }): string => {
      const kept = reference();
      const actors = world.actors.map(({ script }) => new Actor(script));
      actors.find(({ script }) => script.name === memberName(2))!.reporter.say("warn", event, event, facts);
      judge({ actors }, calm.scene, kept);
      return broken(kept);
    };
    for (const event of ["bad-release", "wrong-release", "unusable-key"])
      assert.equal(blamed(event, { seat: 3 }), `honest party blamed: member 2: ${event}`);
    const client = calm.scene.writer(SHAPE.committeeSize + 1).account;
    assert.equal(blamed("share-refused", { client }), "honest party blamed: member 2: share-refused");
    assert.equal(blamed("share-refused", { client: calm.scene.writer(99).account }), "");
  });

  it("is a role that ends", async () => {
    for (const [failure, text] of [
      [new VerisumError("AUDIT_FAILED", "no"), /^role dead: member 1: AUDIT_FAILED: no$/],
      [new TypeError("a defect"), /^role dead: member 1: TypeError: a defect/],
    ] as const) {
      const { scene, stage } = await openCalm({ instead: { [memberName(1)]: thrower(failure) } });
      await stage.world.stepOf(stage.world.actors[1]!);
      judge(stage.world, scene, stage.reference);
      assert.match(broken(stage.reference), text);
      rmSync(scene.directory, { recursive: true, force: true });
    }
  });

  it("is a client that looks on while a round collects without it", async () => {
    const idler = clientName(2);
    const idle = await openCalm({ instead: { [idler]: () => undefined } });
    const { scene, stage } = idle;
    await playUntil(idle, async () => stage.reference.violations.length > 0);
    assert.equal(broken(stage.reference), `no progress: ${idler} is not in round 1, and looks on`);
    rmSync(scene.directory, { recursive: true, force: true });
  });

  it("is a world in which no round becomes final", async () => {
    const { violations } = await runSchedule("1", { instead: { [AGGREGATOR]: () => undefined }, events: 100 });
    assert.deepEqual(
      violations.map(({ kind }) => kind),
      ["no progress"],
    );
    assert.match(violations[0]!.detail, /^no round became final in 100 quiet events$/);
  });
});

const thrower =
  (failure: Error) =>
  (_life: Life): never => {
    throw failure;
  };
