/** What an operator may write, the contract holds and a client can train; what one of them refuses is not accepted. */
import assert from "node:assert/strict";
import { AbiCoder, ParamType } from "ethers";
import fc from "fast-check";
import { describe, it } from "mocha";
import { TASK_PARAMETERS_FIELDS } from "../../chain/generated/verisum.ts";
import { parameterCountOf, parseModel } from "../../learning/model.ts";
import { createTrainer } from "../../learning/trainer.ts";
import { assertTrainOptions, PRIVATE_TRAINING_LIMITS, TRAINING_LIMITS } from "../../learning/trainers/limits.ts";
import type { Range } from "../../learning/trainers/limits.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import { assertTaskParameters, kindBytes, largestParameter } from "../../protocol/task.ts";
import { toHex } from "../../protocol/transcript.ts";
import { assertRunnable, parametersOf, parseSpecification } from "../../task/create-task.ts";
import { mechanismOf } from "../../task/mechanisms/registry.ts";
import { rejectsCode, throwsCode } from "../support/errors.ts";
import { check } from "../support/properties.ts";
import { seededRandom, word } from "../support/random.ts";

const SPECIFICATION = {
  document: {
    name: "limits",
    description: "",
    preset: "tiny",
    model: { kind: "mlp", inputShape: [4], hidden: [3], classCount: 2 },
    training: { learningRate: 0.1, momentum: 0.5, batchSize: 8, localEpochs: 1 },
    quantisation: { stepBits: 10, clipSteps: 100 },
    server: {
      fractionalBits: 16,
      learningRate: { numerator: 1, denominatorBits: 0 },
      momentum: { numerator: 0, denominatorBits: 0 },
    },
  },
  initialSeed: 1,
  committee: { size: 4, threshold: 2, quorum: 3 },
  clients: { min: 3, minHonest: 2, maxCorrupt: 1, openRegistration: false, bondWei: "0" },
  windowSeconds: { key: 60, collect: 60, attest: 60, aggregate: 60 },
  maxRounds: 5,
};
const PRIVACY = {
  unit: "example",
  exampleClipNorm: 1,
  noiseMultiplier: 1,
  samplingRate: 0.1,
  stepsPerRound: 5,
  delta: 1e-5,
};
const DIGESTS = {
  taskCid: word("task"),
  genesisCid: word("genesis"),
  genesisDigest: word("digest"),
  keysHash: word("keys"),
};

function withValue(path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(SPECIFICATION) as Record<string, unknown>;
  if (path.includes(".privacy."))
    ((copy["document"] as typeof SPECIFICATION.document).training as Record<string, unknown>)["privacy"] = {
      ...PRIVACY,
    };
  const names = path.split(".");
  let place: Record<string, unknown> = copy;
  for (const name of names.slice(0, -1)) place = place[name] as Record<string, unknown>;
  place[names.at(-1)!] = value;
  return copy;
}

/** True if the schema takes it, and then everybody else does; an error without a code is a failure of the test. */
async function isAccepted(json: unknown): Promise<boolean> {
  let specification;
  try {
    specification = parseSpecification(json);
    assertRunnable(specification);
  } catch (error) {
    assert.ok(isVerisumError(error), String(error));
    return false;
  }
  const { document } = specification;
  const parameters = parametersOf(specification, parameterCountOf(parseModel(document.model)), DIGESTS);
  assertTaskParameters(parameters);
  const chunkKinds = toHex(kindBytes(parameters));
  const encoded: Readonly<Record<string, unknown>> = { ...parameters, chunkKinds };
  const types = TASK_PARAMETERS_FIELDS.map(({ type }) => ParamType.from(type));
  AbiCoder.defaultAbiCoder().encode(
    types,
    TASK_PARAMETERS_FIELDS.map(({ name }) => encoded[name]),
  );
  const { learningRate, momentum, batchSize, localEpochs, privacy } = document.training;
  const options = mechanismOf(privacy).trainOptions(seededRandom("limits"));
  assertTrainOptions({ learningRate, momentum, batchSize, localEpochs, seed: 1, ...options });
  await createTrainer(document.model);
  return true;
}

/** Values at both ends of a range and beyond. */
function endsOf({ least, most, below, whole = false }: Range): readonly [unknown, boolean][] {
  const step = (value: number): number => (whole ? 1 : Math.max(Math.abs(value), 1e-12) * 1e-9);
  const [top, isIn] = most === undefined ? [below!, false] : [most, true];
  return [
    [least, true],
    [least - step(least), false],
    [top, isIn],
    [top + step(top), false],
    [top - step(top), true],
    [NaN, false],
    [Infinity, false],
    ["1", false],
    [null, false],
    ...(whole ? [[least + 0.5, false] as [unknown, boolean]] : []),
  ];
}

