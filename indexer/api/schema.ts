/** What the API answers: each shape once, for the answers, their types, the OpenAPI document and the columns of CSV. */
import { z } from "zod";

const count = z.int().min(0);
const block = z.int().describe("Block number");
const seconds = z.int().describe("Unix seconds, of the block");
const address = z.string().describe("Account, in lower case");
const cid = z.string().describe("CID of a directory on IPFS");
const transaction = z.string().describe("Transaction hash");
const gwei = z.number().describe("Fees of the round's transactions, in gwei; null where the chain does not tell");

const partySchema = z.strictObject({
  party: z.string().describe("`aggregator`, `operator`, `seat 2` or `client`"),
  account: address.optional(),
  state: z.string().describe("What it does: `to-submit`, `waiting`, `done` …"),
  reason: z.string().describe("What it waits for, or has yet to do"),
  says: z.string().optional().describe("What its node says of itself, which nobody checked"),
});

const epsilon = z.strictObject({ spent: z.number(), budget: z.number() });

/** What is known of a task now, besides what is counted by round. */
export const snapshotSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  taskCid: cid,
  operator: address,
  dimension: count.describe("Coordinates of the vector that is summed"),
  model: z.string().describe("The model's layers in short"),
  round: z.strictObject({
    number: count,
    phase: z.string(),
    deadline: count.describe("Unix seconds; 0 if the phase has none"),
    submitted: count,
    expected: count,
    attested: count,
    released: count,
  }),
  latestBlock: z.strictObject({ number: block, time: seconds }),
  finalBlock: z.int().describe("The latest block that counts as final; -1 if none does"),
  secondsPerBlock: z.number(),
  finalisedRounds: count,
  maxRounds: count.describe("0 for no limit"),
  clients: count,
  latestModel: z.strictObject({ round: count, cid }),
  committee: z.strictObject({
    seats: count,
    threshold: count.describe("Members that release a sum together, and that could read an update together"),
    quorum: count,
    members: z.array(address),
  }),
  limits: z.strictObject({
    ...{ minClients: count, minHonest: count, maxCorrupt: count, openRegistration: z.boolean() },
    bufferGoal: count.describe("Submissions at which a round closes; 0 where it waits for all clients"),
    maxStaleness: count.describe("Models by which an update's base may be older than the latest one"),
  }),
  windows: z.strictObject({ collect: count, attest: count, aggregate: count }).describe("Seconds"),
  influence: z.strictObject({ corrupt: z.number(), honest: z.number(), outvoted: z.boolean(), says: z.string() }),
  privacy: z
    .strictObject({
      subject: z.string().describe("`record` or `client`"),
      statement: z.string(),
      delta: z.number(),
      rounds: count.describe("That the budget allows"),
      remainingRounds: count,
      roundsPerClient: count
        .optional()
        .describe("That can count one client, where these are fewer: epsilon is of them"),
      epsilon: z.strictObject({ rdp: epsilon, pld: epsilon.optional() }),
    })
    .nullable(),
  keys: z
    .strictObject({
      state: z.enum(["development", "claimed", "verified", "unknown"]),
      contributors: z.array(z.string()),
      transcript: z.string().optional(),
      says: z.string(),
    })
    .describe("Where the proving keys come from"),
  changes: z
    .array(z.string())
    .describe("Of members and clients, decided and not begun: who comes, goes or is replaced, and when"),
  warnings: z.array(z.string()),
  gateways: z.array(z.string()).describe("Nodes that were announced on chain"),
  parties: z.array(partySchema),
});
export type TaskSnapshot = z.infer<typeof snapshotSchema>;

/** How far the index is. */
const indexedSchema = z.strictObject({
  task: z.string().describe("Names the task here: chain and contract"),
  chainId: z.string(),
  contract: address,
  block: block.describe("Everything up to this block is in the index"),
  revision: count.describe("Grows with every change"),
  checkedSecondsAgo: count.nullable().describe("Since the index last looked at the chain"),
  trouble: z.string().nullable().describe("Why it could not, the last time"),
});

export const taskSchema = indexedSchema.extend({ snapshot: snapshotSchema.nullable() });
export type TaskAnswer = z.infer<typeof taskSchema>;

