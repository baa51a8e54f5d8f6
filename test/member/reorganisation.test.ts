/** What a member does again when the chain loses what it knew or did: the simulation's roles, one step at a time. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Attestation, AttestationStatement, Release, RoundRecords, TaskWriter } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { unavailable } from "../simulation/content.ts";
import { calmStage } from "../simulation/calm.ts";
import type { MinedCall } from "../simulation/forking-chain.ts";
import { aggregatorScript, clientName, clientScript, memberName, memberScript } from "../simulation/roles.ts";
import type { Stage } from "../simulation/roles.ts";
import { AGGREGATOR, openScene } from "../simulation/scene.ts";
import type { Scene } from "../simulation/scene.ts";
import type { Actor, World } from "../simulation/world.ts";
import { parseStatement, statementJson } from "../../task/statements.ts";
import type { Snapshot } from "../support/memory-chain/chain.ts";
import { seededRandom, word } from "../support/random.ts";

const SHAPE = { committeeSize: 4, threshold: 2, clients: 3, maxCorrupt: 1, confirmations: 3, blockSeconds: 1 };
const CLIENTS = [1, 2, 3];
const BAD_CLIENT = 3;
const SEAT = 1;
const MOST_TURNS = 200;

describe("a member that asks the chain what it did", function () {
  this.timeout(60_000);

  let scene: Scene;
  let world: World;
  let member: Actor;
  let stage: Stage;
  /** Calls of the member that were mined. */
  let mined: MinedCall[];
  /** What the member signed. */
  let attestations: Attestation[];
  let releases: Release[];
  /** Stands in for calls of the member's account. */
  let instead: Partial<TaskWriter>;
  beforeEach(async () => {
    const opened = await openScene(SHAPE);
    instead = {};
    [attestations, releases] = [[], []];
    const writer: Scene["writer"] = (account) => {
      const plain = opened.writer(account);
      if (account !== SEAT) return plain;
      const noting: Pick<TaskWriter, "signAttestation" | "signRelease"> = {
        signAttestation: (attestation) => (attestations.push(attestation), plain.signAttestation(attestation)),
        signRelease: (release) => (releases.push(release), plain.signRelease(release)),
      };
      return { ...plain, ...noting, ...instead };
    };
    scene = { ...opened, writer };
    ({ stage } = calmStage(scene));
    ({ world } = stage);
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
  const isOver = async (): Promise<boolean> => (await records()).finalised !== undefined;
  const signed: {
    (kind: "Attestation"): readonly Attestation[];
    (kind: "Release"): readonly Release[];
  } = (kind: "Attestation" | "Release") => (kind === "Attestation" ? attestations : releases) as never;
  /** The other members do nothing but to register keys: a quorum of them would settle. */
  const playWithoutOthers = async (holds: () => boolean): Promise<void> => {
    await play(async () => (await scene.reader().round()).phase === "Collecting");
    const isOther = ({ script }: Actor): boolean =>
      script.name.startsWith("member") && script.name !== memberName(SEAT);
    await play(
      holds,
      world.actors.filter((actor) => !isOther(actor)),
    );
  };
  /** Until the member signs. Returns the submissions, as they were mined. */
  const playTo = async (kind: "Attestation"): Promise<readonly MinedCall[]> => {
    const submissions: MinedCall[] = [];
    const { onMined } = scene.chain;
    scene.chain.onMined = (call) => {
      onMined(call);
      if (call.name === "openRound") opened = scene.chain.snapshot();
      if (call.name === "submit") submissions.push(call);
    };
    await playWithoutOthers(() => signed(kind).length === 1);
    scene.chain.onMined = onMined;
    return submissions;
  };
  /** The round as it was opened, with these submissions in this order. */
  const again = (order: readonly MinedCall[]): void => {
    scene.chain.restore(opened!);
    for (const { sender, name, args } of order)
      scene.chain.send(scene.contract, sender, name as "submit", args as never);
  };
  let opened: Snapshot | undefined;
  /** The member's statements over the present intake, as another member's node knows them. */
  const heard = async (): Promise<readonly AttestationStatement[]> => {
    const { number, intake } = await scene.reader().round();
    const answer = await stage.nodes.get(AGGREGATOR)!.routes.answer("GET", `/v1/statements/${number}`);
    const { statements } = JSON.parse(answer.body) as { statements: unknown[] };
    return statements
      .map((json) => parseStatement(number, json))
      .filter((said) => said.kind === "attestation")
      .filter((said) => said.seat === SEAT && said.intake === intake);
  };

  it("registers the same keys again", async () => {
    await world.stepOf(member);
    const [first] = called("registerRoundKeys");
    loseLastBlock();
    await world.stepOf(member);
    const [, again] = called("registerRoundKeys");
    assert.deepEqual(again!.args, first!.args);
  });

  it("signs a statement for each intake that a reorganisation brings, and for none of them twice", async () => {
    const submissions = await playTo("Attestation");
    const [first] = signed("Attestation");
    const order = [...submissions].reverse();
    for (const turn of [order, order, submissions]) {
      again(turn);
      await play(async () => (await heard()).length > 0, [member]);
      await world.stepOf(member);
    }
    const intakes = signed("Attestation").map(({ intake }) => intake);
    assert.equal(intakes.length, 2);
    assert.equal(new Set(intakes).size, 2);
    assert.equal((await heard())[0]!.intake, first!.intake);
    await play(isOver);
  });

  it("attests no share that it has not checked, when the submissions come in another order", async () => {
    scene.content.alter(clientName(BAD_CLIENT), (bundle) => ({
      ...bundle,
      "seat-1.bin": seededRandom("garbage")(bundle["seat-1.bin"]!.length),
    }));
    const [a, b, c] = [...(await playTo("Attestation"))];
    const bad = scene.writer(SHAPE.committeeSize + BAD_CLIENT).account;
    const placeOf = async (): Promise<bigint> =>
      1n << BigInt((await records()).submitted.find(({ client }) => client === bad)!.index);
    const isJudgedRight = async (): Promise<void> => {
      const [{ good, refused }] = (await heard()) as [AttestationStatement];
      assert.deepEqual([good, refused], [0b111n & ~(await placeOf()), await placeOf()]);
    };
    await play(async () => (await heard()).some(({ refused }) => refused > 0n), [member]);
    await isJudgedRight();
    for (const order of [
      [c!, a!, b!],
      [b!, c!, a!],
      [c!, b!, a!],
    ]) {
      again(order);
      await play(async () => (await heard()).length > 0, [member]);
      await isJudgedRight();
    }
    assert.equal(member.reporter.facts("share-refused").length, 1, "its client is named once");
  });

  it("attests the good shares beside a suspected one, before anything is read again", async () => {
    scene.content.alter(clientName(BAD_CLIENT), (bundle) => ({
      ...bundle,
      "seat-1.bin": seededRandom("garbage")(bundle["seat-1.bin"]!.length),
    }));
    const before: number[] = [];
    instead = { rereadRound: async () => void before.push(attestations.length) };
    await play(async () => (await scene.reader().round()).phase === "Collecting");
    // All come before the member looks, as they may in the last block of the intake.
    await play(
      async () => (await scene.reader().round()).phase === "Attesting",
      world.actors.filter(({ script }) => !script.name.startsWith("member")),
    );
    await play(() => signed("Attestation").length === 2, [member]);
    const bad = (await records()).submitted.find(
      ({ client }) => client === scene.writer(SHAPE.committeeSize + BAD_CLIENT).account,
    )!;
    const badBit = 1n << BigInt(bad.index);
    assert.deepEqual(before, [1]);
    assert.deepEqual(
      signed("Attestation").map(({ good, refused }) => [good, refused]),
      [
        [0b111n & ~badBit, 0n],
        [0b111n & ~badBit, badBit],
      ],
    );
  });

  it("refuses nobody where it can open nobody's share: its own key may be the wrong one", async () => {
    for (const index of CLIENTS)
      scene.content.alter(clientName(index), (bundle) => ({
        ...bundle,
        "seat-1.bin": seededRandom("garbage")(bundle["seat-1.bin"]!.length),
      }));
    await playWithoutOthers(() => member.reporter.facts("share-refused").length === CLIENTS.length);
    for (let turn = 0; turn < 3; turn++) await world.stepOf(member);
    assert.deepEqual(signed("Attestation"), []);
  });

  it("signs the same release again after a restart, though its key is erased", async () => {
    await play(() => signed("Release").length === 1);
    assert.ok(!(await files()).includes("round-key-1.json"));
    // Where some node still knows it, nothing has to be signed.
    for (const { life } of world.actors) if (life !== undefined) world.kill(life);
    await play(() => signed("Release").length === 2);
    assert.deepEqual(signed("Release")[1], signed("Release")[0]);
  });

  it("signs what its record says after kill -9, also when no share can be had any more", async () => {
    let sent: string | undefined;
    instead = {
      signRelease: async ({ releaseCid }) => {
        sent = cidFromDigest(releaseCid);
        world.kill(member.life!);
        return new Promise(() => undefined);
      },
    };
    await play(() => sent !== undefined);
    const record = await readFile(join(scene.directory, "member-1", memberName(SEAT), "release-1.json"), "utf8");
    assert.ok(record.includes(sent!), "it was bound before it was signed");
    instead = {};
    const read = scene.content.read.bind(scene.content);
    scene.content.read = (parties, cid, name, maxBytes) => {
      if (name.startsWith("seat-")) throw unavailable(cid);
      return read(parties, cid, name, maxBytes);
    };
    await play(() => signed("Release").length === 1, [member]);
    assert.equal(cidFromDigest(signed("Release")[0]!.releaseCid), sent);
  });

  it("releases nothing where another node knows a release of its seat that it has no record of", async () => {
    await play(async () => (await scene.reader().round()).phase === "Aggregating");
    const { number: round, settlement } = await scene.reader().round();
    const release = { round, settlement, releaseCid: word("another") };
    const signature = await scene.writer(SEAT).signRelease(release);
    const { routes } = stage.nodes.get(AGGREGATOR)!;
    const told = statementJson({ kind: "release", ...release, seat: SEAT, signature });
    assert.equal((await routes.answer("POST", "/v1/statements/1", told)).statusCode, 201);
    releases = [];
    scene.chain.mine(SHAPE.confirmations);
    await play(() => member.reporter.facts("no-release").length > 0);
    assert.deepEqual(releases, []);
    assert.deepEqual(member.reporter.facts("state-copied").length, 1);
    await play(isOver);
  });

  it("tries what was refused at one block at the next one, and not before", async () => {
    let tries = 0;
    instead = {
      registerRoundKeys: async () => {
        tries++;
        throw new VerisumError("CHAIN_REVERTED", "registerRoundKeys: as told", { error: "VerisumKeyExists" });
      },
    };
    for (let look = 0; look < 3; look++) await world.stepOf(member);
    assert.equal(tries, 1);
    scene.chain.mine();
    await world.stepOf(member);
    assert.equal(tries, 2);
  });

  it("blames nobody for what only one reading of the chain says", async () => {
    const reader = scene.reader();
    let rereads = 0;
    instead = {
      rereadRound: async () => void rereads++,
      look: async () => {
        const look = await reader.look();
        return rereads > 0 ? look : { ...look, records: (round) => withOtherHashes(look.records(round)) };
      },
    };
    await play(() => signed("Attestation").length === 1);
    assert.equal(rereads, 1);
    assert.deepEqual(member.reporter.facts("share-refused"), []);
    assert.deepEqual([signed("Attestation")[0]!.good, signed("Attestation")[0]!.refused], [0b111n, 0n]);
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
