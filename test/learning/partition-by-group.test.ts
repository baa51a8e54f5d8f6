import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { loadDataset } from "../../learning/dataset.ts";
import { rejectsCode } from "../support/errors.ts";
import { temporaryFolder } from "../support/tables.ts";
import type { Folder } from "../support/tables.ts";

/** 20 rows of each subject; `x` is the subject. */
const rowsOf = (subjects: readonly number[]): string =>
  ["x,subject,label"]
    .concat(subjects.flatMap((subject) => Array.from({ length: 20 }, (_, i) => `${subject},s${subject},${i % 2}`)))
    .join("\n");

describe("a partition by group", () => {
  let folder: Folder;
  let path: string;
  before(async () => {
    folder = await temporaryFolder();
    path = await folder.file("subjects.csv", rowsOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  });
  after(() => folder.remove());

  const subjectsOf = async (options: string): Promise<number[]> => [
    ...new Set((await loadDataset(`${path}?group=subject&${options}`)).train.features),
  ];

  it("gives each client whole subjects, each subject one client, and none that is test data", async () => {
    const shards = await Promise.all(
      [0, 1, 2].map((client) => subjectsOf(`partition=group&client=${client}&clients=3&seed=4`)),
    );
    const all = shards.flat();
    assert.deepEqual(shards.map(({ length }) => length).sort(), [2, 3, 3]);
    assert.equal(new Set(all).size, all.length);
    const { test } = await loadDataset(`${path}?group=subject`);
    assert.deepEqual(
      [...new Set(test.features)].filter((subject) => all.includes(subject)),
      [],
    );
    assert.deepEqual(await subjectsOf("partition=group&client=0&clients=3&seed=4"), shards[0]);
    assert.notDeepEqual(await subjectsOf("partition=group&client=0&clients=3&seed=5"), shards[0]);
  });

  it("is refused without groups, with a label skew, and for more clients than subjects", async () => {
    await rejectsCode(
      loadDataset(`${path}?drop=subject&partition=group&client=0&clients=2&seed=1`),
      "DATASET_SPEC_INVALID",
    );
    await rejectsCode(subjectsOf("partition=group&alpha=1&client=0&clients=2&seed=1"), "DATASET_SPEC_INVALID");
    await rejectsCode(subjectsOf("partition=group&client=0&clients=9&seed=1"), "DATASET_PARTITION_IMPOSSIBLE");
  });

  it("takes the training data's groups where there is a test file, which must have others", async () => {
    const train = await folder.file("both/train.csv", rowsOf([1, 2]));
    const both = train.slice(0, -"/train.csv".length);
    await folder.file("both/test.csv", rowsOf([3]));
    const one = await loadDataset(`${both}?group=subject&partition=group&client=0&clients=2&seed=1`);
    assert.equal(new Set(one.train.features).size, 1);
    await folder.file("both/test.csv", rowsOf([3, 2]));
    await rejectsCode(loadDataset(`${both}?group=subject`), "DATASET_MALFORMED", { value: "s2" });
  });
});