const day = 86_400;
const counts: readonly [string, readonly [unknown, boolean][]][] = [
  ["maxRounds", endsOf({ least: 0, most: Number(largestParameter("maxRounds")), whole: true })],
  ...["key", "collect", "attest", "aggregate"].map((name): [string, readonly [unknown, boolean][]] => [
    `windowSeconds.${name}`,
    endsOf({ least: 1, most: 30 * day, whole: true }),
  ]),
  [
    "clients.min",
    [
      [3, true],
      [256, true],
      [257, false],
      [2, false],
      [65_536, false],
      [2.5, false],
      [-1, false],
    ],
  ],
  [
    "clients.minHonest",
    [
      [2, true],
      [1, false],
      [3, false],
      [65_536, false],
    ],
  ],
  [
    "clients.maxCorrupt",
    [
      [0, true],
      [1, true],
      [2, false],
      [65_536, false],
      [-1, false],
    ],
  ],
  [
    "committee.size",
    [
      [4, true],
      [32, true],
      [33, false],
      [3, false],
      [256, false],
    ],
  ],
  [
    "committee.threshold",
    [
      [2, true],
      [1, false],
      [3, false],
      [256, false],
    ],
  ],
  [
    "committee.quorum",
    [
      [3, true],
      [2, false],
      [4, false],
      [256, false],
    ],
  ],
  [
    "clients.bondWei",
    [
      ["0", true],
      ["1", false],
      ["-1", false],
      [String(1n << 96n), false],
      [1, false],
    ],
  ],
  [
    "document.quantisation.clipSteps",
    [
      [1, true],
      [2 ** 23, true],
      [2 ** 23 + 1, false],
      [0, false],
    ],
  ],
  [
    "document.quantisation.stepBits",
    [
      [0, true],
      [20, true],
      [21, false],
      [-1, false],
    ],
  ],
  [
    "document.model.hidden",
    [
      [[65_536], true],
      [[65_537], false],
      [[0], false],
      [[65_536, 65_536], false],
      [[], true],
    ],
  ],
  [
    "document.model.classCount",
    [
      [2, true],
      [1, false],
      [65_537, false],
    ],
  ],
  [
    "document.training.privacy.delta",
    [
      [0.1, true],
      [0.11, false],
      [0, false],
      [NaN, false],
    ],
  ],
];

