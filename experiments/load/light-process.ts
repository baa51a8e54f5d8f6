/**
 * Many participants in one process: each with an account, a state directory, a store and data of its own, running the
 * client's own step and its own audits; they share one curve engine, one prover and one trainer. Started by
 * light-fork.ts.
 */
import { join } from "node:path";
import { Wallet } from "ethers";
import { platformRandom as random } from "../../command/platform-random.ts";
import { connectWriter } from "../../chain/connect.ts";
import type { ModelRecord, TaskWriter } from "../../chain/task-chain.ts";
import { outlive } from "../../command/run.ts";
import type { Reporter } from "../../protocol/reporter.ts";
import { loadDataset } from "../../learning/dataset.ts";
import { createTrainer } from "../../learning/trainer.ts";
import type { Trainer } from "../../learning/trainer.ts";
import { loadProvingKeys } from "../../task/keys.ts";
import { openCurve } from "../../proving/node/open-curve.ts";
import { submissionVerifier } from "../../proving/groth16/submission-batch.ts";
import { bundleCopies } from "../../task/peer-network.ts";
import { openWritingNode } from "../../task/node.ts";
import type { WritingNode } from "../../task/node.ts";
import { verifySubmission } from "../../auditor/audit-submission.ts";
import { continuedAudit } from "../../auditor/continued-audit.ts";
import { createClientStep } from "../../client/client-loop.ts";
import type { ClientLoopDependencies, ClientProgress } from "../../client/client-loop.ts";
import { auditModel } from "../../client/model-audit.ts";
import { openJournal } from "../../client/journal.ts";
import { openWorkTimes } from "../../client/work-times.ts";
import { createLearner } from "../../client/learner.ts";
import { engineTrainer } from "../../client/trainers/engine.ts";
import type { LightJob, LightMessage } from "./light-job.ts";
import { pooled } from "./pool.ts";
import { createRelay } from "./relay.ts";
import type { Relay } from "./relay.ts";

const POLL_MS = 250;
/** A relayer's, for others to fill the batch. */
const RELAY_PATIENCE_MS = 60_000;

interface LightClient {
  readonly node: WritingNode;
  readonly reporter: Reporter;
  readonly index: number;
  audit(model: ModelRecord): Promise<void>;
  step(): Promise<ClientProgress>;
}

const send = (message: LightMessage): void => void process.send!(message);
const { signal } = new AbortController();

async function work(job: LightJob): Promise<void> {
  const started = performance.now();
  const nodes: WritingNode[] = new Array<WritingNode>(job.privateKeys.length);
  await pooled(job.privateKeys, job.atOnce, async (key, index) => {
    nodes[index] = await openNode(job, index, key);
  });
  const clients = await equip(nodes, await relayOf(job));
  send({ kind: "opened", milliseconds: performance.now() - started });
  for (let round = 1; round <= job.rounds; round++) {
    await collecting(clients[0]!, BigInt(round));
    await pooled(clients, job.atOnce, takePart);
    await decided(clients[0]!, BigInt(round));
    await pooled(clients, 1, auditAlone);
  }
  send({ kind: "done" });
}

function openNode(
  { rpc, contract, directory, gateway }: LightJob,
  index: number,
  privateKey: string,
): Promise<WritingNode> {
  return openWritingNode(
    {
      rpc,
      contract,
      confirmations: 0,
      wallet: new Wallet(privateKey),
      stateDirectory: join(directory, `client-${index + 1}`),
      peers: [gateway],
    },
    reporterOf(index),
    signal,
  );
}

async function relayOf({ rpc, contract, relay }: LightJob): Promise<Relay | undefined> {
  if (relay === undefined) return undefined;
  const relayer = await connectWriter({ rpc, contract, confirmations: 0, wallet: new Wallet(relay.privateKey) });
  return createRelay(relayer, relay.size, RELAY_PATIENCE_MS);
}

