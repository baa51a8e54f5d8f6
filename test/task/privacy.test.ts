import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parseSpecification } from "../../task/create-task.ts";
import type { TaskSpecification } from "../../task/create-task.ts";
import { normBoundOf, updateEncoder } from "../../task/encoding.ts";
import { clientLevel, clientNoiseBounds } from "../../task/mechanisms/client-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import { assertEpsilonBounded, assertUsefulCohort, privacyStatement } from "../../task/privacy.ts";
import { normSquared } from "../../protocol/packing.ts";
import { normBoundSquared } from "../../protocol/quantise.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { throwsCode } from "../support/errors.ts";
import { seededRandom } from "../support/random.ts";

const DIMENSION = 650;

function task(name: string): Record<string, unknown> & {
  document: { training: Record<string, unknown>; quantisation: Record<string, unknown> };
} {
  return JSON.parse(readFileSync(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")) as ReturnType<
    typeof task
  >;
}

/** The linear digits, protecting clients; their noise follows from the target. */
function clientCohort(epsilon: number, clients = 100, rounds = 20): TaskSpecification {
  const json = task("digits-private");
  return parseSpecification({
    ...json,
    document: {
      ...json.document,
      training: {
        learningRate: 0.5,
        momentum: 0,
        batchSize: 14,
        localEpochs: 5,
        privacy: { unit: "client", delta: 1e-5 },
      },
      quantisation: { stepBits: 9, clipSteps: 512 },
    },
    clients: { min: clients, minHonest: clients, maxCorrupt: 0, openRegistration: false },
    maxRounds: rounds,
    privacyTarget: { epsilon },
  });
}

/** Of each client's noise, in steps². */
const varianceOf = ({ document }: Pick<TaskSpecification, "document">): number =>
  settingsOf(clientLevel, document.training.privacy)!.noiseVariance;

const parametersOf = ({
  clients,
  maxRounds,
}: TaskSpecification): Pick<
  TaskParameters,
  "dimension" | "minHonest" | "minClients" | "privacyBudget" | "maxRoundsPerClient"
> => ({
  dimension: DIMENSION,
  minHonest: clients.minHonest,
  minClients: clients.min,
  privacyBudget: BigInt(maxRounds),
  maxRoundsPerClient: clients.maxRoundsPerClient,
});

describe("a task's privacy", () => {
  it("chooses the least client noise that keeps all rounds within the target", () => {
    const specification = clientCohort(8);
    const { privacy } = specification.document.training;
    const noiseVariance = varianceOf(specification);
    const after = privacyStatement({ document: specification.document, parameters: parametersOf(specification) }, 20)!;
    assert.ok(after.epsilon <= 8 && after.epsilon > 7.9, `${after.epsilon}`);
    assert.equal(after.budget.remainingRounds, 0);
    const less = {
      ...specification.document,
      training: {
        ...specification.document.training,
        privacy: { ...settingsOf(clientLevel, privacy)!, noiseVariance: noiseVariance - 1 },
      },
    };
    assert.ok(privacyStatement({ document: less, parameters: parametersOf(specification) }, 20)!.epsilon > 8);
  });

  it("chooses half the noise where one client is counted in a quarter of the rounds, and states epsilon of these", () => {
    const json = task("digits-cohort") as ReturnType<typeof task> & { clients: object };
    const [all, limited] = [{}, { maxRoundsPerClient: 5 }].map((limit) =>
      parseSpecification({ ...json, clients: { ...json.clients, ...limit } }),
    );
    const ratio = Math.sqrt(varianceOf(limited!) / varianceOf(all!));
    assert.ok(Math.abs(ratio - 0.5) < 0.01, `${ratio}`);
    const stated = privacyStatement({ document: limited!.document, parameters: parametersOf(limited!) }, 20)!;
    assert.ok(stated.epsilon <= 8 && stated.epsilon > 7.9, `${stated.epsilon}`);
    assert.deepEqual(stated.budget, { epsilon: stated.epsilon, rounds: 20, remainingRounds: 0, roundsPerClient: 5 });
    const unlimited = { ...parametersOf(limited!), maxRoundsPerClient: 0 };
    assert.ok(privacyStatement({ document: limited!.document, parameters: unlimited }, 20)!.epsilon > 12);
  });

  it("chooses the noise of single records' protection for all rounds", () => {
    const json = task("digits-private");
    const { noiseMultiplier: _, ...privacy } = json.document.training["privacy"] as Record<string, unknown>;
    const specification = parseSpecification(
      { ...json, document: { ...json.document, training: { ...json.document.training, privacy } } },
      { epsilon: 3, delta: 1e-6 },
    );
    const after = privacyStatement(
      { document: specification.document, parameters: parametersOf(specification) },
      specification.maxRounds,
    )!;
    assert.equal(after.delta, 1e-6);
    assert.ok(after.epsilon <= 3.0001 && after.epsilon > 2.95, `${after.epsilon}`);
  });

  it("refuses noise so small that no epsilon can be stated: a checkpoint could not say it", () => {
    const json = task("digits-private");
    const withMultiplier = (noiseMultiplier: number): Parameters<typeof assertEpsilonBounded>[0] => {
      const privacy = { ...(json.document.training["privacy"] as Record<string, unknown>), noiseMultiplier };
      const specification = parseSpecification({
        ...json,
        document: { ...json.document, training: { ...json.document.training, privacy } },
      });
      return { document: specification.document, parameters: parametersOf(specification) };
    };
    assert.doesNotThrow(() => assertEpsilonBounded(withMultiplier(1)));
    for (const noiseMultiplier of [0.3, 0.1])
      throwsCode(() => assertEpsilonBounded(withMultiplier(noiseMultiplier)), "PRIVACY_PARAMETERS_INVALID");
  });

  it("spends more with every round, and says what remains", () => {
    const specification = clientCohort(8);
    const statements = [0, 1, 10, 20].map((rounds) =>
      privacyStatement({ document: specification.document, parameters: parametersOf(specification) }, rounds)!,
    );
    assert.deepEqual(
      statements.map(({ budget }) => budget.remainingRounds),
      [20, 19, 10, 0],
    );
    assert.equal(statements[0]!.epsilon, 0);
    for (let i = 1; i < statements.length; i++) assert.ok(statements[i]!.epsilon > statements[i - 1]!.epsilon);
    assert.ok(statements.every(({ budget }) => budget.epsilon === statements[3]!.epsilon));
  });

  it("needs more noise of each client the fewer are honest", () => {
    const variance = (clients: number): number => varianceOf(clientCohort(8, clients));
    assert.ok(variance(50) > 1.9 * variance(100) && variance(50) < 2.1 * variance(100));
  });

  it("refuses a cohort that its noise would drown, and names one that would do", () => {
    const small = clientCohort(8, 10);
    let needed = 0;
    assert.throws(
      () => assertUsefulCohort({ document: small.document, parameters: parametersOf(small) }, 20),
      (error: { code: string; details: { needed: number } }) => {
        needed = error.details.needed;
        return error.code === "PRIVACY_COHORT_TOO_SMALL";
      },
    );
    assert.ok(needed > 10 && needed < 100, `${needed}`);
    const enough = clientCohort(8, needed);
    assert.doesNotThrow(() => assertUsefulCohort({ document: enough.document, parameters: parametersOf(enough) }, 20));
  });

  it("asks for more clients where a vote needs most of the noise: it is no part of what training has of an update", () => {
    const json = task("digits-cohort");
    const needed = (voteSteps: number): number => {
      const adaptive = {
        quantile: { numerator: 1, denominatorBits: 1 },
        octavesPerRound: { numerator: 1, denominatorBits: 0 },
        maxOctaves: 4,
        voteSteps,
      };
      const { document } = parseSpecification({
        ...json,
        document: { ...json.document, quantisation: { stepBits: 9, clipSteps: 200, adaptive } },
      });
      try {
        assertUsefulCohort({ document, parameters: { dimension: DIMENSION + 1, minHonest: 80, minClients: 1 } }, 20);
      } catch (error) {
        return (error as { details: { needed: number } }).details.needed;
      }
      return 1;
    };
    assert.ok(needed(600) > 3 * needed(1), `${needed(600)} and ${needed(1)} clients`);
  });

  it("refuses a unit with neither noise nor a target", () => {
    const json = task("digits-cohort");
    throwsCode(() => parseSpecification({ ...json, privacyTarget: undefined }), "PRIVACY_PARAMETERS_INVALID");
  });

  it("refuses a target without a unit, and noise that does not fit the coordinates", () => {
    throwsCode(() => parseSpecification(task("digits"), { epsilon: 3 }), "PRIVACY_PARAMETERS_INVALID");
    throwsCode(() => parseSpecification(task("digits"), { delta: 1e-6 }), "PRIVACY_PARAMETERS_INVALID");
    const { document } = clientCohort(8);
    throwsCode(() => clientNoiseBounds({ ...document, dimension: DIMENSION }, 200 ** 2), "PRIVACY_PARAMETERS_INVALID");
  });

  it("encodes within the bound that the contract gets, with the noise on every coordinate", () => {
    const { document } = clientCohort(8);
    const bound = normBoundOf(document, DIMENSION);
    const random = seededRandom("client-level encoding");
    let squares = 0;
    for (let run = 0; run < 50; run++) {
      const encoded = updateEncoder(document, DIMENSION, random)(new Float32Array(DIMENSION), 1);
      assert.ok(BigInt(normSquared(encoded)) <= bound);
      squares += normSquared(encoded) / (50 * DIMENSION);
    }
    assert.ok(Math.abs(squares / varianceOf({ document }) - 1) < 0.05, `${squares}`);
    assert.ok(bound > normBoundSquared(document.quantisation, DIMENSION));
  });

  it("counts a client's vote on the clip norm in the sensitivity, and refuses one that a coordinate cannot hold", () => {
    const json = task("digits-cohort");
    const withVote = (voteSteps: number): TaskSpecification =>
      parseSpecification({
        ...json,
        document: {
          ...json.document,
          quantisation: {
            ...json.document.quantisation,
            adaptive: {
              quantile: { numerator: 1, denominatorBits: 1 },
              octavesPerRound: { numerator: 1, denominatorBits: 0 },
              maxOctaves: 4,
              voteSteps,
            },
          },
        },
      });
    const [without, small, large] = [parseSpecification(json), withVote(77), withVote(384)].map(varianceOf);
    // A vote of a fifth of the clip norm lengthens the vector by 1/25 in the square; one as long as it doubles the
    // square.
    assert.ok(small! / without! > 1.035 && small! / without! < 1.045, `${small! / without!}`);
    assert.ok(large! / without! > 1.95 && large! / without! < 2.02, `${large! / without!}`);
    const { document } = withVote(77);
    const over = {
      ...document,
      quantisation: { ...document.quantisation, adaptive: { ...document.quantisation.adaptive!, voteSteps: 1500 } },
    };
    throwsCode(() => normBoundOf(over, DIMENSION + 1), "PARAMETERS_INVALID");
    throwsCode(
      () =>
        normBoundOf(
          {
            ...over,
            training: { ...document.training, privacy: undefined },
            quantisation: { ...over.quantisation, adaptive: { ...over.quantisation.adaptive, voteSteps: 2048 } },
          },
          DIMENSION + 1,
        ),
      "PARAMETERS_INVALID",
    );
  });
});
