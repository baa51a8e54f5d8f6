/** `fl-aggregator`: the committee and the aggregator. */
import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { recoverResultSigner } from "../chain/result-signature.ts";
import { connectionOptions, contentOptions, positiveInteger, reporterFor } from "../command/options.ts";
import type { CommonFlags } from "../command/options.ts";
import { platformRandom } from "../command/platform-random.ts";
import { createProgram } from "../command/program.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { outlive, runCommand } from "../command/run.ts";
import { loadDataset } from "../learning/dataset.ts";
import { createTrainer } from "../learning/trainer.ts";
import { loadCommitter } from "../task/keys.ts";
import { openWritingNode } from "../task/node.ts";
import type { WritingNode } from "../task/node.ts";
import { VerisumError } from "../protocol/errors.ts";
import { createCoordinator } from "./coordinator.ts";
import type { CoordinatorDependencies } from "./coordinator.ts";
import { listenAddress, openEndpoint, taskGateway, urlOf } from "./endpoint.ts";
import type { ListenAddress } from "./endpoint.ts";
import { createMemberStep } from "../member/member-loop.ts";
import { addProposalRoutes } from "./proposal.ts";
import { addRelayRoute, createRelay } from "./relay.ts";
import { openRoundKeys } from "../member/round-keys.ts";

interface NodeFlags extends CommonFlags {
  readonly listen: ListenAddress;
  readonly publicUrl?: string;
}

interface ServeFlags extends NodeFlags {
  readonly data?: string;
  readonly once?: boolean;
  readonly batch?: number;
}

const program = createProgram("fl-aggregator", "Run a committee member or the aggregator of a Verisum task.");

nodeCommand(
  "member",
  "check and attest shares, release one share sum a round, sign results that were recomputed",
  "127.0.0.1:7701",
)
  .option("--min-clients <n>", "this member's own minimum of clients in a sum (default: the task's)", Number)
  .action(async (flags: NodeFlags & { readonly minClients?: number }) => {
    const reporter = reporterFor(flags, "member");
    await runCommand(reporter, (signal) => runMember(flags, reporter, signal));
  });

nodeCommand("serve", "collect, interpolate, check, average, publish, finalise; open the next round", "127.0.0.1:7700")
  .option("--data <spec>", "measure each model on this test data")
  .option(
    "--batch <n>",
    "relay clients' signed submissions, up to this many in one transaction, at this account's cost",
    positiveInteger,
  )
  .option("--once", "stop when the task is complete")
  .action(async (flags: ServeFlags) => {
    const reporter = reporterFor(flags, "aggregator");
    await runCommand(reporter, (signal) => runAggregator(flags, reporter, signal));
  });

function nodeCommand(name: string, description: string, listen: string): Command {
  return contentOptions(connectionOptions(program.command(name).description(description), true))
    .addOption(
      new Option("--listen <host:port>", "where the gateway listens")
        .default(listenAddress(listen), listen)
        .argParser(listenAddress),
    )
    .option(
      "--public-url <url>",
      "the endpoint that others use and that is announced on chain (default: the listening address)",
    );
}

async function runMember(
  flags: NodeFlags & { readonly minClients?: number },
  reporter: Reporter,
  signal: AbortSignal,
): Promise<void> {
  const publicUrl = flags.publicUrl ?? urlOf(flags.listen);
  const node = await openNode(flags, "member", publicUrl, reporter, signal);
  const { chain, task, store, state, network, scope } = node;
  const seat = (await chain.members()).findIndex((member) => member.toLowerCase() === chain.account.toLowerCase()) + 1;
  if (seat === 0)
    throw new VerisumError("ROLE_NOT_REGISTERED", `${chain.account} holds no seat in this task's committee`, {
      account: chain.account,
    });
  reporter.say("info", "seat", `seat ${seat} of ${task.parameters.committeeSize}, task “${task.document.name}”`, {
    seat,
  });
  const app = taskGateway(node, publicUrl);
  await openEndpoint(app, flags.listen, publicUrl, node, reporter);
  const memberScope = `${scope}-${seat}`;
  const step = createMemberStep({
    chain,
    task: { ...task, committer: await loadCommitter(task, state, platformRandom, reporter) },
    seat,
    keys: openRoundKeys(state, memberScope),
    state,
    scope: memberScope,
    localMinimum: Math.max(flags.minClients ?? 0, task.parameters.minClients),
    reporter,
    replicate: (cid) => network.replicate(store, cid),
    random: platformRandom,
    fetch: globalThis.fetch,
    nodes: network.peers,
  });
  try {
    await poll(node, reporter, flags.pollMs, step, () => Promise.resolve(false));
  } finally {
    await app.close();
    await node.close();
  }
}

