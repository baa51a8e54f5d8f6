/** What `fl-client join` does. */
import type { ListenAddress } from "../command/listen-address.ts";
import { outlive, persist } from "../command/run.ts";
import { ensure } from "../protocol/errors.ts";
import { statisticsTrainer } from "./statistics-trainer.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { dataRulesOf } from "../learning/preprocessing.ts";
import { loadDataset, resolveData } from "../learning/dataset.ts";
import { isStatistics } from "../learning/statistics/statistics-model.ts";
import type { OnRows } from "../learning/formats/format.ts";
import { answersText } from "../learning/examples.ts";
import type { LoadedData } from "../learning/examples.ts";
import { peerFetch } from "../content/peer-fetch.ts";
import type { ProverCommand } from "../proving/groth16/prover-command.ts";
import { createDeploymentWatch } from "../task/deployment.ts";
import { loadProvingKeys } from "../task/keys.ts";
import type { ProvingKeys } from "../task/keys.ts";
import { openWritingNode } from "../task/node.ts";
import type { NodeOptions, WritingNode } from "../task/node.ts";
import type { OpenTask } from "../task/opened-task.ts";
import type { ChunkProver } from "../protocol/ports.ts";
import { requireFurtherRounds } from "../task/further-rounds.ts";
import { createPace } from "../task/pace.ts";
import { bundleCopies } from "../task/peer-network.ts";
import { createVitals } from "../task/vitals.ts";
import type { Vitals } from "../task/vitals.ts";
import { countedRounds, ownPrivacyLine } from "../task/own-privacy.ts";
import { prunerOf, resultsOf } from "../task/pruning.ts";
import type { RoleDependencies } from "../task/role.ts";
import { withSecondLook } from "../task/second-look.ts";
import { verifySubmission } from "../auditor/audit-submission.ts";
import { continuedAudit } from "../auditor/continued-audit.ts";
import { createClientStep } from "./client-loop.ts";
import { openJournal } from "./journal.ts";
import type { Journal } from "./journal.ts";
import { createLearner } from "./learner.ts";
import { mostRoundsAhead } from "./preparation.ts";
import { createRelayClient } from "./relay.ts";
import type { LocalLearner } from "./make-submission.ts";
import type { ParticipantDependencies } from "./participant.ts";
import { register } from "./registration.ts";
import { statusPage } from "./status-page.ts";
import { agree, isListed } from "./terms.ts";
import type { RoundEvaluator, RoundTrainer } from "./round-trainer.ts";
import type { TrainerAddress } from "./trainers/address.ts";
import type { OnTraining } from "./trainers/engine.ts";
import { openTraining } from "./trainers/training.ts";
import { createCommitteeWatch } from "./committee-watch.ts";
import { createWeightWatch } from "./weight-watch.ts";
import { openWorkTimes } from "./work-times.ts";

const POLL_MS = 500;

export interface JoinOptions extends NodeOptions {
  /**
   * What the built-in engine trains on, as `loadDataset` names it, or the data itself; they never leave this machine.
   * Beside a trainer they only measure models, and may be absent.
   */
  readonly data?: string | LoadedData;
  /** Trains in place of the built-in engine: an own one, a command (docs/trainers.md), or a server on this machine. */
  readonly trainer?: RoundTrainer | TrainerAddress;
  /** Measures each model on what only this machine has; its numbers stay here. */
  readonly evaluator?: RoundEvaluator | TrainerAddress;
  /** Longest pause between looks at the chain, in milliseconds; 500 if absent. */
  readonly pollMs?: number;
  /** Ends after taking part in this many rounds. */
  readonly rounds?: number;
  /** Proves in place of the built-in prover. */
  readonly proverCommand?: ProverCommand;
  /** Lets a node of the task send the submission, in a batch with others'. */
  readonly relay?: boolean;
  /**
   * Shows what taking part reveals and costs; where registration is open, asks this before it registers. Rejects
   * without a yes.
   */
  readonly consent?: (question: string) => Promise<void>;
  /** Told of the built-in engine's steps. */
  readonly onProgress?: OnTraining;
  /** Where this client says how it is: `/health`, `/ready`, `/status` and `/metrics`. Nowhere if absent. */
  readonly status?: ListenAddress;
}

