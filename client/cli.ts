/** `fl-client`: take part in a task with local data. */
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { connectionOptions, contentOptions, formatOption, reporterFor } from "../adapters/cli/options.ts";
import type { CommonFlags } from "../adapters/cli/options.ts";
import { runCommand } from "../adapters/cli/run.ts";
import { loadProvingKeys } from "../adapters/task/keys.ts";
import { describeDataset, loadDataset } from "../adapters/learning/dataset.ts";
import { createTrainer } from "../adapters/learning/trainer.ts";
import { openWritingNode } from "../adapters/task/node.ts";
import type { WritingNode } from "../adapters/task/node.ts";
import type { Reporter } from "../adapters/cli/reporter.ts";
import { floatWeights } from "../protocol/model.ts";
import { loadModelState } from "../adapters/task/checkpoint.ts";
import { auditTask } from "./audit/audit-task.ts";
import { createClientStep } from "./client-loop.ts";
import { openJournal } from "./journal.ts";
import { createLearner } from "./learner.ts";

interface JoinFlags extends CommonFlags {
  readonly data: string;
  readonly rounds?: number;
}

const random = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

const program = new Command("fl-client").description("Take part in a Verisum task: train on local data, prove, submit.").showHelpAfterError();

contentOptions(connectionOptions(program.command("join").description("join a task and take part in its rounds until it is complete"), true))
  .requiredOption("--data <spec>", "local data: digits, a folder or file in IDX (MNIST) format, or a CSV file; it never leaves this machine")
  .option("--rounds <n>", "stop after taking part in this many rounds", positiveInteger)
  .action(async (flags: JoinFlags) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, async (signal) => join_(flags, reporter, signal));
  });

formatOption(program.command("data").description("show what a data set contains, without a task"))
  .requiredOption("--data <spec>", "as for join")
  .action(async (flags: { readonly data: string; readonly format: "text" | "json" }) => {
    const reporter = reporterFor(flags, "client");
    await runCommand(reporter, async () => {
      const { train, test } = await loadDataset(flags.data);
      const parts = { train: describeDataset(train), test: describeDataset(test) };
      process.stdout.write(`${JSON.stringify(parts, undefined, flags.format === "json" ? 0 : 2)}\n`);
    });
  });

async function join_(flags: JoinFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const { train, test } = await loadDataset(flags.data);
  reporter.say("info", "data", `connected ${train.sampleCount} training and ${test.sampleCount} test samples, ${train.classCount} classes; they stay on this machine`, { samples: train.sampleCount });
  const node = await openWritingNode({ ...flags, stateDirectory: flags.state ?? join(".verisum", "client"), ...(flags.store === undefined ? {} : { storeDirectory: flags.store }), peers: flags.peer }, reporter, signal);
  const { chain, session, state, store, network } = node;
  reporter.say("info", "task", `task “${session.document.name}”, ${session.parameters.dimension} weights in ${session.layout.chunks.length} chunk(s), as ${chain.account}`, { account: chain.account });
  const keys = await loadProvingKeys(session, state, reporter);
  const trainer = await createTrainer(session.document.model);
  await register(node, reporter);
  const journal = openJournal(state, `${node.scope}-${chain.account}`);
  let participated = 0;
  const step = createClientStep({
    chain,
    session: { ...session, committer: keys.committer },
    prover: keys.prover,
    learner: createLearner({ trainer, data: train, document: session.document, random, reporter }),
    random,
    journal,
    reporter,
    replicate: (cid) => network.replicate(store, cid),
    clock: () => performance.now(),
    audit: (after, until) => auditTask(session, { after, until }),
    onModel: async (round) => {
      const { cid, digest } = await chain.latestModel();
      const model = await loadModelState(store, cid, digest, session.parameters.dimension);
      const { accuracy } = await trainer.evaluate(floatWeights(model, session.document.server.fractionalBits), test);
      reporter.say("info", "accuracy", `model of round ${round}: ${(accuracy * 100).toFixed(1)} % on local test data`, { round, accuracy });
    },
  });
  try {
    for (;;) {
      const progress = await step();
      if (progress === "done") break;
      if (progress === "acted" && ++participated === flags.rounds) break;
      if (progress === "waiting") await node.sleep(flags.pollMs);
      await network.refresh();
    }
    reporter.say("good", "done", "this client's part in the task is complete");
  } finally {
    await keys.prover.close();
    await node.close();
  }
}

/** Registers with an open task; on an allow-listed one, waits until the operator has listed the account. */
async function register({ chain, session, sleep }: WritingNode, reporter: Reporter): Promise<void> {
  for (;;) {
    const { weight, activeFromRound } = await chain.client(chain.account);
    if (weight > 0) {
      reporter.say("info", "registered", `registered with weight ${weight}, from round ${activeFromRound}`, { weight, activeFromRound });
      return;
    }
    if (session.parameters.openRegistration) await chain.join();
    else {
      reporter.wait(`waiting until the operator lists ${chain.account}`, { account: chain.account });
      await sleep(2000);
    }
  }
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a positive whole number");
  return value;
}

await program.parseAsync();
