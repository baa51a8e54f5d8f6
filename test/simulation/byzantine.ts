/** Members and clients who do what they like: they act from their own accounts, beside or in place of their role. */
import type { TaskWriter } from "../../chain/task-chain.ts";
import { digestHexOfCid } from "../../content/cid.ts";
import { encodeElements, randomElements } from "../../protocol/field.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { SHARE_SUM_FILE } from "../../task/outcome.ts";
import { seededRandom } from "../support/random.ts";
import { clientName, memberName } from "./roles.ts";
import type { Stage } from "./roles.ts";
import type { Script } from "./world.ts";

type Act = () => Promise<unknown>;

/** A member that mixes its role's steps with acts of its own. */
export function byzantineMember(stage: Stage, seat: number, role: Script): Script {
  const { scene, world } = stage;
  const chain = scene.writer(seat);
  const bits = (count: number): bigint => BigInt(world.dice.below(2 ** count));
  const acts: readonly (() => Act)[] = [
    () => async () => chain.attest((await chain.round()).number, bits((await chain.round()).submitted)),
    () => async () => chain.propose((await chain.round()).number, bits(scene.shape.committeeSize)),
    () => async () => chain.settle((await chain.round()).number, []),
    () => async () => chain.advance((await chain.round()).number),
    () => async () => chain.openRound(),
    () => async () => chain.release((await chain.round()).number, await inventedSum(stage, seat)),
    () => async () => chain.release((await chain.round()).number, await lateRelease(chain)),
    () => async () => chain.registerRoundKeys((await chain.round()).number + 1n, [`0x${"ff".repeat(32)}`]),
  ];
  return disturbing(stage, role, acts);
}

/** A client whose bundles are garbage for some seats, or kept from everybody. */
export function byzantineClient(stage: Stage, index: number, role: Script): Script {
  const { world, scene } = stage;
  const random = seededRandom(`${stage.seed} garbage ${index}`);
  return {
    ...role,
    honest: false,
    start: (life) => {
      const garbage = world.dice.some(Array.from({ length: scene.shape.committeeSize }, (_, i) => `seat-${i + 1}.bin`));
      scene.content.alter(clientName(index), (files) =>
        Object.fromEntries(
          Object.entries(files).map(([name, bytes]) => [name, garbage.includes(name) ? random(bytes.length) : bytes]),
        ),
      );
      return role.start(life);
    },
  };
}

/** One step in three is an act of its own; a refusal of the contract is all it can lead to. */
function disturbing({ world }: Stage, role: Script, acts: readonly (() => Act)[]): Script {
  return {
    ...role,
    honest: false,
    start: async (life) => {
      const step = await role.start(life);
      return async () => {
        if (!world.dice.oneIn(3)) return step();
        world.count("Byzantine act");
        await world.dice
          .pick(acts)()()
          .catch(() => undefined);
        return true;
      };
    },
  };
}

/** A sum of nothing, under its right name. */
async function inventedSum({ scene, seed }: Stage, seat: number): Promise<Hex> {
  const elements = randomElements(scene.layout.elementCount, seededRandom(`${seed} invented ${seat}`));
  return digestHexOfCid(
    await scene.content.put(memberName(seat), { [SHARE_SUM_FILE]: encodeElements(elements) }),
  ) as Hex;
}

/** Somebody else's release, or the genesis. */
async function lateRelease(chain: TaskWriter): Promise<Hex> {
  const { released } = await chain.records((await chain.round()).number);
  return released.at(-1)?.releaseCid ?? (await chain.latestModel()).cid;
}
