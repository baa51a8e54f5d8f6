/** What a member does again when the chain loses what it did: the roles of the simulation, one step at a time. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { RoundRecords, TaskWriter } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { unavailable } from "../simulation/content.ts";
import { Dice } from "../simulation/dice.ts";
import type { MinedCall } from "../simulation/forking-chain.ts";
import { Reference } from "../simulation/reference.ts";
import { aggregatorScript, clientName, clientScript, memberName, memberScript } from "../simulation/roles.ts";
import { openScene } from "../simulation/scene.ts";
import type { Scene } from "../simulation/scene.ts";
import { World } from "../simulation/world.ts";
import type { Actor } from "../simulation/world.ts";
import { seededRandom } from "../support/random.ts";

const SHAPE = { committeeSize: 4, threshold: 2, clients: 3, maxCorrupt: 1, confirmations: 3, blockSeconds: 1 };
const CLIENTS = [1, 2, 3];
const BAD_CLIENT = 3;
const SEAT = 1;
const MOST_TURNS = 200;

/** Dice that disturb nobody. */
class CalmDice extends Dice {
  override oneIn(): boolean {
    return false;
  }
}

describe("a member that asks the chain what it did", function () {
  this.timeout(60_000);

  let scene: Scene;
  let world: World;
  let member: Actor;
  /** Calls of the member that were mined. */
  let mined: MinedCall[];
  /** Stands in for calls of the member's account. */
  let instead: Partial<TaskWriter>;
  beforeEach(async () => {
    const opened = await openScene(SHAPE);
    instead = {};
    const writer: Scene["writer"] = (account) =>
      account === SEAT ? { ...opened.writer(account), ...instead } : opened.writer(account);
    scene = { ...opened, writer };
    let now = scene.chain.nextTime;
    world = new World(new CalmDice("calm"), {
      now: () => now,
      pass: (seconds) => scene.chain.setTime((now += seconds)),
      reorganise: () => undefined,
    });
    world.hostile = false;
    const stage = {
      ...{ scene, world, seed: "calm", planted: {}, contexts: new Map<bigint, string>(), node: undefined },
      reference: new Reference(scene, new Set()),
    };
    world.add(aggregatorScript(stage));
    for (let seat = 1; seat <= SHAPE.committeeSize; seat++) world.add(memberScript(stage, seat, true));
    for (const index of CLIENTS) world.add(clientScript(stage, index, true));
    member = world.actors[SEAT]!;
    mined = [];
    const { account } = opened.writer(SEAT);
    scene.chain.onMined = (call) => void (call.sender === account ? mined.push(call) : 0);
  });
  afterEach(() => rmSync(scene.directory, { recursive: true, force: true }));

  const records = async (): Promise<RoundRecords> => (await scene.reader().look()).records(1n);
  const called = (name: string): MinedCall[] => mined.filter((call) => call.name === name);
  const files = (): Promise<readonly string[]> => readdir(join(scene.directory, "member-1", memberName(SEAT)));
  /** Everybody takes turns, and blocks pass, until something holds. */
  const play = async (
    holds: () => boolean | Promise<boolean>,
    actors: readonly Actor[] = world.actors,
  ): Promise<void> => {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      for (const actor of actors) {
        await world.stepOf(actor);
        assert.equal(actor.failure, undefined);
        if (await holds()) return;
      }
      scene.chain.mine();
    }
    assert.fail("it never came to that");
  };
  const loseLastBlock = (): void => void scene.chain.fork(1, () => false);
  const isOver = async (): Promise<boolean> => (await scene.reader().round()).phase === "Finalised";

  it("registers the same keys again", async () => {
    await world.stepOf(member);
    const [first] = called("registerRoundKeys");
    loseLastBlock();
    await world.stepOf(member);
    const [, again] = called("registerRoundKeys");
    assert.deepEqual(again!.args, first!.args);
  });

  it("attests again", async () => {
    await play(() => called("attest").length === 1);
    loseLastBlock();
    assert.equal((await records()).attested.has(SEAT), false);
    await play(() => called("attest").length === 2, [member]);
    assert.deepEqual(called("attest")[1]!.args, called("attest")[0]!.args);
    await play(isOver);
  });

  it("attests no share that it has not checked, when the submissions come in another order", async () => {
    scene.content.alter(clientName(BAD_CLIENT), (bundle) => ({
      ...bundle,
      "seat-1.bin": seededRandom("garbage")(bundle["seat-1.bin"]!.length),
    }));
    const submissions: MinedCall[] = [];
    let opened = scene.chain.snapshot();
    const { onMined } = scene.chain;
    scene.chain.onMined = (call) => {
      onMined(call);
      if (call.name === "openRound") opened = scene.chain.snapshot();
      if (call.name === "submit") submissions.push(call);
    };
    await play(() => called("attest").length === 1);
    const bad = scene.writer(SHAPE.committeeSize + BAD_CLIENT).account;
    const placeOf = async (): Promise<bigint> =>
      1n << BigInt((await records()).submitted.find(({ client }) => client === bad)!.index);
    const attested = async (): Promise<bigint> => (await records()).attested.get(SEAT) ?? 0n;
    assert.equal(await attested(), 0b111n & ~(await placeOf()));
    const [a, b, c] = [...submissions];
    for (const order of [
      [c!, a!, b!],
      [b!, c!, a!],
      [c!, b!, a!],
    ]) {
      scene.chain.restore(opened);
      for (const { sender, name, args } of order)
        scene.chain.send(scene.contract, sender, name as "submit", args as never);
      await play(async () => (await attested()) !== 0n, [member]);
      assert.equal(await attested(), 0b111n & ~(await placeOf()));
    }
    assert.equal(member.reporter.facts("share-refused").length, 1, "its client is named once");
  });

  it("sends the same release again, and keeps its key until the release is final", async () => {
    await play(() => called("release").length === 1);
    await world.stepOf(member);
    assert.ok((await files()).includes("round-key-1.json"));
    loseLastBlock();
    await play(() => called("release").length === 2, [member]);
    assert.deepEqual(called("release")[1]!.args, called("release")[0]!.args);
    scene.chain.mine(SHAPE.confirmations);
    await world.stepOf(member);
    assert.ok(!(await files()).includes("round-key-1.json"));
    await play(isOver);
  });

  it("sends what its record says after kill -9, also when no share can be had any more", async () => {
    const { chain } = scene;
    let sent: string | undefined;
    instead = {
      release: async (_, releaseCid) => {
        sent = cidFromDigest(releaseCid);
        world.kill(member.life!);
        return new Promise(() => undefined);
      },
    };
    await play(() => sent !== undefined);
    const record = await readFile(join(scene.directory, "member-1", memberName(SEAT), "release-1.json"), "utf8");
    assert.ok(record.includes(sent!), "it was bound before it was sent");
    assert.deepEqual(
      (await records()).released.filter(({ seat }) => seat === SEAT),
      [],
    );
    instead = {};
    const read = scene.content.read.bind(scene.content);
    scene.content.read = (parties, cid, name, maxBytes) => {
      if (name.startsWith("seat-")) throw unavailable(cid);
      return read(parties, cid, name, maxBytes);
    };
    await play(() => called("release").length === 1, [member]);
    chain.fork(1, () => false);
    await play(() => called("release").length === 2, [member]);
    for (const { args } of called("release")) assert.equal(cidFromDigest(args[1] as `0x${string}`), sent);
  });

  it("tries what was refused at one block at the next one, and not before", async () => {
    let tries = 0;
    instead = {
      attest: async () => {
        tries++;
        throw new VerisumError("CHAIN_REVERTED", "attest: VerisumNothingNew", { error: "VerisumNothingNew" });
      },
    };
    await play(() => tries === 1);
    await world.stepOf(member);
    await world.stepOf(member);
    assert.equal(tries, 1);
    scene.chain.mine();
    await world.stepOf(member);
    assert.equal(tries, 2);
  });

  it("blames nobody for what only one reading of the chain says", async () => {
    const reader = scene.reader();
    let rereads = 0;
    instead = {
      reread: async () => void rereads++,
      look: async () => {
        const look = await reader.look();
        return rereads > 0 ? look : { ...look, records: (round) => withOtherHashes(look.records(round)) };
      },
    };
    await play(() => called("attest").length === 1);
    assert.equal(rereads, 1);
    assert.deepEqual(member.reporter.facts("share-refused"), []);
    assert.deepEqual(called("attest")[0]!.args, [1n, 0b111n]);
  });
});

/** As an endpoint could have a round whose shares are all wrong. */
function withOtherHashes(records: RoundRecords): RoundRecords {
  const submitted = records.submitted.map((record) => {
    const { submission } = record;
    return { ...record, submission: { ...submission, shareHashes: [...submission.shareHashes].reverse() } };
  });
  return { ...records, submitted };
}
