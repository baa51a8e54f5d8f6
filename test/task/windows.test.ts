import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { parameterCountOf, parseModel } from "../../learning/model.ts";
import { parametersOf, parseSpecification } from "../../task/create-task.ts";
import type { TaskParameters } from "../../protocol/task.ts";
import { ETHEREUM_TIMING, shortWindows, timingLine } from "../../task/windows.ts";
import type { WindowName } from "../../task/windows.ts";
import { word } from "../support/random.ts";
import { TINY_TASK } from "../support/tiny-task.ts";

const DIGESTS = { taskCid: word("a"), genesisCid: word("b"), genesisDigest: word("c"), keysHash: word("d") };
const TASKS = new URL("../../tasks/", import.meta.url);
const LARGE = 100_000;
const NAMES = ["collect", "attest", "aggregate"] as const;

/** A task with these windows; all others are large. */
const task = (seconds: Partial<Record<WindowName, number>>, chunks = 1): TaskParameters => ({
  ...TINY_TASK,
  keysHash: word("keys"),
  ...Object.fromEntries(NAMES.map((name) => [`${name}Seconds`, seconds[name] ?? LARGE])),
  chunkKinds: new Array<number>(chunks).fill(0),
});
const namesOf = (...of: Parameters<typeof shortWindows>): string[] => shortWindows(...of).map(({ window }) => window);

describe("a task's windows", () => {
  const timing = { secondsPerBlock: 12, finalitySeconds: 900 };
  const work = { trainingSeconds: 30, provingSeconds: 8, replicatingSeconds: 2 };

  for (const [name, needed, why, chunks] of [
    ["collect", 52, "training, proving, copies and one block", 1],
    ["collect", 76, "the same with three blocks for a submission that takes three transactions", 129],
    ["attest", 12, "a block with the settlement", 1],
    ["aggregate", 912, "finality, and a block with the result", 1],
  ] as const)
    it(`need ${needed} s for ${name}: ${why}; and the number that would do is named`, () => {
      assert.deepEqual(namesOf(task({ [name]: needed }, chunks), timing, work), []);
      const [short] = shortWindows(task({ [name]: needed - 1 }, chunks), timing, work);
      assert.equal(short?.window, name);
      assert.equal(short.neededSeconds, needed);
      assert.ok(short.text.includes(`windowSeconds.${name} is ${needed - 1}`), short.text);
      assert.ok(short.text.endsWith(`: ${short.advisedSeconds} would do`), short.text);
      assert.ok(short.advisedSeconds >= needed * 1.5 && short.advisedSeconds < needed * 1.5 + 10);
      assert.deepEqual(namesOf(task({ [name]: short.advisedSeconds }, chunks), timing, work), []);
    });

  it("hold whatever they are while no block is final, except to aggregate: no number would do", () => {
    const [short, ...rest] = shortWindows(task({}), { secondsPerBlock: 12, finalitySeconds: Infinity });
    assert.equal(short?.window, "aggregate");
    assert.deepEqual(rest, []);
    assert.ok(!/Infinity|NaN|would do/.test(short.text), short.text);
    assert.ok(!/Infinity|NaN/.test(timingLine({ secondsPerBlock: 12, finalitySeconds: Infinity })));
  });

  it("of every shipped task suit a development chain, and those that Ethereum's finality breaks are known", () => {
    const broken: Record<string, string> = {};
    for (const file of readdirSync(TASKS).filter((name) => name.endsWith(".json"))) {
      const specification = parseSpecification(JSON.parse(readFileSync(new URL(file, TASKS), "utf8")));
      const weights = parameterCountOf(parseModel(specification.document.model));
      const parameters = parametersOf(specification, weights, DIGESTS);
      assert.deepEqual(shortWindows(parameters, { secondsPerBlock: 0, finalitySeconds: 0 }), [], file);
      const onEthereum = shortWindows(parameters, ETHEREUM_TIMING);
      broken[file] = onEthereum.map(({ window, advisedSeconds }) => `${window}=${advisedSeconds}`).join(" ");
    }
    assert.deepEqual(broken, {
      "activity.json": "aggregate=1750",
      "breast-cancer.json": "aggregate=1750",
      "digits-buffer.json": "aggregate=1750",
      "digits-cohort.json": "aggregate=1750",
      "digits-private.json": "aggregate=1750",
      "digits-turns.json": "aggregate=1750",
      "digits.json": "aggregate=1750",
      "fashion-cnn.json": "aggregate=1750",
      "fashion-cohort.json": "aggregate=1750",
      "fashion-pixels.json": "aggregate=1750",
      "fashion-private.json": "aggregate=1750",
    });
  });
});