/** The parts of a client that decide what it submits. */
export interface Participation {
  readonly learner: LocalLearner;
  readonly prover: ChunkProver;
  readonly verifyOwn: ParticipantDependencies["verifyOwn"];
}

/**
 * Joins a task and takes part in its rounds until it is complete. Bad keys are found before it registers.
 * @param alter replaces the learner and the prover that this client would use
 * @throws INTERRUPTED; what opening a node, loading the data or taking part throws and time does not heal
 */
export async function joinTask(
  options: JoinOptions,
  { reporter: told, random, signal }: RoleDependencies,
  alter: (parts: Participation, task: OpenTask) => Participation = (parts) => parts,
): Promise<void> {
  // What is wrong without the task is said before the chain is asked.
  ensure(
    options.data !== undefined || options.trainer !== undefined,
    "USAGE",
    "data to train on is needed: name it with --data, or name a trainer that has its own with --trainer",
  );
  if (typeof options.data === "string") await resolveData(options.data);
  const vitals = createVitals(() => performance.now(), options.pollMs ?? POLL_MS);
  const reporter = vitals.watching(told);
  const node = await openWritingNode(options, reporter, signal);
  const page = await statusPage(node, options.status, vitals, reporter).catch(async (error: unknown) => {
    await node.close();
    throw error;
  });
  try {
    const { document } = node.task;
    const training = isStatistics(document.model) ? await counting(options, document.model, reporter) : options;
    const data =
      typeof training.data === "string"
        ? await loadDataset(training.data, dataRulesOf(document), rowsRead(reporter))
        : training.data;
    if (data !== undefined) sayData(data, reporter);
    await takePart(node, training, data, { reporter, random, signal }, alter, vitals);
  } finally {
    await page?.close();
    await node.close();
  }
}

/** In a task of statistics, the data is counted and nothing trains. @throws USAGE without a table, or with a trainer */
async function counting(
  { data, trainer, ...rest }: JoinOptions,
  model: unknown,
  reporter: Reporter,
): Promise<JoinOptions> {
  ensure(
    typeof data === "string" && trainer === undefined,
    "USAGE",
    "the task sums statistics of tables: give a table with --data, and no trainer",
  );
  const counted = await statisticsTrainer(data, model, rowsRead(reporter));
  reporter.say("info", "data", "counted the table; it stays on this machine");
  return { ...rest, trainer: counted };
}

function rowsRead(reporter: Reporter): OnRows {
  return (rows) => reporter.wait(`reading data: ${rows.toLocaleString("en-US")} rows so far`, { rows });
}

function sayData({ train, test, notes }: LoadedData, reporter: Reporter): void {
  reporter.say(
    "info",
    "data",
    `connected ${train.exampleCount} training and ${test.exampleCount} test samples, ${answersText(train)}; they stay on this machine`,
    { samples: train.exampleCount },
  );
  for (const { level, event, text } of notes ?? []) reporter.say(level === "note" ? "info" : "warn", event, text);
}

