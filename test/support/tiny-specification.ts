/** A linear model on the digits, 650 weights in one chunk of the tiny preset; four members, threshold 2, quorum 3. */
export const TINY_SPECIFICATION = {
  document: {
    name: "tiny digits",
    description: "A linear model on 8 by 8 digits, for tests",
    preset: "tiny",
    model: { kind: "mlp", inputShape: [64], hidden: [], classCount: 10 },
    training: { learningRate: 0.05, momentum: 0.9, batchSize: 16, localEpochs: 2 },
    quantisation: { stepBits: 6, clipSteps: 150 },
    server: {
      fractionalBits: 20,
      learningRate: { numerator: 1, denominatorBits: 0 },
      momentum: { numerator: 1, denominatorBits: 1 },
    },
  },
  initialSeed: 1,
  committee: { size: 4, threshold: 2, quorum: 3 },
  clients: { min: 3, minHonest: 2, maxCorrupt: 1, openRegistration: false },
  windowSeconds: { key: 60, collect: 600, attest: 600, aggregate: 600 },
  maxRounds: 0,
} as const;
