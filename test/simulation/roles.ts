/** The real roles' loops, over the simulation's edges. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createCoordinator } from "../../aggregator/coordinator.ts";
import { addProposalRoutes } from "../../aggregator/proposal.ts";
import { continuedAudit } from "../../auditor/continued-audit.ts";
import type { TaskWriter } from "../../chain/task-chain.ts";
import { isSignedBySeat } from "../../chain/statement-signatures.ts";
import { createClientStep } from "../../client/client-loop.ts";
import { openJournal } from "../../client/journal.ts";
import type { Journal, JournalEntry } from "../../client/journal.ts";
import type { LocalLearner } from "../../client/make-submission.ts";
import { createMemberStep } from "../../member/member-loop.ts";
import { openRoundKeys } from "../../member/round-keys.ts";
import type { Submission } from "../../protocol/submission.ts";
import type { StateDirectory } from "../../storage/state-directory.ts";
import { openStatements } from "../../task/node-statements.ts";
import type { NodeStatements } from "../../task/node-statements.ts";
import { createResultRecord } from "../../task/result-record.ts";
import { roundNow } from "../../task/round-now.ts";
import type { StatementBoard } from "../../task/statement-board.ts";
import { checkOrigin, statementJson } from "../../task/statements.ts";
import { seededRandom } from "../support/random.ts";
import { chainOf, replicateFrom, storeAt } from "./edges.ts";
import { NodeRoutes, responseOf } from "./node-routes.ts";
import { openProver } from "./prover.ts";
import type { Challenge, Reference } from "./reference.ts";
import { AGGREGATOR, VERIFICATION_KEYS } from "./scene.ts";
import type { Scene } from "./scene.ts";
import type { Life, Script, World } from "./world.ts";

/** Mistakes that a test plants, to see that they are noticed. */
export interface Planted {
  /** Roles find nothing of what they kept before a restart. */
  readonly forgetful?: boolean;
  /** Members take every block for final. */
  readonly hasty?: boolean;
  /** So do clients. */
  readonly impatient?: boolean;
  /** What a role of this name does in place of its steps; it acts in none. */
  readonly instead?: Readonly<Record<string, (life: Life) => void>>;
  /** After so many events the disturbances end, and after so many more the schedule. */
  readonly events?: number;
}

/** What every role is made from. */
export interface Stage {
  readonly scene: Scene;
  readonly world: World;
  readonly reference: Reference;
  readonly seed: string;
  readonly planted: Planted;
  /** For which client, round and base each vector was made, by the x of its D. */
  readonly contexts: Map<bigint, Challenge>;
  /** Of a statement, whose signature is checked once for all nodes. */
  readonly check: typeof checkOrigin;
  /** Nodes that are up, by their party. */
  readonly nodes: Map<string, Node>;
}

/** `checkOrigin`, which gives the same answer to everybody who asks. */
export function checkedOnce(): typeof checkOrigin {
  const answers = new Map<string, Promise<void>>();
  return (chain, statement) => {
    const key = JSON.stringify([statement.round.toString(), statementJson(statement)]);
    const answer = answers.get(key) ?? checkOrigin(chain, statement);
    answers.set(key, answer);
    return answer;
  };
}

/** A party's HTTP endpoint during one of its lives. */
interface Node {
  readonly routes: NodeRoutes;
  readonly life: Life;
}

/** The client that audits; the others take models on trust, which saves the most time. */
const AUDITOR = 1;
const NO_STATE = { weights: new Int32Array(0), kept: [new Int32Array(0)] };

export const memberName = (seat: number): string => `member ${seat}`;
export const clientName = (index: number): string => `client ${index}`;

/** Lives of a role draw different randomness, as its processes do; the schedule stays repeatable. */
function randomFor({ seed }: Stage, name: string): () => ReturnType<typeof seededRandom> {
  let lives = 0;
  return () => seededRandom(`${seed} ${name} ${lives++}`);
}

let starts = 0;

function stateOf({ scene, planted }: Stage, name: string): StateDirectory {
  const folder = planted.forgetful === true ? `${name} ${starts++}` : name;
  const path = join(scene.directory, folder.replaceAll(" ", "-"));
  mkdirSync(path, { recursive: true });
  const done = (): Promise<void> => Promise.resolve();
  return {
    path,
    copied: false,
    file: (...parts) => join(path, ...parts),
    adopt: done,
    requireHeld: done,
    release: done,
  };
}

function holders({ scene }: Stage): string[] {
  return [AGGREGATOR, ...Array.from({ length: scene.shape.committeeSize }, (_, i) => memberName(i + 1))];
}

