import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parseSpecification } from "../../task/create-task.ts";
import { exampleLevel } from "../../task/mechanisms/example-level.ts";
import { settingsOf } from "../../task/mechanisms/mechanism.ts";
import { adaptiveClipLine, plannedPrivacyLine, privacyLine, privacySummary } from "../../task/privacy-summary.ts";
import { privacyStatement } from "../../task/privacy.ts";
import type { PrivateTask } from "../../task/privacy.ts";
import { pldEpsilon } from "../../protocol/privacy/pld-accountant.ts";

/** A task of this repository, with its first line of privacy changed. */
function task(name: string, changes: Readonly<Record<string, unknown>> = {}): PrivateTask {
  const json = JSON.parse(readFileSync(new URL(`../../tasks/${name}.json`, import.meta.url), "utf8")) as {
    document: { training: { privacy?: object } };
  };
  const { training } = json.document;
  const privacy = training.privacy === undefined ? {} : { privacy: { ...training.privacy, ...changes } };
  const { document, clients, maxRounds } = parseSpecification({
    ...json,
    document: { ...json.document, training: { ...training, ...privacy } },
  });
  const { minHonest, maxRoundsPerClient } = clients;
  return { document, parameters: { dimension: 650, minHonest, maxRoundsPerClient, privacyBudget: BigInt(maxRounds) } };
}

describe("a summary of what is spent", () => {
  it("has the tighter epsilon beside the stated one where records are protected, never below what the tighter accountant finds", () => {
    const records = task("digits-private");
    const privacy = settingsOf(exampleLevel, records.document.training.privacy)!;
    for (const rounds of [1, Number(records.parameters.privacyBudget)]) {
      const { epsilon } = privacySummary(records, rounds)!;
      assert.equal(epsilon.rdp.spent, privacyStatement(records, rounds)!.epsilon);
      const { noiseMultiplier, samplingRate, stepsPerRound, delta } = privacy;
      const found = pldEpsilon({ noiseMultiplier, samplingRate, steps: stepsPerRound * rounds }, delta).epsilon;
      assert.ok(epsilon.pld!.spent >= found && epsilon.pld!.spent < found + 2e-4, `${found}`);
      assert.ok(epsilon.pld!.spent < epsilon.rdp.spent && epsilon.pld!.budget < epsilon.rdp.budget);
    }
  });

  it("starts at nothing", () => {
    const { epsilon, remainingRounds, rounds } = privacySummary(task("digits-private"), 0)!;
    assert.deepEqual([epsilon.rdp.spent, epsilon.pld!.spent, remainingRounds], [0, 0, rounds]);
  });

  it("has the stated one alone where clients are protected, and where the tighter accountant has no answer", () => {
    for (const one of [task("digits-cohort"), task("digits-private", { delta: 1e-14 })]) {
      const summary = privacySummary(one, 3)!;
      assert.equal(summary.epsilon.pld, undefined);
      assert.doesNotMatch(privacyLine(summary), /pld/);
    }
    assert.equal(privacySummary(task("digits"), 3), null);
  });

  it("counts the rounds that can count one client, by both accountants, where the task limits them", () => {
    const all = task("digits-private");
    const limited = { ...all, parameters: { ...all.parameters, maxRoundsPerClient: 2 } };
    const [one, two, three] = [1, 2, 3].map((rounds) => privacySummary(limited, rounds)!);
    assert.deepEqual(one!.epsilon.rdp.spent, privacySummary(all, 1)!.epsilon.rdp.spent);
    for (const summary of [two!, three!]) {
      const { epsilon, roundsPerClient } = summary;
      const whole = privacySummary(all, 2)!.epsilon;
      const spent = [epsilon.rdp.spent, epsilon.pld!.spent];
      assert.deepEqual([...spent, roundsPerClient], [whole.rdp.spent, whole.pld!.spent, 2]);
      assert.deepEqual(epsilon.rdp.spent, epsilon.rdp.budget);
    }
    assert.equal(three!.remainingRounds, three!.rounds - 3, "the task goes on for those that are not used up");
    assert.match(privacyLine(three!), /rounds remain, of which 2 at most count one client$/);
    assert.match(plannedPrivacyLine(three!), /rounds, of which 2 at most count its client$/);
    const loose = { ...all, parameters: { ...all.parameters, maxRoundsPerClient: 10_000 } };
    assert.deepEqual(privacySummary(loose, 3), privacySummary(all, 3));
  });

  it("fits into a line, of what is spent and of what is planned", () => {
    const summary = privacySummary(task("digits-private"), 1)!;
    const { rdp, pld } = summary.epsilon;
    assert.equal(
      privacyLine(summary),
      `epsilon ${rdp.spent} of ${rdp.budget} at delta 0.00001 (rdp; ${pld!.spent} of ${pld!.budget} by the tighter pld); ${summary.rounds - 1} of ${summary.rounds} rounds remain`,
    );
    assert.equal(
      plannedPrivacyLine(summary),
      `each record has epsilon ${rdp.budget} at delta 0.00001 (rdp; ${pld!.budget} by the tighter pld) after all ${summary.rounds} rounds`,
    );
  });
});

describe("what is said of an adaptive clip norm", () => {
  const { document } = task("digits-cohort");
  const parameters = { normBoundSquared: 4096n ** 2n, minHonest: 80, maxCorrupt: 10 };
  const withVotes = (voteSteps: number): string | null =>
    adaptiveClipLine(
      {
        ...document,
        quantisation: {
          ...document.quantisation,
          adaptive: {
            quantile: { numerator: 1, denominatorBits: 1 },
            octavesPerRound: { numerator: 1, denominatorBits: 0 },
            maxOctaves: 4,
            voteSteps,
          },
        },
      },
      parameters,
    );

  it("is nothing without one", () => {
    assert.equal(adaptiveClipLine(document, parameters), null);
  });

  it("is how many clients' votes a corrupt one has, and whether those that are planned for outvote the honest", () => {
    assert.match(withVotes(128)!, /counts as 16\.0 clients': 10 outvote 80 honest ones .* 4 octaves/);
    assert.match(withVotes(512)!, /counts as 4\.0 clients'$/);
  });
});
