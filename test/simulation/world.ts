/**
 * A virtual world in which roles act one at a time: whenever one of them asks something of the chain, of its peers or
 * of the content, others may act first, time may pass, blocks may be undone, the call may fail, and the role may die.
 * All of it follows from the schedule's dice, so that a seed can be tried again.
 */
import { setImmediate } from "node:timers/promises";
import { outlive } from "../../command/run.ts";
import { createRecorder } from "../support/round-recorder.ts";
import type { Recorder } from "../support/round-recorder.ts";
import type { Dice } from "./dice.ts";

export type Fault =
  | "crash before a call"
  | "crash after a call"
  | "call refused"
  | "answer lost"
  | "stale answer"
  | "call delayed"
  | "reorganisation"
  | "transaction dropped"
  | "Byzantine act";

/** What a role is made of at each start; what it keeps between starts lies in its state directory. */
export interface Script {
  readonly name: string;
  readonly honest: boolean;
  /** The role as a process just started: one look and at most one action a call. Returns whether it acted. */
  start(life: Life): Promise<() => Promise<boolean>>;
}

/** One process of a role, from its start to its death. */
export class Life {
  readonly actor: Actor;
  ended = false;
  /** Others' acts before this one's call goes on. */
  pause: Promise<void> | undefined;
  readonly death: Promise<void>;
  #die: () => void = () => undefined;

  constructor(actor: Actor) {
    this.actor = actor;
    this.death = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  /** What the role has begun and not finished, which may outlast its step. */
  #unfinished = 0;

  /** Counts work of the role until it is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#unfinished++;
    try {
      return await work;
    } finally {
      this.#unfinished--;
    }
  }

  /** Once nothing is unfinished: what goes on beside other roles' steps would take its turns by the clock. */
  async atRest(): Promise<void> {
    do await calm();
    while (this.#unfinished > 0 && !this.ended);
  }

  end(): void {
    this.ended = true;
    this.#die();
  }
}

export class Actor {
  readonly script: Script;
  readonly reporter: Recorder = createRecorder();
  life: Life | undefined;
  /** Down until then, in Unix seconds. */
  downUntil = 0;
  busy = false;
  /** What ended it for good. */
  failure: unknown;
  step: (() => Promise<boolean>) | undefined;

  constructor(script: Script) {
    this.script = script;
  }
}

/** One call across a role's edge. */
export interface Call<T> {
  readonly act: () => Promise<T>;
  /** As the real edge fails; absent where nothing can. */
  readonly failure?: () => Error;
  /** An answer of the past. */
  readonly stale?: () => Promise<T>;
  /** Nobody acts before it: it is one of many like it. */
  readonly isOneOfMany?: boolean;
}

/** What the world does besides letting roles act. */
export interface Nature {
  /** Lets seconds pass. */
  pass(seconds: number): void;
  now(): number;
  /** Undoes blocks. */
  reorganise(): void;
}

/** One call in so many is disturbed. */
const CALLS_PER_FAULT = 40;

/** Turns of the event loop in which whatever goes on beside comes to rest: nothing waits for the machine. */
const CALM_TURNS = 3;

async function calm(): Promise<void> {
  for (let turn = 0; turn < CALM_TURNS; turn++) await setImmediate();
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export class World {
  readonly dice: Dice;
  readonly faults = new Map<Fault, number>();
  readonly actors: Actor[] = [];
  /** While false nothing fails. */
  hostile = true;
  /** While false nobody acts within another's step. */
  interleaves = true;
  readonly #nature: Nature;
  /** Virtual seconds of each fault, until a round ends after it. */
  readonly #open: number[] = [];
  readonly recoverySeconds: number[] = [];

  constructor(dice: Dice, nature: Nature) {
    this.dice = dice;
    this.#nature = nature;
  }

  add(script: Script): Actor {
    const actor = new Actor(script);
    this.actors.push(actor);
    return actor;
  }

  count(fault: Fault): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1);
    this.#open.push(this.#nature.now());
  }

  /** A round became final: what went wrong before is overcome. */
  recovered(): void {
    for (const since of this.#open.splice(0)) this.recoverySeconds.push(this.#nature.now() - since);
  }

  /** One event: mostly a role's step. Returns whether anybody acted. */
  async event(): Promise<boolean> {
    const roll = this.dice.below(100);
    if (roll < 12) this.#nature.pass(this.dice.between(1, 15));
    else if (roll === 99 && this.hostile) this.#nature.reorganise();
    else return this.#stepSomebody();
    return false;
  }

  async #stepSomebody(): Promise<boolean> {
    const ready = this.actors.filter(
      (actor) =>
        !actor.busy &&
        actor.life?.pause === undefined &&
        actor.failure === undefined &&
        actor.downUntil <= this.#nature.now(),
    );
    return ready.length === 0 ? false : this.stepOf(this.dice.pick(ready));
  }

  /** One step of a role, started anew if it is down. Returns whether it acted. */
  async stepOf(actor: Actor): Promise<boolean> {
    actor.busy = true;
    try {
      const life = (actor.life ??= new Life(actor));
      const step = actor.step ?? (await Promise.race([actor.script.start(life), life.death]));
      if (step === undefined || life.ended) return false;
      actor.step = step;
      const acted = await Promise.race([outlive(step, actor.reporter), life.death]).finally(() => life.atRest());
      return acted === true;
    } catch (error) {
      if (actor.script.honest) actor.failure = error;
      return false;
    } finally {
      actor.busy = false;
    }
  }

  /** Kills a role; it starts again after a while. */
  kill(life: Life): void {
    life.end();
    life.actor.life = undefined;
    life.actor.step = undefined;
    life.actor.downUntil = this.#nature.now() + (this.hostile ? this.dice.between(0, 90) : 0);
  }

  /** A call by a role: others act before it, and it may fail. */
  call<T>(life: Life, call: Call<T>): Promise<T> {
    return life.during(this.#disturbed(life, call));
  }

  async #disturbed<T>(life: Life, { act, failure, stale, isOneOfMany = false }: Call<T>): Promise<T> {
    if (life.ended) return never();
    if (life.pause === undefined && this.interleaves && !isOneOfMany && this.dice.oneIn(6)) {
      life.pause = this.#others().finally(() => {
        life.pause = undefined;
      });
    }
    if (life.pause !== undefined) await life.pause;
    if (life.ended) return never();
    if (!this.hostile || !this.dice.oneIn(CALLS_PER_FAULT)) return act();
    return this.#fail(life, act, failure, stale);
  }

  async #others(): Promise<void> {
    // What this role does besides must not fall into the others' acts by the clock.
    await calm();
    for (let left = this.dice.between(1, 4); left > 0; left--) await this.event();
  }

  async #fail<T>(
    life: Life,
    act: () => Promise<T>,
    failure: (() => Error) | undefined,
    stale: (() => Promise<T>) | undefined,
  ): Promise<T> {
    const roll = this.dice.below(10);
    if (roll < 2) {
      this.count("crash before a call");
      this.kill(life);
      return never();
    }
    if (roll < 4) {
      this.count("crash after a call");
      await act().catch(() => undefined);
      this.kill(life);
      return never();
    }
    if (roll < 6 && stale !== undefined) {
      this.count("stale answer");
      return stale();
    }
    if (roll < 7 || failure === undefined) {
      this.count("call delayed");
      this.#nature.pass(this.dice.between(1, 60));
      return act();
    }
    if (roll < 8) {
      this.count("answer lost");
      await act().catch(() => undefined);
      throw failure();
    }
    this.count("call refused");
    throw failure();
  }
}
