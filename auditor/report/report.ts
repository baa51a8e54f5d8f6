/** What is filed of an audit: the task, who took part, and where each of it can be found again. */
import { z } from "zod";

const text = z.string();
const hex = z.string().regex(/^0x[0-9a-f]*$/);
const count = z.int().min(0);
const epsilon = z.strictObject({ spent: z.number(), budget: z.number() });

const roundSchema = z.strictObject({
  round: count,
  /** `unchecked` where the audit ended before this round's model. */
  state: z.enum(["verified", "failed", "unchecked"]),
  submitted: count,
  included: count,
  /** Proofs of all submissions. */
  proofs: count,
  /** Seats that signed the result. */
  signers: z.array(count),
  settlement: hex,
  settledBlock: count,
  /** Of the result. */
  block: count.nullable(),
  transaction: hex,
  modelCid: text,
  modelDigest: hex,
  aggregateCid: text,
});

const participantSchema = z.strictObject({ account: hex, submitted: count, included: count });

/** Of a task as an audit found it; nothing in it is secret. */
export const taskReportSchema = z.strictObject({
  version: z.literal(1),
  program: text,
  /** When it was written, as ISO 8601. */
  writtenAt: z.iso.datetime(),
  /** The block up to which the chain was read. */
  asOf: z.strictObject({ block: count, hash: hex, finalBlock: z.int().min(-1) }),
  task: z.strictObject({
    name: text,
    description: text,
    chainId: text,
    contract: hex,
    deployment: hex,
    operator: hex,
    documentCid: text,
    genesisCid: text,
    parametersHash: hex,
    keysHash: hex,
    /** Coordinates of an update. */
    dimension: count,
    /** L2 norm, in steps of the grid, that the proofs bound. */
    normBound: z.number(),
    /** An update's step, in units of the model's weights. */
    step: z.number(),
    maxRounds: count,
    minClients: count,
    minHonest: count,
  }),
  committee: z.strictObject({
    seats: count,
    threshold: count,
    quorum: count,
    /** Seat 1 first. */
    members: z.array(hex),
  }),
  clients: z.array(participantSchema),
  rounds: z.array(roundSchema),
  /** Null if training adds no noise. */
  privacy: z
    .strictObject({
      subject: text,
      statement: text,
      delta: z.number(),
      rounds: count,
      remainingRounds: count,
      roundsPerClient: count.optional(),
      epsilon: z.strictObject({ rdp: epsilon, pld: epsilon.optional() }),
    })
    .nullable(),
  /** What corrupt clients can do, in a sentence. */
  influence: text,
  warnings: z.array(text),
});

export type TaskReport = z.infer<typeof taskReportSchema>;
export type ReportedRound = TaskReport["rounds"][number];