/** The client's own chain, except that a relayer sends what the client signs. */
function relayed(chain: TaskWriter, relay: Relay | undefined): TaskWriter {
  if (relay === undefined) return chain;
  return {
    ...chain,
    submit: async (round, submission) => relay.send(round, await chain.signSubmission(round, submission)),
  };
}

async function equip(nodes: readonly WritingNode[], relay: Relay | undefined): Promise<LightClient[]> {
  const [first] = nodes;
  const { task } = first!;
  const keys = await loadProvingKeys(task, first!.state, random, reporterOf(0));
  const curve = await openCurve();
  const trainer = oneAtATime(await createTrainer(task.document.model));
  const clients: LightClient[] = [];
  for (const [index, node] of nodes.entries()) {
    const { train } = await loadDataset(`digits?client=${index}&clients=${nodes.length}&seed=1`);
    const reporter = reporterOf(index);
    const { document, tensors } = node.task;
    const scope = `${node.scope}-${node.chain.account}`;
    const deps: ClientLoopDependencies = {
      chain: relayed(node.chain, relay),
      task: { ...node.task, committer: keys.committer },
      prover: keys.prover,
      verifyOwn: (bases, record) => void verifySubmission(node.task, keys.verificationKeys, bases, record),
      learner: createLearner({
        trainer: engineTrainer({ engine: trainer, data: train, document, tensors, random }),
        document,
        tensors,
        random,
        reporter,
      }),
      random,
      journal: openJournal(node.state, scope),
      times: openWorkTimes({ ...node, scope, reporter }),
      reporter,
      replicate: (cid) =>
        node.network.replicate(node.store, cid, (peers) => bundleCopies(peers, node.task.parameters.threshold)),
      spread: (cid) => node.network.spread(node.store, cid),
      clock: () => performance.now(),
      ...continuedAudit(node.task, keys.verificationKeys, submissionVerifier(curve, random)),
    };
    const audit = (model: ModelRecord): Promise<void> => auditModel(deps, model);
    clients.push({ node, reporter, index, audit, step: createClientStep(deps) });
  }
  return clients;
}

/** The trainer's network holds one set of weights at a time. */
function oneAtATime(trainer: Trainer): Trainer {
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...trainer,
    train: (...args) => {
      const result = last.then(() => trainer.train(...args));
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** Until the round collects, by one client's view. */
async function collecting({ node }: LightClient, wanted: bigint): Promise<void> {
  for (;;) {
    const { number, phase } = await node.chain.round();
    if (number > wanted || (number === wanted && phase === "Collecting")) return;
    await node.sleep(POLL_MS);
  }
}

/** Until the round has a result or will have none, by one client's view. */
async function decided({ node }: LightClient, awaited: bigint): Promise<void> {
  for (;;) {
    const { number, phase } = await node.chain.round();
    if (number > awaited || phase === "Finalised" || phase === "Aborted") return;
    await node.sleep(POLL_MS);
  }
}

/** One client's audit of the newest model, with its own reading of the chain, its own fetches and its own product. */
async function auditAlone({ node, reporter, index, audit }: LightClient): Promise<void> {
  const before = process.cpuUsage();
  const model = await node.chain.latestModel();
  while ((await outlive(async () => audit(model).then(() => true), reporter)) === undefined) await node.sleep(POLL_MS);
  const { user, system } = process.cpuUsage(before);
  send({ kind: "audit", client: index + 1, round: Number(model.round), processorMs: (user + system) / 1000 });
}

/** Steps one client until it has acted. */
async function takePart({ node, reporter, step }: LightClient): Promise<void> {
  while ((await outlive(step, reporter)) !== "acted") await node.sleep(POLL_MS);
}

function reporterOf(index: number): Reporter {
  return {
    say: (_level, event, text, facts = {}) => send({ kind: "event", client: index + 1, event, text, facts }),
    wait: () => undefined,
  };
}

process.once("disconnect", () => process.exit());
process.once("message", (job) => {
  work(job as LightJob).catch((error: unknown) =>
    send({ kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
