/**
 * A group of cells in one process: one chain, and for each cell a committee, an aggregator and clients of its own. For
 * tests only.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deployEmptyGroup } from "../../operator/deploy-group.ts";
import type { RoundRecords, RoundState } from "../../chain/task-chain.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { prepareTask } from "../../operator/prepare-task.ts";
import { csprng, deployCell, startHarness } from "./round-harness.ts";
import { TINY_SPECIFICATION } from "./tiny-specification.ts";
import type { HarnessOptions, RoundHarness } from "./round-harness.ts";
import { startRoundChain } from "./round-chain.ts";
import type { RoundChain } from "./round-chain.ts";

export interface CellsHarness {
  readonly chain: RoundChain;
  readonly group: Hex;
  /** By place. */
  readonly cells: readonly RoundHarness[];
  /**
   * Steps the roles of all cells in turn, and lets deadlines pass when nobody acts, until every cell's state is as
   * wanted.
   */
  playUntil(done: (states: readonly RoundState[]) => boolean | Promise<boolean>): Promise<readonly RoundState[]>;
  /** Plays until every cell has finalised so many steps; returns each cell's last finalised round. */
  playSteps(steps: number): Promise<readonly RoundRecords[]>;
  close(): Promise<void>;
}

const MAX_TURNS = 400;
/** The last of Hardhat's accounts. */
const GROUP_OPERATOR = 19;

/** @param options of each cell alike; two cells of three clients fit into Hardhat's accounts */
export async function startCells(
  options: Omit<HarnessOptions, "cell" | "specification">,
  cellCount = 2,
): Promise<CellsHarness> {
  const directory = await mkdtemp(join(tmpdir(), "verisum-cells-"));
  const chain = await startRoundChain();
  const { contract: group } = await deployEmptyGroup(chain.rpc, chain.wallet(GROUP_OPERATOR), cellCount);
  const home = (place: number): string => join(directory, `cell-${place + 1}`);
  const specification = { ...TINY_SPECIFICATION, document: { ...TINY_SPECIFICATION.document, cells: { group } } };
  const prepared = await prepareTask(specification, join(home(0), "aggregator", "ipfs"), csprng, () => undefined);
  const deployed = [];
  for (let place = 0; place < cellCount; place++) {
    const cell = await deployCell(
      chain,
      prepared,
      options,
      place * (1 + prepared.parameters.committeeSize + options.clients),
      chain.wallet(GROUP_OPERATOR),
    );
    deployed.push(cell);
  }
  const cells: RoundHarness[] = [];
  for (const [place, cell] of deployed.entries()) {
    cells.push(
      await startHarness({
        ...options,
        cell: { ...cell, directory: home(place), peers: cells.map(({ aggregator }) => aggregator.url) },
      }),
    );
  }
  const playUntil: CellsHarness["playUntil"] = async (done) => {
    for (let turns = 0; turns < MAX_TURNS; turns++) {
      let acted = false;
      for (const cell of cells) acted = (await cell.turn(() => false)).acted || acted;
      const states = await Promise.all(cells.map(({ operator: reader }) => reader.round()));
      if (await done(states)) return states;
      if (!acted) await passTime(cells, states);
    }
    throw new Error("the cells did not reach the state");
  };
  const finalisedBy = async (): Promise<(readonly bigint[])[]> =>
    Promise.all(cells.map(async (cell) => cell.operator.finalisedRoundNumbers()));
  return {
    chain,
    group,
    cells,
    playUntil,
    playSteps: async (steps) => {
      await playUntil(async () => (await finalisedBy()).every(({ length }) => length >= steps));
      const numbers = await finalisedBy();
      return Promise.all(cells.map(async (cell, place) => cell.operator.records(numbers[place]!.at(-1)!)));
    },
    close: async () => {
      for (const cell of [...cells].reverse()) await cell.close();
      await chain.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The chain has one clock: the cell whose phase ends first decides how far it goes. */
async function passTime(cells: readonly RoundHarness[], states: readonly RoundState[]): Promise<void> {
  const [first] = cells
    .map((cell, place) => ({ cell, state: states[place]! }))
    .sort((a, b) => rank(a.state) - rank(b.state));
  await first!.cell.passTime(first!.state);
}

/** Phases that have a deadline come first, by deadline. */
function rank({ phase, deadline }: RoundState): number {
  return phase === "Collecting" || phase === "Attesting" || phase === "Aggregating"
    ? deadline
    : Number.MAX_SAFE_INTEGER;
}