export const taskListSchema = z.strictObject({
  tasks: z.array(
    taskSchema.extend({
      accuracy: z.number().nullable().describe("That the aggregator claims of the latest model"),
      accuracies: z.array(z.number()).describe("The same of the latest rounds, oldest first"),
    }),
  ),
});
export type TaskList = z.infer<typeof taskListSchema>;

export const roundSchema = z.strictObject({
  number: count,
  state: z.string().describe("`Finalised`, `Aborted`, or the phase that it is in"),
  submitted: count,
  included: count.nullable(),
  totalWeight: count.nullable(),
  attested: count.describe("Members whose statements it settled on"),
  released: count.describe("Members"),
  signers: z.string().nullable().describe("Seats that signed the result, separated by commas"),
  openedAt: seconds,
  closedAt: seconds.nullable().describe("When the last submission of a settled round came"),
  settledAt: seconds.nullable(),
  endedAt: seconds.nullable(),
  openedBlock: block,
  settledBlock: block.nullable(),
  endedBlock: block.nullable(),
  openedTransaction: transaction,
  settledTransaction: transaction.nullable(),
  endedTransaction: transaction.nullable(),
  isFinal: z.boolean().describe("Its end is in a block that counts as final"),
  baseCid: cid.describe("The model that it started from"),
  modelCid: cid.nullable(),
  modelDigest: z.string().nullable(),
  aggregateCid: cid.nullable(),
  gas: count.nullable(),
  feeGwei: gwei.nullable(),
  accuracy: z.number().nullable().describe("Claimed by the aggregator; from 0 to 1"),
  loss: z.number().nullable().describe("Claimed by the aggregator"),
  samples: count.nullable().describe("Examples that both were measured on"),
  epsilon: z.number().nullable().describe("Spent after this round, as its checkpoint states it"),
  modelBytes: count.nullable(),
  modelMissing: z.string().nullable().describe("Why nothing is known of its checkpoint"),
});
export type Round = z.infer<typeof roundSchema>;

export const submissionSchema = z.strictObject({
  round: count,
  client: address,
  position: count.describe("Its bit in the round's bitmaps"),
  weight: count,
  included: z.boolean().nullable().describe("Null before the settlement"),
  proofs: count,
  sharesCid: cid,
  block,
  transaction,
});
export type Submission = z.infer<typeof submissionSchema>;

const seatSchema = z.strictObject({
  seat: count,
  attested: count.nullable().describe("Clients of the settlement, if it rests on this seat's statement"),
  releaseCid: cid.nullable(),
  signed: z.boolean(),
});

export const roundDetailSchema = z.strictObject({
  round: roundSchema,
  submissions: z.array(submissionSchema),
  seats: z.array(seatSchema),
});
export type RoundDetail = z.infer<typeof roundDetailSchema>;

export const participantSchema = z.strictObject({
  role: z.enum(["client", "member"]),
  account: address,
  seat: count.nullable(),
  weight: count.nullable(),
  sinceBlock: block,
  leftBlock: block.nullable(),
  submitted: count.describe("Rounds that it submitted to"),
  included: count.describe("Rounds that counted its update"),
  state: z.string().nullable().describe("Now: see `parties` of the task"),
  reason: z.string().nullable(),
});
export type Participant = z.infer<typeof participantSchema>;

export const participationSchema = z.strictObject({
  rounds: z.array(count),
  clients: z.array(
    z.strictObject({
      account: address,
      marks: z
        .string()
        .describe("One a round: `.` nothing submitted, `+` included, `-` left out, `?` not settled yet or aborted"),
    }),
  ),
});
export type Participation = z.infer<typeof participationSchema>;

export const eventSchema = z.strictObject({
  block,
  position: count.describe("Among the block's events"),
  time: seconds,
  name: z.string(),
  round: count.nullable(),
  seat: count.nullable(),
  account: address.nullable(),
  transaction,
  gas: count.nullable().describe("Of the whole transaction"),
  fields: z.record(z.string(), z.string()),
});
export type IndexedEvent = z.infer<typeof eventSchema>;
