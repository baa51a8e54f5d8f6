import { describe, it } from "mocha";
import { assertBudgetLeft } from "../../client/privacy-ledger.ts";
import { word } from "../support/random.ts";
import { rejectsCode } from "../support/errors.ts";

/** A client that submitted in these rounds, by their bases, with vectors of bases from a round on. */
function client(
  rounds: readonly (readonly [round: number, base: number])[],
  vectors: readonly (readonly [base: number, firstRound: number])[],
  privacyBudget: bigint,
  maxRoundsPerClient = 0,
): Parameters<typeof assertBudgetLeft>[0] {
  const digest = (base: number): `0x${string}` => word(`model ${base}`);
  return {
    task: { parameters: { privacyBudget, privacyCostPerRound: 1n, maxRoundsPerClient } },
    journal: {
      submissions: () =>
        Promise.resolve(rounds.map(([round, base]) => ({ round: BigInt(round), baseModelDigest: digest(base) }))),
      vectors: () =>
        Promise.resolve(
          vectors.map(([base, firstRound]) => ({
            ...{ base: BigInt(base), firstRound: BigInt(firstRound) },
            baseModelDigest: digest(base),
          })),
        ),
    },
  };
}

const ONE_EACH = [
  [0, 1],
  [1, 2],
] as const;

describe("a client's privacy ledger", () => {
  it("lets a task without a budget and a client within it go on", async () => {
    const rounds = [
      [1, 0],
      [2, 1],
    ] as const;
    await assertBudgetLeft(client(rounds, ONE_EACH, 0n));
    await assertBudgetLeft(client(rounds, ONE_EACH, 3n));
    await rejectsCode(assertBudgetLeft(client(rounds, ONE_EACH, 2n)), "PRIVACY_BUDGET_SPENT");
  });

  it("is of the rounds that can count one client, where these are fewer", async () => {
    await assertBudgetLeft(client([[1, 0]], [[0, 1]], 9n, 2));
    await rejectsCode(assertBudgetLeft(client([[1, 0]], [[0, 1]], 9n, 1)), "PRIVACY_BUDGET_SPENT");
    await rejectsCode(assertBudgetLeft(client([[1, 0]], [[0, 1]], 1n, 2)), "PRIVACY_BUDGET_SPENT");
  });

  it("counts a vector once, in however many rounds without a result it was shared", async () => {
    const rounds = Array.from({ length: 1000 }, (_, i) => [i + 1, 0] as const);
    await assertBudgetLeft(client(rounds, [[0, 1]], 2n));
    await rejectsCode(assertBudgetLeft(client(rounds, [[0, 1]], 1n)), "PRIVACY_BUDGET_SPENT");
  });

  it("counts the vector that took another one's place by itself, and nothing that was not shared", async () => {
    const both = [
      [0, 1],
      [0, 3],
    ] as const;
    const shared = [
      [1, 0],
      [2, 0],
      [3, 0],
    ] as const;
    await assertBudgetLeft(client(shared, both, 3n));
    await rejectsCode(assertBudgetLeft(client(shared, both, 2n)), "PRIVACY_BUDGET_SPENT");
    await assertBudgetLeft(client(shared.slice(0, 2), both, 2n));
  });

  it("counts a submission whose vector is not known as one of its own", async () => {
    const shared = [
      [1, 0],
      [2, 0],
    ] as const;
    await rejectsCode(assertBudgetLeft(client(shared, [], 2n)), "PRIVACY_BUDGET_SPENT");
  });

  it("counts one that the chain alone knows as one of its own, though it has a vector of its base", async () => {
    const { task, journal } = client([[5, 0]], [[0, 5]], 2n);
    const lost = { round: 6n, baseModelDigest: word("model 0"), isLost: true };
    const submissions = async (): ReturnType<typeof journal.submissions> => [...(await journal.submissions()), lost];
    await assertBudgetLeft({ task, journal });
    await rejectsCode(assertBudgetLeft({ task, journal: { ...journal, submissions } }), "PRIVACY_BUDGET_SPENT");
  });
});
