/** What keeps a member from one part of its work keeps it from no other: the simulation's roles, one fault each. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { shareFileName } from "../../protocol/bundle.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { SHARE_SUM_FILE } from "../../task/outcome.ts";
import { calmStage } from "../simulation/calm.ts";
import { aggregatorScript, clientScript, memberName, memberScript } from "../simulation/roles.ts";
import { openScene } from "../simulation/scene.ts";
import type { Scene } from "../simulation/scene.ts";
import type { Actor, World } from "../simulation/world.ts";
import { seededRandom, word } from "../support/random.ts";

const SHAPE = { committeeSize: 4, threshold: 2, clients: 3, maxCorrupt: 1, confirmations: 1, blockSeconds: 1 };
const SEAT = 1;
const LIAR = 2;
const OPERATOR = 0;
const ROUND = 1n;
const MOST_TURNS = 200;
const NO_KEY = word("none").replace(/[^x]/g, "0") as `0x${string}`;

describe("a member", function () {
  this.timeout(60_000);

  let scene: Scene;
  let world: World;
  let member: Actor;
  /** What the member signed. */
  let attested: number;
  let resultsSigned: number;
  /** What seats signed last that they released. */
  let released: Map<number, string>;
  /** Stands in for calls of these accounts. */
  let instead: Map<number, Partial<TaskWriter>>;
  beforeEach(async () => {
    const opened = await openScene(SHAPE);
    [attested, resultsSigned] = [0, 0];
    [released, instead] = [new Map(), new Map()];
    const writer: Scene["writer"] = (account) => {
      const plain = opened.writer(account);
      const noting: Partial<TaskWriter> = {
        signRelease: (release) => {
          released.set(account, cidFromDigest(release.releaseCid));
          return plain.signRelease(release);
        },
        ...(account !== SEAT
          ? {}
          : {
              signAttestation: (attestation) => ((attested += 1), plain.signAttestation(attestation)),
              signResult: (result) => ((resultsSigned += 1), plain.signResult(result)),
            }),
      };
      return { ...plain, ...noting, ...instead.get(account) };
    };
    scene = { ...opened, writer };
    const { stage } = calmStage(scene);
    ({ world } = stage);
    world.add(aggregatorScript(stage));
    for (let seat = 1; seat <= SHAPE.committeeSize; seat++) world.add(memberScript(stage, seat, true));
    for (let index = 1; index <= SHAPE.clients; index++) world.add(clientScript(stage, index, true));
    member = world.actors[SEAT]!;
  });
  afterEach(() => rmSync(scene.directory, { recursive: true, force: true }));

  /** Everybody takes turns, and blocks pass, until something holds. */
  const play = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      for (const actor of world.actors) {
        await world.stepOf(actor);
        assert.equal(actor.failure, undefined);
        if (await holds()) return;
      }
      scene.chain.mine();
    }
    assert.fail("it never came to that");
  };
  const phase = async (): Promise<string> => (await scene.reader().round()).phase;
  /** Whether the member can have a file that others published. */
  const withhold = (isWithheld: (cid: string, name: string) => boolean, code: ErrorCode = "IPFS_UNAVAILABLE"): void => {
    const read = scene.content.read.bind(scene.content);
    scene.content.read = (parties, cid, name, maxBytes) => {
      if (parties[0] === memberName(SEAT) && isWithheld(cid, name))
        throw new VerisumError(code, `${cid} as a test has it`, { cid });
      return read(parties, cid, name, maxBytes);
    };
  };

  for (const code of ["IPFS_UNAVAILABLE", "IPFS_CID_INVALID"] as const)
    it(`signs the result of a round to which it cannot release its sum: ${code} of a client's share`, async () => {
      await play(async () => (await phase()) === "Aggregating");
      withhold((_cid, name) => name === shareFileName(SEAT), code);
      await play(() => resultsSigned > 0);
      assert.equal(released.has(SEAT), false);
      assert.deepEqual(
        member.reporter.facts("no-release").map((facts) => facts["code"]),
        [code],
      );
    });

  it("attests, releases and signs while it cannot pay for coming rounds' keys, and says that", async () => {
    let canPay = true;
    const plain = scene.writer(SEAT);
    instead.set(SEAT, {
      roundKey: (round, seat) => (round === ROUND || canPay ? plain.roundKey(round, seat) : Promise.resolve(NO_KEY)),
      registerRoundKeys: async (...keys) => {
        if (!canPay) throw new VerisumError("CHAIN_FUNDS_MISSING", "it has nothing");
        return plain.registerRoundKeys(...keys);
      },
    });
    await play(async () => (await phase()) === "Collecting");
    canPay = false;
    await play(() => resultsSigned > 0);
    assert.ok(attested > 0 && released.has(SEAT));
    assert.deepEqual(
      member.reporter.facts("keys-late").map((facts) => facts["code"]),
      ["CHAIN_FUNDS_MISSING"],
    );
  });

  it("signs a right result once the honest releases are there, and blames nobody until then", async () => {
    scene.content.alter(memberName(LIAR), (files) =>
      Object.fromEntries(
        Object.entries(files).map(([name, bytes]) => [name, name === SHARE_SUM_FILE ? other(bytes) : bytes]),
      ),
    );
    instead.set(OPERATOR, { finalize: () => Promise.reject(new VerisumError("CHAIN_UNREACHABLE", "503")) });
    let [isAway, reads] = [true, 0];
    withhold((cid, name) => {
      if (name !== SHARE_SUM_FILE) return false;
      reads += 1;
      return isAway && cid !== released.get(SEAT) && cid !== released.get(LIAR);
    });
    await play(() => reads > 4 * SHAPE.committeeSize);
    assert.equal(resultsSigned, 0);
    assert.deepEqual(member.reporter.facts("proposal-refused"), []);
    isAway = false;
    await play(() => resultsSigned > 0);
  });
});

/** Another sum of the same length. */
function other(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  changed.set(seededRandom("wrong sum")(16), bytes.length - 16);
  return changed;
}
