import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parameterCountOf, parseModel } from "../../learning/model.ts";
import { parametersOf, parseSpecification } from "../../task/create-task.ts";
import { cohortLine, influenceLine, influenceOf, taskWarnings } from "../../task/warnings.ts";
import { word } from "../support/random.ts";

const DIGESTS = { taskCid: word("a"), genesisCid: word("b"), genesisDigest: word("c"), keysHash: word("d") };

/** A task of this repository, as an operator may have changed it. */
function task(name: string, privacy: object = {}, clients: object = {}) {
  const json = JSON.parse(readFileSync(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")) as {
    readonly clients: object;
    readonly document: { readonly training: { readonly privacy?: object } };
  };
  const { training } = json.document;
  const changed = training.privacy === undefined ? {} : { privacy: { ...training.privacy, ...privacy } };
  const specification = parseSpecification({
    ...json,
    clients: { ...json.clients, ...clients },
    document: { ...json.document, training: { ...training, ...changed } },
  });
  const { document } = specification;
  return { document, parameters: parametersOf(specification, parameterCountOf(parseModel(document.model)), DIGESTS) };
}

const eventsOf = ({ document, parameters }: ReturnType<typeof task>): string[] =>
  taskWarnings(document, parameters).map(({ event }) => event);

describe("what a task allows", () => {
  it("is said of corrupt clients in the units of the weights, as computed by hand", () => {
    // B² = 1536² + ⌈2410/4⌉ + 2·1536 + ⌈√2410⌉ steps²; a step is 2^−7; one corrupt client, two honest ones.
    const digits = task("digits");
    assert.equal(digits.parameters.normBoundSquared, 2_359_296n + 603n + 3_072n + 50n);
    const { corrupt, honest, outvoted } = influenceOf(digits.document, digits.parameters);
    assert.ok(Math.abs(corrupt - 12.00947) < 1e-5, `${corrupt}`);
    assert.deepEqual([honest, outvoted], [(2 * 1536) / 128, false]);
    assert.equal(
      influenceLine(digits.document, digits.parameters),
      "1 corrupt client can move a round's sum by 12.0 in units of the weights, against 24.0 of 2 honest ones who all pull one way",
    );
    assert.deepEqual(eventsOf(digits), []);
    // With f = 10 and B = 4165.01 steps of 2^−9, against 80 of 384 steps.
    const cohort = task("digits-cohort");
    const bounded = { ...cohort.parameters, normBoundSquared: 17_347_326n };
    const influence = influenceOf(cohort.document, bounded);
    assert.ok(Math.abs(influence.corrupt - 81.34789) < 1e-5, `${influence.corrupt}`);
    assert.deepEqual([influence.honest, influence.outvoted], [60, true]);
  });

  it("is a warning where the corrupt outvote the honest: the norm bound leaves room for noise", () => {
    const { document, parameters } = task("digits-cohort");
    const ratio = Math.sqrt(Number(parameters.normBoundSquared)) / document.quantisation.clipSteps;
    const few = { ...parameters, maxCorrupt: Math.floor(parameters.minHonest / ratio) };
    assert.ok(!eventsOf({ document, parameters: few }).includes("influence-outvoted"));
    const more = { ...parameters, maxCorrupt: few.maxCorrupt + 1 };
    assert.ok(eventsOf({ document, parameters: more }).includes("influence-outvoted"));
  });

  it("is a warning where clients are used up before the rounds are, and names the separation that lasts", () => {
    const { document, parameters } = task("digits-turns");
    const warned = (change: object): string | undefined =>
      taskWarnings(document, { ...parameters, ...change }).find(({ event }) => event === "participation-short")?.text;
    assert.equal(warned({}), undefined);
    assert.equal(warned({ maxRoundsPerClient: 0 }), undefined);
    assert.match(warned({ minSeparation: 3 })!, /used up after 15 rounds\. With rounds\.minSeparation of 4,/);
    const barrier = warned({ bufferGoal: 0, minSeparation: 1 })!;
    assert.match(barrier, /used up after 5 rounds\. Only rounds that close at a goal/);
  });

  it("is said of the clients of a round", () => {
    assert.match(cohortLine(task("digits").parameters), /waits for every registered client/);
    assert.equal(
      cohortLine(task("digits-turns").parameters),
      "a round closes at 100 submissions, and takes each client in at most one of any 4 successive rounds: rounds open from 400 registered clients on",
    );
  });

  it("is a warning where the threshold is too large to try every set of releases that may be wrong", () => {
    const { document, parameters } = task("digits");
    const warned = (threshold: number): boolean =>
      eventsOf({ document, parameters: { ...parameters, threshold } }).includes("threshold-large");
    assert.deepEqual([warned(7), warned(8)], [false, true]);
  });

  it("is a warning where delta is one in the subjects or epsilon is absurd", () => {
    assert.ok(!eventsOf(task("digits-private")).includes("delta-large"));
    assert.ok(eventsOf(task("digits-private", { delta: 0.1 })).includes("delta-large"));
    assert.ok(eventsOf(task("digits-private", { noiseMultiplier: 0.5 })).includes("epsilon-large"));
  });
});
