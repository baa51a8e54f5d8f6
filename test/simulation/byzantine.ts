/** Members and clients who do what they like: they act from their own accounts, beside or in place of their role. */
import type { TaskWriter } from "../../chain/task-chain.ts";
import { digestHexOfCid } from "../../content/cid.ts";
import { encodeElements, randomElements } from "../../protocol/field.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { SHARE_SUM_FILE } from "../../task/outcome.ts";
import { fetchStatements } from "../../task/statement-exchange.ts";
import { statementJson } from "../../task/statements.ts";
import type { Statement } from "../../task/statements.ts";
import { seededRandom } from "../support/random.ts";
import { responseOf } from "./node-routes.ts";
import { clientName, memberName } from "./roles.ts";
import type { Stage } from "./roles.ts";
import type { Script } from "./world.ts";

type Act = () => Promise<unknown>;

/** A member that mixes its role's steps with acts of its own. */
export function byzantineMember(stage: Stage, seat: number, role: Script): Script {
  const { scene, world } = stage;
  const chain = scene.writer(seat);
  const bits = (count: number): bigint => BigInt(world.dice.below(2 ** count));
  const anyWord = (): Hex =>
    `0x${world.dice
      .below(2 ** 31)
      .toString(16)
      .padStart(64, "0")}`;
  /** To some of the nodes, or to one only: each may hear something else. */
  const say = async (statement: Statement): Promise<void> => {
    for (const { routes, life } of world.dice.some([...stage.nodes.values()])) {
      if (life.ended) continue;
      await routes.answer("POST", `/v1/statements/${statement.round}`, statementJson(statement));
    }
  };
  const attest = async (intake?: Hex): Promise<void> => {
    const round = await chain.round();
    const [good, refused] = [bits(round.submitted), bits(round.submitted)];
    const attestation = { round: round.number, intake: intake ?? round.intake, good, refused };
    const signature = await chain.signAttestation(attestation);
    await say({ kind: "attestation", ...attestation, seat, signature });
  };
  const release = async (cid: () => Promise<Hex>): Promise<void> => {
    const { number, settlement } = await chain.round();
    const said = { round: number, settlement, releaseCid: await cid() };
    await say({ kind: "release", ...said, seat, signature: await chain.signRelease(said) });
  };
  const settle = async (): Promise<unknown> => {
    const { number, intake } = await chain.round();
    const known = await fetchStatements("http://aggregator", number, injecting(stage));
    const statements = (known ?? []).filter(
      (statement): statement is Extract<Statement, { kind: "attestation" }> =>
        statement.kind === "attestation" && statement.intake === intake,
    );
    return chain.settle(number, statements, bits(scene.shape.committeeSize), []);
  };
  const acts: readonly (() => Act)[] = [
    () => () => attest(),
    () => () => attest(anyWord()),
    () => settle,
    () => async () => chain.settle((await chain.round()).number, [], 0n, []),
    () => async () => chain.abort((await chain.round()).number),
    () => async () => chain.openRound(),
    () => () => release(() => inventedSum(stage, seat)),
    () => () => release(() => genesis(chain)),
    () => async () => chain.registerRoundKeys((await chain.round()).number + 1n, [`0x${"ff".repeat(32)}`]),
  ];
  return disturbing(stage, role, acts);
}

/** A request to a node without the world in between. */
function injecting({ nodes }: Stage): typeof globalThis.fetch {
  return async (input) => {
    const { hostname, pathname } = input as URL;
    return responseOf(await nodes.get(hostname)!.routes.answer("GET", pathname));
  };
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

/** What is no release. */
async function genesis(chain: TaskWriter): Promise<Hex> {
  return (await chain.latestModel()).cid;
}
