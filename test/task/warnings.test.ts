import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parameterCountOf, parseModel } from "../../learning/model.ts";
import { parametersOf, parseSpecification } from "../../task/create-task.ts";
import { influenceLine, influenceOf, taskWarnings } from "../../task/warnings.ts";
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
  it("is said of corrupt clients in the units of the weights", () => {
    const { document, parameters } = task("digits");
    const { corrupt, honest } = influenceOf(document, parameters);
    const step = 2 ** -document.quantisation.stepBits;
    assert.equal(corrupt, parameters.maxCorrupt * Math.sqrt(Number(parameters.normBoundSquared)) * step);
    assert.equal(honest, parameters.minHonest * document.quantisation.clipSteps * step);
    assert.ok(influenceLine(document, parameters).includes(corrupt.toPrecision(3)));
    assert.deepEqual(eventsOf({ document, parameters }), []);
  });

  it("is a warning where the corrupt outvote the honest: the norm bound leaves room for noise", () => {
    const { document, parameters } = task("digits-cohort");
    const ratio = Math.sqrt(Number(parameters.normBoundSquared)) / document.quantisation.clipSteps;
    const few = { ...parameters, maxCorrupt: Math.floor(parameters.minHonest / ratio) };
    assert.ok(!eventsOf({ document, parameters: few }).includes("influence-outvoted"));
    const more = { ...parameters, maxCorrupt: few.maxCorrupt + 1 };
    assert.ok(eventsOf({ document, parameters: more }).includes("influence-outvoted"));
  });

  it("is a warning where delta is one in the subjects or epsilon is absurd", () => {
    assert.ok(!eventsOf(task("digits-private")).includes("delta-large"));
    assert.ok(eventsOf(task("digits-private", { delta: 0.1 })).includes("delta-large"));
    assert.ok(eventsOf(task("digits-private", { noiseMultiplier: 0.5 })).includes("epsilon-large"));
  });
});
