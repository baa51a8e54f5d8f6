/** What `fl-aggregator serve` does: coordinate rounds until the task is complete or it is stopped. */
import { peerFetch } from "../content/peer-fetch.ts";
import { openEndpoint, publicUrlOf, readTls, taskGateway } from "../task/endpoint.ts";
import type { EndpointOptions } from "../task/endpoint.ts";
import { createKeyKeeper } from "../task/keeping-keys.ts";
import { loadCommitter } from "../task/keys.ts";
import { openWritingNode } from "../task/node.ts";
import type { NodeOptions } from "../task/node.ts";
import { baselineWatch } from "../learning/evaluation.ts";
import { comparedIn } from "../task/checkpoint.ts";
import { openMeasure } from "../task/measure.ts";
import { addNodePages } from "../task/node-pages.ts";
import { openStatements } from "../task/node-statements.ts";
import { createPace } from "../task/pace.ts";
import { prunerOf, resultsOf } from "../task/pruning.ts";
import { poll, stepOrChores } from "../task/role.ts";
import { hasAllRounds } from "../task/completion.ts";
import type { RoleDependencies } from "../task/role.ts";
import { createVitals } from "../task/vitals.ts";
import { createCoordinator } from "./coordinator.ts";
import { addProposalRoutes } from "./proposal.ts";
import { signatureCheck } from "./signature-check.ts";
import { addRelayRoute, createRelay } from "./relay.ts";
import { createBeside } from "../task/beside.ts";
import { createTidying } from "./tidying.ts";
import { createStatementWakes } from "./wakes.ts";

export interface ServeOptions extends NodeOptions, EndpointOptions {
  /** Longest pause between looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** Measures each model on this test data, as `loadDataset` names it. */
  readonly data?: string;
  /** Ends when the task is complete. */
  readonly once?: boolean;
  /** Relays clients' signed submissions, up to this many in one transaction, at this account's cost. */
  readonly batch?: number;
  /** Takes clients off whom the contract lets anybody take off, at this account's cost. */
  readonly tidy?: boolean;
}

/**
 * Collects, interpolates, checks, averages, publishes, finalises, and opens the next round.
 * @throws INTERRUPTED; what opening a node or loading the data throws
 */
export async function serve(options: ServeOptions, deps: RoleDependencies): Promise<void> {
  const { random, signal } = deps;
  const clock = (): number => performance.now();
  const vitals = createVitals(clock, options.pollMs);
  const reporter = vitals.watching(deps.reporter);
  const publicUrl = publicUrlOf(options);
  const tls = await readTls(options);
  const node = await openWritingNode({ ...options, ownEndpoint: publicUrl }, reporter, signal);
  const { chain, task, state } = node;
  if (state.copied) await state.adopt(); // it keeps nothing that a copy could lack
  const app = taskGateway(node, publicUrl, tls);
  addNodePages(app, node, { role: "aggregator" }, vitals);
  const pace = createPace({
    chain,
    pollMs: options.pollMs,
    sleep: node.sleep,
    clock,
    // What members say comes from their nodes.
    asksNodesIn: ["Attesting", "Aggregating"],
  });
  const proposals = addProposalRoutes(app, signatureCheck(chain, clock), pace.wake);
  const wakes = createStatementWakes(pace.wake);
  const statements = openStatements(app, node, { fetch: peerFetch, clock }, wakes.heard);
  const relay =
    options.batch === undefined
      ? undefined
      : createRelay({
          chain,
          parameters: task.parameters,
          batch: options.batch,
          reporter,
          clock,
          onPending: pace.wake,
        });
  if (relay !== undefined) addRelayRoute(app, relay, task.parameters);
  const announce = await openEndpoint(app, options.listen, publicUrl, node, reporter);
  const measure = options.data === undefined ? undefined : await openMeasure(options.data, task.document);
  const learnsNothing = baselineWatch();
  const results = resultsOf(node);
  const coordinate = createCoordinator({
    chain,
    task: {
      ...task,
      committer: await node.available(() => loadCommitter(task, state, random, reporter, options.records)),
    },
    proposals,
    ...statements,
    reporter,
    results,
    siblingNodes: { nodesOf: node.network.nodesOf, fetch: peerFetch },
    ...(measure === undefined
      ? {}
      : {
          evaluate: async (weights) => {
            const metrics = await measure(weights);
            vitals.measured(metrics);
            const compared = comparedIn(metrics);
            const nothing = compared === undefined ? undefined : learnsNothing(compared);
            if (nothing !== undefined) reporter.say("warn", "learns-nothing", nothing);
            return metrics;
          },
        }),
  });
  const prune = prunerOf(node, results, reporter, { keepRounds: options.keepRounds, board: statements.board });
  const beside = createBeside<void>();
  const tidying = createTidying({ chain, task, reporter });
  const tidy = options.tidy === true ? [() => beside(tidying)] : [];
  // What costs a transaction comes last: it may not be had.
  const keepKeys = createKeyKeeper({ store: node.store, document: task.document, reporter, clock });
  const chores = [keepKeys, prune, announce, ...tidy];
  const step = async (): Promise<boolean> => {
    const look = await chain.look();
    vitals.looked(look);
    wakes.looked(look.round.number);
    return (await relay?.step()) === true || stepOrChores(coordinate, chores);
  };
  const complete = async (): Promise<boolean> =>
    options.once === true && hasAllRounds(task.parameters, await chain.finalisedRounds());
  try {
    await poll({ node, reporter, pace, vitals }, step, complete);
  } finally {
    await app.close();
    await node.close();
  }
}