/** A planted step of the role. @param progress what it comes to */
function insteadOf<T>({ planted }: Stage, name: string, life: Life, progress: T): (() => Promise<T>) | undefined {
  const act = planted.instead?.[name];
  return (
    act &&
    (async () => {
      act(life);
      return progress;
    })
  );
}

export function aggregatorScript(stage: Stage): Script {
  const { scene, world } = stage;
  return {
    name: AGGREGATOR,
    honest: true,
    start: async (life) => {
      const chain = chainOf(world, life, scene, 0);
      const store = storeAt(world, life, scene);
      const task = scene.task(chain, store);
      const results = createResultRecord(stateOf(stage, AGGREGATOR).file(AGGREGATOR, "results.json"), store);
      const routes = new NodeRoutes();
      // Not through the world: a caller would wait for a role that waits for the caller.
      const reader = scene.reader();
      const isBySeat: Parameters<typeof addProposalRoutes>[1] = async (proposal, given) => {
        const { settled } = await reader.records(proposal.round);
        if (settled === undefined) return false;
        const signed = { ...proposal.result, round: settled.round, settlement: settled.settlement };
        return isSignedBySeat(chain.context, await reader.members(signed.round), "Result", { ...signed, ...given });
      };
      const proposals = addProposalRoutes(routes.asServer(), isBySeat, () => undefined);
      const statements = statementsOf(stage, life, routes);
      const siblingNodes = { nodesOf: () => [], fetch: globalThis.fetch };
      const own = createCoordinator({
        ...{ chain, task, proposals, results, reporter: life.actor.reporter, siblingNodes },
        ...statements,
      });
      return insteadOf(stage, AGGREGATOR, life, false) ?? own;
    },
  };
}

/** What a party's node serves and hears while it is up. */
function statementsOf(stage: Stage, life: Life, routes: NodeRoutes): NodeStatements {
  const { name } = life.actor.script;
  const network = {
    peers: () =>
      holders(stage)
        .filter((holder) => holder !== name)
        .map(urlOf),
  };
  const { chain } = stage.scene;
  const statements = openStatements(
    routes.asServer(),
    { chain: stage.scene.reader(), network },
    {
      fetch: fetchThrough(stage, life),
      clock: () => 1000 * chain.nextTime,
      check: stage.check,
    },
  );
  stage.nodes.set(name, { routes, life });
  return statements;
}

/** @param localMinimum the member's own, if it is not the task's */
export function memberScript(stage: Stage, seat: number, honest: boolean, localMinimum?: number): Script {
  const { scene, world } = stage;
  const name = memberName(seat);
  const random = randomFor(stage, name);
  return {
    name,
    honest,
    start: async (life) => {
      const cautious = chainOf(world, life, scene, seat);
      const chain = stage.planted.hasty === true ? withoutFinality(cautious, scene) : cautious;
      const state = stateOf(stage, name);
      const statements = statementsOf(stage, life, new NodeRoutes());
      const store = storeAt(world, life, scene);
      const own = createMemberStep({
        chain,
        task: scene.task(chain, store),
        results: createResultRecord(state.file(name, "results.json"), store),
        seat,
        keys: openRoundKeys(state, name),
        state,
        scope: name,
        localMinimum: localMinimum ?? scene.parameters.minClients,
        reporter: life.actor.reporter,
        ...statements,
        board: watched(stage, statements.board),
        replicate: replicateFrom(world, life, scene, holders(stage)),
        random: random(),
        fetch: fetchThrough(stage, life),
        nodes: () => [urlOf(AGGREGATOR)],
        strangers: () => [],
        announcersOf: (node) => [node],
      });
      return insteadOf(stage, name, life, false) ?? own;
    },
  };
}

/** A member's own board, on which the reference sees each release before anybody else does. */
function watched({ reference }: Stage, board: StatementBoard): StatementBoard {
  return {
    ...board,
    add: async (statement) => {
      if (statement.kind === "release") reference.releases(statement);
      return board.add(statement);
    },
  };
}

/** A chain each of whose looks takes every block for final. */
function withoutFinality(chain: TaskWriter, { chain: blocks }: Scene): TaskWriter {
  return {
    ...chain,
    look: async () => {
      const look = await chain.look();
      const { number, phase } = look.round;
      const finalBlock = blocks.blockNumber;
      const closedRound = phase === "Finalised" || phase === "Aborted" ? number : number - 1n;
      return { ...look, finalBlock, closedRound, records: (round) => ({ ...look.records(round), finalBlock }) };
    },
  };
}

function urlOf(party: string): string {
  return `http://${party.replaceAll(" ", "-")}/`;
}

