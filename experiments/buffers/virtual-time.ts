/**
 * Rounds of clients that are not equally fast, over virtual time: who trains on which model when, who enters which
 * round, and what it learns. Training, encoding, sums and the server's rule are the real ones; shares, proofs and chain
 * only take their time. A barrier is a buffer of everybody whose base is the newest model.
 */
import type { LocalLearner } from "../../client/make-submission.ts";
import { learnersOf } from "../../demo/federation.ts";
import type { Evaluation } from "../../learning/evaluation.ts";
import type { Dataset } from "../../learning/examples.ts";
import type { Trainer } from "../../learning/trainer.ts";
import { modelDigest } from "../../protocol/model.ts";
import type { ModelState } from "../../protocol/model.ts";
import { initialState, nextModel } from "../../protocol/next-model.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import type { TaskDocument } from "../../task/document.ts";
import { serverStepOf, weightsOf } from "../../task/model-vector.ts";

/** How fast one client is, in seconds. */
export interface ClientPace {
  readonly trainingSeconds: number;
  readonly provingSeconds: number;
}

/** When rounds close and open, as the contract's parameters of the same names say. */
export interface RoundRules {
  /** Submissions at which a round closes. */
  readonly goal: number;
  readonly maxStaleness: number;
  readonly minSeparation: number;
  readonly minCollectSeconds: number;
  /** From the last submission until the next round is open. */
  readonly committeeSeconds: number;
}

/** A model, and how it came about. */
export interface VirtualModel {
  /** Since the task began. */
  readonly seconds: number;
  readonly number: number;
  /** Of each update in it: models that were made between its base and its vector. */
  readonly staleness: readonly number[];
  /** Whose each update is. */
  readonly clients: readonly number[];
  readonly evaluation: Evaluation;
}

export interface VirtualRun {
  readonly models: readonly VirtualModel[];
  /** Updates whose base became too old. */
  readonly dropped: number;
  /** Proofs that a round did not wait for: the same vector was proven again for the next. */
  readonly provenAgain: number;
}

export interface VirtualDependencies {
  readonly trainer: Trainer;
  /** One data set for each client; all have weight 1. */
  readonly shards: readonly Dataset[];
  readonly test: Dataset;
  readonly random: RandomBytes;
  /** Whether this is the last model that is asked for. */
  readonly isEnough: (model: VirtualModel) => boolean;
}

/** What a client has at hand: nothing, or an update of this base. */
interface Vector {
  readonly client: number;
  readonly base: number;
  readonly staleness: number;
  readonly coordinates: Int32Array;
}

interface Client {
  readonly learner: LocalLearner;
  readonly pace: ClientPace;
  doing: "nothing" | "training" | "proving";
  vector: Vector | undefined;
  /** The last base that it made a vector of, or trained on in vain. */
  lastBase: number;
  lastRound: number;
  /** Proofs that came too late, less those that came early: what client/preparation.ts goes by. */
  late: number;
  /** The round that its vector is proven for, before that opens. */
  provenFor: number | undefined;
}