async function runAggregator(flags: ServeFlags, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const publicUrl = flags.publicUrl ?? urlOf(flags.listen);
  const node = await openNode(flags, "aggregator", publicUrl, reporter, signal);
  const { chain, task, state } = node;
  const app = taskGateway(node, publicUrl);
  const board = addProposalRoutes(app, async (proposal, { seat, signature }) => {
    const { settled } = await chain.records(proposal.round);
    if (settled === undefined) return false;
    const member = (await chain.members())[seat - 1];
    return (
      recoverResultSigner(chain.context, { ...settled, ...proposal.result }, signature).toLowerCase() ===
      member?.toLowerCase()
    );
  });
  const clock = (): number => performance.now();
  const relay =
    flags.batch === undefined
      ? undefined
      : createRelay({ chain, parameters: task.parameters, batch: flags.batch, reporter, clock });
  if (relay !== undefined) addRelayRoute(app, relay, task.parameters, clock);
  await openEndpoint(app, flags.listen, publicUrl, node, reporter);
  const evaluate = flags.data === undefined ? undefined : await evaluator(flags.data, task.document.model);
  const coordinate = createCoordinator({
    chain,
    task: { ...task, committer: await loadCommitter(task, state, platformRandom, reporter) },
    board,
    reporter,
    siblingNodes: { nodesOf: node.network.nodesOf, fetch: globalThis.fetch },
    ...(evaluate === undefined ? {} : { evaluate }),
  });
  const { maxRounds } = task.parameters;
  const step = async (): Promise<boolean> => (await relay?.step()) === true || coordinate();
  const complete = async (): Promise<boolean> =>
    flags.once === true && maxRounds > 0 && (await chain.finalisedRounds()) >= maxRounds;
  try {
    await poll(node, reporter, flags.pollMs, step, complete);
  } finally {
    await app.close();
    await node.close();
  }
}

async function openNode(
  flags: NodeFlags,
  role: string,
  publicUrl: string,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<WritingNode> {
  return openWritingNode(
    {
      ...flags,
      stateDirectory: flags.state ?? join(".verisum", role),
      ...(flags.store === undefined ? {} : { storeDirectory: flags.store }),
      peers: flags.peer,
      ownEndpoint: publicUrl,
    },
    reporter,
    signal,
  );
}

/** Runs steps until `complete`; looks at the chain again at once after an action. */
async function poll(
  node: WritingNode,
  reporter: Reporter,
  pollMs: number,
  step: () => Promise<boolean>,
  complete: () => Promise<boolean>,
): Promise<void> {
  while ((await outlive(complete, reporter)) !== true) {
    const acted = await outlive(async () => {
      await node.network.refresh();
      return step();
    }, reporter);
    if (acted !== true) await node.sleep(pollMs);
  }
}

async function evaluator(data: string, model: unknown): Promise<NonNullable<CoordinatorDependencies["evaluate"]>> {
  const { test } = await loadDataset(data);
  const trainer = await createTrainer(model);
  return async (weights) => {
    const { accuracy, loss } = await trainer.evaluate(weights, test);
    return { accuracy, loss, samples: test.sampleCount };
  };
}

await program.parseAsync();
