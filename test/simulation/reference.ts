/**
 * What must hold however the roles were disturbed, judged from outside: by the vectors that clients committed to, and
 * by what crossed the edges.
 */
import { recordsOf } from "../../chain/round-records.ts";
import type { ReleaseStatement, RoundRecords } from "../../chain/task-chain.ts";
import { cidFromDigest } from "../../content/cid.ts";
import { bitCount } from "../../protocol/committee.ts";
import { decodeElements } from "../../protocol/field.ts";
import { unpackSum } from "../../protocol/packing.ts";
import type { Hex } from "../../protocol/transcript.ts";
import { AGGREGATE_FILE } from "../../task/outcome.ts";
import { includedRecords } from "../../task/round-records.ts";
import type { Secrets } from "./prover.ts";
import type { Scene } from "./scene.ts";

/** A promise that was broken; none ever may be. */
export interface Violation {
  readonly kind: "wrong aggregate" | "privacy rule broken" | "honest party blamed" | "role dead" | "no progress";
  readonly detail: string;
}

/** What an honest client's submission is for. */
export interface Challenge {
  readonly client: string;
  readonly round: bigint;
  /** Its base model's digest. */
  readonly base: Hex;
}

export class Reference {
  readonly violations: Violation[] = [];
  readonly secrets: Secrets = new Map();
  /** In sums whose results were mined: updates of models that were not the latest when their round opened. */
  staleUpdates = 0;
  readonly #scene: Scene;
  readonly #honestSeats: ReadonlySet<number>;
  /** By seat and round: what was released, and over which submissions. */
  readonly #released = new Map<string, string>();
  /** By client and vector: the round whose sum has it. */
  readonly #summed = new Map<string, bigint>();
  /** By client, round and base: the D of what left the machine. */
  readonly #submitted = new Map<string, bigint>();
  /** By client and base: the vector that was shared last, as text, and the D and rounds of what it was shared in. */
  readonly #shared = new Map<
    string,
    { readonly vector: string; readonly ds: readonly bigint[]; readonly rounds: ReadonlySet<bigint> }
  >();
  /** The D of what a settlement counted, also one that was undone. */
  readonly #counted = new Set<bigint>();

  constructor(scene: Scene, honestSeats: ReadonlySet<number>) {
    this.#scene = scene;
    this.#honestSeats = honestSeats;
  }

  break(kind: Violation["kind"], detail: string): void {
    this.violations.push({ kind, detail });
  }

  /**
   * An honest client gives a submission away: one for a round and a base, ever; of one base the same vector until a
   * settlement counts it; and that only once final blocks say that no other round will count it.
   */
  submits({ client, round, base }: Challenge, d: bigint): void {
    const challenge = `${client}, round ${round}, base ${base}`;
    const before = this.#submitted.get(challenge);
    this.#submitted.set(challenge, d);
    if (before !== undefined && before !== d)
      this.break("privacy rule broken", `${challenge}: two different submissions left the client`);
    const vector = this.secrets.get(d)!.join();
    const last = this.#shared.get(`${client} ${base}`);
    const isSame = last?.vector === vector;
    if (last !== undefined && !isSame && !last.ds.some((shared) => this.#counted.has(shared)))
      this.break(
        "privacy rule broken",
        `${challenge}: a second vector of the base, and no settlement counts the first`,
      );
    const rounds = isSame ? last.rounds : new Set<bigint>();
    const undecided = [...rounds].find((other) => other !== round && !this.#isDecided(other));
    if (undecided !== undefined)
      this.break("privacy rule broken", `${challenge}: round ${undecided} may still count its vector, by final blocks`);
    this.#shared.set(`${client} ${base}`, {
      vector,
      ds: isSame ? [...last.ds, d] : [d],
      rounds: new Set([...rounds, round]),
    });
  }

  /** A final block settled the round, ended it, or opened a later one. */
  #isDecided(round: bigint): boolean {
    const final = this.#scene.chain.blockNumber - this.#scene.shape.confirmations;
    return this.#scene.chain.contractAt(this.#scene.contract).logs.some(({ name, args, blockNumber }) => {
      if (blockNumber > final) return false;
      if (name === "RoundOpened") return args.round > round;
      return (name === "Settled" || name === "Finalised" || name === "Aborted") && args.round === round;
    });
  }

  /** A call to settle was mined; one that leaves too few clients ends the round without a settlement. */
  settles(round: bigint): void {
    const records = this.#records(round);
    const { settled } = records;
    if (settled === undefined) return;
    for (const { submission } of includedRecords(records, settled)) this.#counted.add(submission.chunks[0]!.d.x);
  }

  /** A member signed a release: from now on anybody may have it. */
  releases({ seat, round, settlement, releaseCid }: ReleaseStatement): void {
    if (!this.#honestSeats.has(seat)) return;
    const records = this.#records(round);
    const { settled } = records;
    const { minClients } = this.#scene.parameters;
    if (settled?.settlement !== settlement)
      return this.break("privacy rule broken", `seat ${seat} released for no settlement of round ${round}`);
    if (bitCount(settled.included) < minClients)
      this.break("privacy rule broken", `seat ${seat} released a sum of too few in round ${round}`);
    if (settled.blockNumber > this.#scene.chain.blockNumber - this.#scene.shape.confirmations)
      this.break("privacy rule broken", `seat ${seat} released round ${round} before its settlement was final`);
    const included = includedRecords(records, settled);
    for (const { client, submission } of included) {
      const vector = `${client} ${this.secrets.get(submission.chunks[0]!.d.x)!.join()}`;
      const other = this.#summed.get(vector) ?? round;
      this.#summed.set(vector, round);
      if (other !== round)
        this.break(
          "privacy rule broken",
          `seat ${seat} released round ${round}: a vector of ${client} is in round ${other}, too`,
        );
    }
    const summands = included.map(({ submission }) => submission.sharesCid);
    const released = `${releaseCid} of ${summands.sort().join()}`;
    const key = `${seat} ${round}`;
    const before = this.#released.get(key);
    this.#released.set(key, released);
    if (before !== undefined && before !== released)
      this.break("privacy rule broken", `seat ${seat} released two sums in round ${round}: ${before}; ${released}`);
  }

  /** A result was mined: it is Σ w·x over the settled clients, coordinate by coordinate. */
  finalises(round: bigint): void {
    const records = this.#records(round);
    const { opened, settled, finalised } = records;
    if (opened === undefined || settled === undefined || finalised === undefined)
      return this.break("wrong aggregate", `round ${round} has no records`);
    const file = this.#scene.content.everywhere(cidFromDigest(finalised.result.aggregateCid))?.[AGGREGATE_FILE];
    if (file === undefined) return this.break("wrong aggregate", `round ${round}: nobody holds the aggregate`);
    const { layout, parameters } = this.#scene;
    const sums = unpackSum(layout, decodeElements(file, layout.elementCount));
    const expected = new Int32Array(parameters.dimension);
    for (const { weight, submission } of includedRecords(records, settled)) {
      const vector = this.secrets.get(submission.chunks[0]!.d.x);
      vector?.forEach((value, i) => (expected[i]! += weight * value));
      if (submission.base < opened.baseModel) this.staleUpdates++;
    }
    if (expected.join() !== sums.join())
      this.break("wrong aggregate", `round ${round}: the sum is not that of its clients`);
  }

  #records(round: bigint): RoundRecords {
    return recordsOf(this.#scene.chain.contractAt(this.#scene.contract).logs, round);
  }
}