/** Requests to parties' nodes, each of which is there only while its party is. */
function fetchThrough(stage: Stage, life: Life): typeof globalThis.fetch {
  const away = (): Error => new TypeError("fetch failed");
  return (input, init) =>
    stage.world.call(life, {
      act: async () => {
        const { hostname, pathname } = input as URL;
        const node = stage.nodes.get(hostname.replaceAll("-", " "));
        if (node === undefined || node.life.ended) throw away();
        const answering =
          init?.method === "POST"
            ? node.routes.answer("POST", pathname, JSON.parse(String(init.body)))
            : node.routes.answer("GET", pathname);
        const answer = await Promise.race([answering, node.life.death]);
        if (answer === undefined) throw away();
        return responseOf(answer);
      },
      failure: away,
      isOneOfMany: (input as URL).pathname.startsWith("/v1/statements/"),
    });
}

export function clientScript(stage: Stage, index: number, honest: boolean): Script {
  const { scene, world, reference } = stage;
  const name = clientName(index);
  const account = scene.shape.committeeSize + index;
  const random = randomFor(stage, name);
  return {
    name,
    honest,
    start: (life) => {
      const draw = random();
      const cautious = chainOf(world, life, scene, account);
      const direct = stage.planted.impatient === true ? withoutFinality(cautious, scene) : cautious;
      const learner: LocalLearner = {
        update: () => Promise.resolve(new Float32Array(scene.parameters.dimension)),
        quantise: () => Int32Array.from(draw(scene.parameters.dimension), (byte) => (byte % 41) - 20),
      };
      const prover = openProver(scene.layout, reference.secrets);
      const chain = {
        ...direct,
        submit: (round: bigint, submission: Submission) => {
          const { x } = submission.chunks[0]!.d;
          if (honest) reference.submits(stage.contexts.get(x)!, x);
          return direct.submit(round, submission);
        },
      };
      const task = scene.task(chain, storeAt(world, life, scene));
      const own = createClientStep({
        chain,
        task,
        prover,
        verifyOwn: () => undefined,
        learner,
        random: draw,
        journal: countedJournal(
          life,
          openJournal(stateOf(stage, name), name),
          ({ round, baseModelDigest, submission }) =>
            stage.contexts.set(submission.chunks[0]!.d.x, { client: name, round, base: baseModelDigest }),
        ),
        reporter: life.actor.reporter,
        replicate: replicateFrom(world, life, scene, holders(stage)),
        spread: () => undefined,
        clock: () => 0,
        times: {
          keep: () => Promise.resolve(),
          warn: () => Promise.resolve(),
          reservedSeconds: () => Promise.resolve(0),
          whyLate: () => Promise.resolve("late"),
        },
        ...(index === AUDITOR
          ? continuedAudit(task, VERIFICATION_KEYS, { failing: () => Promise.resolve([]) })
          : {
              audit: async () => ({
                findings: [],
                ok: true,
                model: { record: await chain.latestModel(), state: NO_STATE },
              }),
              verifyAhead: () => Promise.resolve(),
            }),
      });
      const step = insteadOf(stage, name, life, "waiting") ?? own;
      /** The round that collects for the next block, where the chain does not have this client's submission. */
      const lacking = async (): Promise<bigint | undefined> => {
        const reader = scene.reader();
        const { round, records } = await reader.look();
        const { number, phase } = await roundNow(round, reader, scene.parameters);
        const isIn = records(number).submitted.some(({ client }) => client === direct.account);
        return phase === "Collecting" && !isIn ? number : undefined;
      };
      return Promise.resolve(async () => {
        const lacks = world.hostile ? undefined : await lacking();
        const progress = await step();
        const said = life.actor.reporter.events.some(
          ({ event, facts }) => ["refused", "late", "held", "later"].includes(event) && facts.round === lacks,
        );
        if (honest && lacks !== undefined && progress === "waiting" && !said && (await lacking()) === lacks)
          reference.break("no progress", `${name} is not in round ${lacks}, and looks on`);
        return progress === "acted";
      });
    },
  };
}

/**
 * A client's audit goes on beside its training: what it reads and keeps is work of the role as well.
 * @param onKeep told of each submission, before anything of it leaves
 */
function countedJournal(life: Life, journal: Journal, onKeep: (entry: JournalEntry) => void): Journal {
  return {
    ...journal,
    keep: (entry) => {
      onKeep(entry);
      return journal.keep(entry);
    },
    audited: (parametersHash) => life.during(journal.audited(parametersHash)),
    setAudited: (record) => life.during(journal.setAudited(record)),
  };
}