describe("the limits of a task", function () {
  this.timeout(120_000);
  const cases: readonly [string, readonly [unknown, boolean][]][] = [
    ...counts,
    ...Object.entries(TRAINING_LIMITS).map(([name, range]): [string, readonly [unknown, boolean][]] => [
      `document.training.${name}`,
      endsOf(range),
    ]),
    ...(
      [
        ["exampleClipNorm", PRIVATE_TRAINING_LIMITS.clipNorm],
        ["noiseMultiplier", PRIVATE_TRAINING_LIMITS.noiseMultiplier],
        ["samplingRate", PRIVATE_TRAINING_LIMITS.samplingRate],
        ["stepsPerRound", PRIVATE_TRAINING_LIMITS.steps],
      ] as const
    ).map(([name, range]): [string, readonly [unknown, boolean][]] => [
      `document.training.privacy.${name}`,
      endsOf(range),
    ]),
  ];
  for (const [path, values] of cases) {
    it(`are the same for schema, contract and training: ${path}`, async () => {
      for (const [value, expected] of values)
        assert.equal(await isAccepted(withValue(path, value)), expected, `${path} = ${String(value)}`);
    });
  }

  it("hold for numbers between and beyond them, in any two places", async () => {
    const paths = cases.map(([path]) => path);
    const number = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, 1, 2, 5e9, 2000, 2 ** 31, 2 ** 32, 2 ** 53));
    const drawn: (readonly [string, number])[] = [];
    check(fc.tuple(fc.constantFrom(...paths), number), (draw) => void drawn.push(draw), 200);
    for (const [path, value] of drawn) await isAccepted(withValue(path, value));
  });

  it("leave no control character in what lists of tasks show", () => {
    const described = (document: object): unknown =>
      parseSpecification({ ...SPECIFICATION, document: { ...SPECIFICATION.document, ...document } });
    for (const text of ["digits\u001b[2J", "digits\u009b31m", "a\u202eb", "a\rb"]) {
      throwsCode(() => described({ name: text }), "TASK_SPECIFICATION_INVALID");
      throwsCode(() => described({ description: text }), "TASK_SPECIFICATION_INVALID");
    }
    throwsCode(() => described({ name: "two\nlines" }), "TASK_SPECIFICATION_INVALID");
    described({ name: "Zahlen, 数字", description: "two\nlines" });
  });

  it("refuse what only a client would have found", async () => {
    for (const [path, value] of [
      ["document.training.momentum", 1],
      ["document.training.privacy.noiseMultiplier", 2000],
      ["maxRounds", 5e9],
    ] as const)
      assert.equal(await isAccepted(withValue(path, value)), false, path);
    const trainer = await createTrainer(SPECIFICATION.document.model);
    const options = { ...SPECIFICATION.document.training, momentum: 1, seed: 1 };
    const data = {
      features: new Float32Array(4),
      labels: new Int32Array(1),
      exampleCount: 1,
      featureShape: [4],
      classCount: 2,
    };
    await rejectsCode(trainer.train(trainer.initialWeights(1), data, options), "TRAINING_OPTIONS_INVALID");
  });

  it("holds the tables that it describes to its model's inputs and classes", () => {
    const columns = ["a", "b", "c", "d"].map((name) => ({ name, type: "number" }));
    const withData = (data: object): (() => void) => {
      const document = { ...SPECIFICATION.document, data };
      return () => assertRunnable(parseSpecification({ ...SPECIFICATION, document }));
    };
    const data = { label: "y", classes: ["no", "yes"], columns };
    assert.doesNotThrow(withData(data));
    throwsCode(withData({ ...data, columns: columns.slice(1) }), "TASK_SPECIFICATION_INVALID");
    throwsCode(withData({ ...data, classes: ["a", "b", "c"] }), "TASK_SPECIFICATION_INVALID");
    throwsCode(withData({ ...data, label: "a" }), "TASK_SPECIFICATION_INVALID");
  });

  it("refuses class weights that are not the classes', and steps and losses for trainers of one's own", () => {
    const { document } = SPECIFICATION;
    const withTraining =
      (parts: object, model: object = document.model) =>
      () => {
        const training = { ...document.training, ...parts };
        assertRunnable(parseSpecification({ ...SPECIFICATION, document: { ...document, model, training } }));
      };
    assert.doesNotThrow(withTraining({ classWeights: [1, 9], weightDecay: 0.1, optimiser: { kind: "adam" } }));
    for (const parts of [
      { classWeights: [1, 2, 3] },
      { classWeights: [0, 0] },
      { classWeights: [1, -1] },
      { weightDecay: 2 },
      { optimiser: { kind: "adagrad" } },
    ])
      throwsCode(withTraining(parts), "TASK_SPECIFICATION_INVALID");
    const external = { kind: "external", parameters: [{ name: "w", shape: [4, 2] }] };
    assert.doesNotThrow(withTraining({}, external));
    for (const parts of [{ classWeights: [1, 9] }, { weightDecay: 0.1 }, { optimiser: { kind: "adam" } }])
      throwsCode(withTraining(parts, external), "TASK_SPECIFICATION_INVALID");
    const numbers = { kind: "mlp", inputShape: [4], hidden: [], head: { kind: "regression" } };
    assert.doesNotThrow(withTraining({}, numbers));
    throwsCode(withTraining({ classWeights: [1, 9] }, numbers), "TASK_SPECIFICATION_INVALID");
  });

  it("refuses preprocessing that names other classes than the model has, or stands beside tables", () => {
    const { document } = SPECIFICATION;
    const preprocessing = { divisor: 16, mean: 0, stdDev: 1, classes: ["no", "yes"] };
    const withParts = (parts: object) => () =>
      assertRunnable(parseSpecification({ ...SPECIFICATION, document: { ...document, ...parts } }));
    assert.doesNotThrow(withParts({ preprocessing }));
    const more = { ...preprocessing, classes: ["no", "yes", "maybe"] };
    throwsCode(withParts({ preprocessing: more }), "TASK_SPECIFICATION_INVALID");
    const columns = ["a", "b", "c", "d"].map((name) => ({ name, type: "number" }));
    const data = { label: "y", classes: preprocessing.classes, columns };
    assert.doesNotThrow(withParts({ data }));
    throwsCode(withParts({ data, preprocessing }), "TASK_SPECIFICATION_INVALID");
  });
});