/** @throws what training and quantisation throw */
export async function runInVirtualTime(
  { document: requested, initialSeed }: Pick<TaskSpecification, "document" | "initialSeed">,
  paces: readonly ClientPace[],
  rules: RoundRules,
  { trainer, shards, test, random, isEnough }: VirtualDependencies,
): Promise<VirtualRun> {
  const document: TaskDocument = { ...requested, version: 1, keysCid: `0x${"0".repeat(64)}` };
  const clients = learnersOf(document, { trainer, shards, random }).map((learner, i): Client => ({
    ...{ learner, pace: paces[i]!, doing: "nothing", vector: undefined },
    ...{ lastBase: -1, lastRound: -1, late: 0, provenFor: undefined },
  }));
  const levels = document.quantisation.adaptive === undefined ? 0 : 1;
  const states: ModelState[] = [initialState(trainer.initialWeights(initialSeed), document.server, levels)];
  const models: VirtualModel[] = [];
  const agenda = createAgenda();
  const round = { number: 0, openedAt: 0, isCollecting: true, vectors: [] as Vector[] };
  let dropped = 0;
  let provenAgain = 0;
  const newest = (): number => states.length - 1;

  /** The next thing that this client can do, if any. */
  const proceed = (client: Client): void => {
    if (client.doing !== "nothing") return;
    if (client.vector !== undefined && newest() - client.vector.base > rules.maxStaleness) {
      [client.vector, client.provenFor] = [undefined, undefined];
      dropped += 1;
    }
    if (client.vector !== undefined && client.provenFor !== undefined)
      return enter(client, client.vector, client.provenFor);
    const next = firstOpen();
    const allowed = client.lastRound < 0 ? next : Math.max(next, client.lastRound + rules.minSeparation);
    if (client.vector !== undefined) return prove(client, client.vector, allowed);
    if (allowed === next && client.lastBase < newest()) train(client);
  };
  /** The first round that still collects, or will. */
  const firstOpen = (): number => round.number + (round.isCollecting ? 0 : 1);
  const train = (client: Client): void => {
    client.doing = "training";
    const base = newest();
    client.lastBase = base;
    agenda.in(client.pace.trainingSeconds, async () => {
      client.doing = "nothing";
      const staleness = newest() - base;
      if (staleness > rules.maxStaleness) dropped += 1;
      else
        client.vector = {
          client: clients.indexOf(client),
          base,
          staleness,
          coordinates: await vectorOf(client.learner, base, staleness),
        };
      proceed(client);
    });
  };
  const vectorOf = async (learner: LocalLearner, base: number, staleness: number): Promise<Int32Array> => {
    const state = states[base]!;
    const terms = { baseDigest: modelDigest(state), secondsLeft: Infinity };
    return learner.quantise(await learner.update(state, BigInt(base + 1), terms), state, staleness);
  };
  const leadOf = ({ late }: Client): number => Math.max(0, late - 1);
  /** @param first round that may take it */
  const prove = (client: Client, vector: Vector, first: number): void => {
    client.doing = "proving";
    const begun = round.number;
    const isTaken = (number: number): boolean =>
      newest() + number - firstOpen() + (round.isCollecting ? 0 : 1) - vector.base <= rules.maxStaleness;
    let target = Math.max(first, begun + leadOf(client));
    while (target > first && !isTaken(target)) target -= 1;
    agenda.in(client.pace.provingSeconds, () => {
      client.doing = "nothing";
      const passed = firstOpen() - begun;
      if (target < firstOpen() && passed > 1) client.late = Math.max(client.late, passed);
      if (target >= firstOpen() && begun + leadOf(client) > firstOpen()) client.late -= 1;
      enter(client, vector, target);
    });
  };
  /** Its proof is there: it enters the round, waits for it, or has come too late. */
  const enter = (client: Client, vector: Vector, target: number): void => {
    if (target > firstOpen() || (target === firstOpen() && !round.isCollecting)) return wait(client, vector, target);
    client.provenFor = undefined;
    if (target === round.number && round.isCollecting) {
      client.vector = undefined;
      client.lastRound = target;
      round.vectors.push(vector);
      closeIfDue();
    } else {
      client.late += 1;
      provenAgain += 1;
    }
    proceed(client);
  };
  /** A round that collects as long as a proof takes may wait for this client. */
  const wait = (client: Client, vector: Vector, target: number): void => {
    client.provenFor = target;
    const { number } = round;
    const first = client.lastRound < 0 ? number : client.lastRound + rules.minSeparation;
    if (!round.isCollecting || first > number) return;
    const join = (): void => {
      if (client.doing !== "nothing" || client.vector !== vector || !round.isCollecting || round.number !== number)
        return;
      client.late = 1;
      prove(client, vector, number);
    };
    if (leadOf(client) === 0) join();
    else agenda.in(client.pace.provingSeconds, join);
  };
  const closeIfDue = (): void => {
    const isDue = agenda.now() >= round.openedAt + rules.minCollectSeconds && round.vectors.length >= rules.goal;
    if (!round.isCollecting || (!isDue && round.vectors.length < clients.length)) return;
    round.isCollecting = false;
    agenda.in(rules.committeeSeconds, finalise);
  };
  const finalise = async (): Promise<void> => {
    const base = states.at(-1)!;
    const sums = new Int32Array(base.weights.length);
    for (const { coordinates } of round.vectors) coordinates.forEach((value, i) => (sums[i] = sums[i]! + value));
    const state = nextModel(base, sums, round.vectors.length, serverStepOf(document));
    states.push(state);
    const model = {
      seconds: agenda.now(),
      number: newest(),
      staleness: round.vectors.map(({ staleness }) => staleness),
      clients: round.vectors.map(({ client }) => client),
      evaluation: await trainer.evaluate(weightsOf(document, state), test),
    };
    models.push(model);
    if (isEnough(model)) return agenda.end();
    open();
  };
  const open = (): void => {
    Object.assign(round, { number: round.number + 1, openedAt: agenda.now(), isCollecting: true, vectors: [] });
    agenda.in(rules.minCollectSeconds, closeIfDue);
    clients.forEach(proceed);
  };

  open();
  await agenda.run();
  return { models, dropped, provenAgain };
}

interface Agenda {
  readonly now: () => number;
  /** After so many seconds, and after what was put on the agenda for the same moment before. */
  readonly in: (seconds: number, what: () => void | Promise<void>) => void;
  readonly end: () => void;
  readonly run: () => Promise<void>;
}

/** What happens next, in the order of time. */
function createAgenda(): Agenda {
  let now = 0;
  let events: { readonly at: number; readonly what: () => void | Promise<void> }[] = [];
  return {
    now: () => now,
    in: (seconds, what) => {
      const at = now + seconds;
      const place = events.findIndex((event) => event.at > at);
      events.splice(place < 0 ? events.length : place, 0, { at, what });
    },
    end: () => {
      events = [];
    },
    run: async () => {
      for (let event = events.shift(); event !== undefined; event = events.shift()) {
        now = event.at;
        await event.what();
      }
    },
  };
}