async function takePart(
  node: WritingNode,
  options: JoinOptions,
  data: LoadedData | undefined,
  { reporter, random, signal }: RoleDependencies,
  alter: (parts: Participation, task: OpenTask) => Participation,
  vitals: Vitals,
): Promise<void> {
  const { chain, task, state, store, network, sleep } = node;
  const clock = (): number => performance.now();
  reporter.say(
    "info",
    "task",
    `task “${task.document.name}”, ${task.parameters.dimension} weights in ${task.layout.chunks.length} chunk(s), as ${chain.account}`,
    { account: chain.account },
  );
  const status = await persist(() => chain.client(chain.account), reporter, sleep);
  // Before the keys are fetched and checked, which takes minutes.
  if (!isListed(status))
    await persist(async () => requireFurtherRounds(task.parameters, await chain.look()), reporter, sleep);
  const { consent } = options;
  if (consent !== undefined) await agree(task, status, chain.account, consent, reporter);
  const checkedKeys = async (): Promise<ProvingKeys> => {
    const loaded = await loadProvingKeys(task, state, random, reporter, options.records, options.proverCommand);
    await loaded.checked;
    return loaded;
  };
  const scope = `${node.scope}-${chain.account}`;
  const given = {
    ...(data === undefined ? {} : { data }),
    ...(options.trainer === undefined ? {} : { trainer: options.trainer }),
    ...(options.evaluator === undefined ? {} : { evaluator: options.evaluator }),
  };
  const directory = state.file(scope);
  const [keys, training] = await Promise.all([
    node.available(checkedKeys),
    openTraining(given, { task, reporter, random, directory, signal, onProgress: options.onProgress }),
  ]);
  reporter.say("good", "ready", "the proving keys are read and checked: ready to take part");
  const rejoin = await persist(() => register({ chain, task, sleep, reporter }), reporter, sleep);
  const sayOwnPrivacy = async (): Promise<void> => {
    const counted = countedRounds(await chain.look(), chain.account);
    const line = ownPrivacyLine(task, counted);
    if (line !== null) reporter.say("info", "own-privacy", `your privacy: ${line}`, { counted });
  };
  await outlive(sayOwnPrivacy, reporter);
  const journal = openJournal(state, scope);
  const times = openWorkTimes({ chain, task, state, scope, reporter });
  await times.warn();
  if (state.copied) await persist(() => leaveOldCopy(node, journal, reporter), reporter, node.sleep);
  const watch = createCommitteeWatch({ parameters: task.parameters, state, scope, reporter });
  const watchWeight = createWeightWatch({ parameters: task.parameters, account: chain.account, reporter });
  const look = createClientStep({
    chain,
    task: { ...task, committer: keys.committer },
    ...alter(
      {
        prover: keys.prover,
        verifyOwn: (bases, record) => void verifySubmission(task, keys.verificationKeys, bases, record),
        learner: createLearner({
          trainer: training.trainer,
          document: task.document,
          tensors: task.tensors,
          random,
          reporter,
          signal,
        }),
      },
      task,
    ),
    random,
    journal,
    reporter,
    replicate: (cid) => network.replicate(store, cid, (peers) => bundleCopies(peers, task.parameters.threshold)),
    spread: (cid) => network.spread(store, cid),
    ...(options.relay === true
      ? {
          relay: createRelayClient({
            chain,
            nodes: network.peers,
            fetch: peerFetch,
            sleep,
            reporter,
          }),
        }
      : {}),
    clock,
    times,
    onLook: (seen) => {
      vitals.looked(seen);
      watchWeight(seen);
      return watch(seen);
    },
    ...(options.rounds === undefined ? {} : { rounds: options.rounds }),
    ...continuedAudit(task, keys.verificationKeys, keys.verifier),
    ...(training.measure === undefined ? {} : { onModel: training.measure }),
  });
  const step = withSecondLook(look, chain, (progress) => progress === "done");
  const pace = createPace({ chain, pollMs: options.pollMs ?? POLL_MS, sleep, clock });
  const prune = prunerOf(node, resultsOf(node), reporter, {
    keepRounds: options.keepRounds,
    aheadRounds: mostRoundsAhead(task.parameters),
  });
  const requireSameDeployment = createDeploymentWatch(chain, () => performance.now());
  try {
    for (;;) {
      const progress = (await outlive(step, reporter)) ?? "waiting";
      if (progress === "done") break;
      await outlive(rejoin, reporter);
      if (progress === "waiting") {
        await outlive(prune, reporter);
        await outlive(pace.pause, reporter);
      } else {
        vitals.acted();
        pace.moved();
      }
      await outlive(() => network.refresh(), reporter);
      await outlive(requireSameDeployment, reporter);
    }
    await outlive(sayOwnPrivacy, reporter);
    reporter.say("good", "done", "this client's part in the task is complete");
  } finally {
    await keys.prover.close();
  }
}

/**
 * A directory that is a copy may lack what was made for the present round, and of the newest model: nothing is made for
 * them a second time. What it lacks of earlier rounds and models, nobody knows.
 */
async function leaveOldCopy({ chain, state }: WritingNode, journal: Journal, reporter: Reporter): Promise<void> {
  const { round, latestModel, finalisedRounds } = await chain.look();
  const { number } = round;
  await journal.sitOut(number);
  await journal.loseVector({
    base: BigInt(finalisedRounds),
    firstRound: number,
    baseModelDigest: latestModel.digest,
  });
  await state.adopt();
  reporter.say(
    "warn",
    "state-copied",
    `the state directory is a copy: this client sits round ${number} out, and its own count of what it has revealed may be too low`,
    { round: number },
  );
}
