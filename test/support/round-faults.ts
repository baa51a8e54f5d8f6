/** Learners and faults for rounds: what a role of the harness can be altered to do. For tests only. */
import type { ContentStore } from "../../content/store.ts";
import type { TaskDocument } from "../../task/document.ts";
import { weightsOf } from "../../task/model-vector.ts";
import { SHARE_SUM_FILE } from "../../task/outcome.ts";
import type { MemberLoopDependencies } from "../../member/member-loop.ts";
import type { ClientLoopDependencies } from "../../client/client-loop.ts";
import type { LocalLearner } from "../../client/make-submission.ts";
import { shareFileName } from "../../protocol/bundle.ts";
import { decodeElements, encodeElements, toField } from "../../protocol/field.ts";
import { PRESETS } from "../../protocol/parameters.ts";
import { quantiseUpdate } from "../../protocol/quantise.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { stalenessScale } from "../../task/staleness.ts";
import { unguarded } from "../../demo/unguarded-prover.ts";
import type { Alter } from "./round-roles.ts";

type Files = Readonly<Record<string, Uint8Array>>;

/** Gives the same update in every round, without training: wave number `seed`. */
export function scriptedLearner(document: TaskDocument, seed: number, random: RandomBytes): LocalLearner {
  return {
    update: (base) => Promise.resolve(weightsOf(document, base).map((_, i) => 0.05 * Math.sin((i + 1) * (seed + 1)))),
    quantise: (update, _base, staleness = 0) => {
      const scale = stalenessScale(document.training.staleness, staleness);
      const scaled = update.map((value) => value * scale);
      return quantiseUpdate(PRESETS[document.preset], document.quantisation, scaled, random);
    },
  };
}

/**
 * Replaces the files of the seats by noise of the same length before the bundle is published; the hashes stay those of
 * the shares.
 */
export function garbageBundle(seats: readonly number[], random: RandomBytes): Alter<ClientLoopDependencies> {
  const spoil = (files: Files): Files =>
    Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [
        name,
        seats.some((seat) => name === shareFileName(seat)) ? random(bytes.length) : bytes,
      ]),
    );
  return (deps) => ({ ...deps, task: { ...deps.task, store: storing(deps.task.store, spoil) } });
}

/** Submits without giving its bundle to anybody. */
export const withheldBundle: Alter<ClientLoopDependencies> = (deps) => ({
  ...deps,
  replicate: () => Promise.resolve(),
  spread: () => undefined,
});

/** Dies at the first call of `submit`: the submission is in the journal, the transaction was never sent. */
export const diesBeforeSending: Alter<ClientLoopDependencies> = (deps) => ({
  ...deps,
  chain: { ...deps.chain, submit: () => Promise.reject(new Error("killed")) },
});

/** Sends every coordinate at `magnitude` steps, with the best proof that can be made for it. */
export function boosting(magnitude: number): Alter<ClientLoopDependencies> {
  return (deps) => ({
    ...deps,
    learner: {
      update: (base, round, terms) => deps.learner.update(base, round, terms),
      quantise: (update) => Int32Array.from(update, (value) => (value < 0 ? -magnitude : magnitude)),
    },
    prover: unguarded(deps.prover, () => true),
    verifyOwn: () => undefined,
  });
}

/** Releases a share sum with one element off by one. */
export const wrongRelease: Alter<MemberLoopDependencies> = (deps) => {
  const shift = (files: Files): Files => {
    const sum = files[SHARE_SUM_FILE];
    if (sum === undefined) return files;
    const elements = decodeElements(sum, sum.length / 32);
    return { [SHARE_SUM_FILE]: encodeElements(elements.map((value, i) => (i === 7 ? toField(value + 1n) : value))) };
  };
  return { ...deps, task: { ...deps.task, store: storing(deps.task.store, shift) } };
};

/** A store that changes what it is given. */
function storing(store: ContentStore, change: (files: Files) => Files): ContentStore {
  return { ...store, putDirectory: (files) => store.putDirectory(change(files)) };
}
