/** What `fl-aggregator member` does: one seat of a committee, until it is stopped. */
import { persist } from "../command/run.ts";
import { peerFetch } from "../content/peer-fetch.ts";
import { openEndpoint, publicUrlOf, readTls, taskGateway } from "../task/endpoint.ts";
import type { EndpointOptions } from "../task/endpoint.ts";
import { createKeyKeeper } from "../task/keeping-keys.ts";
import { loadCommitter } from "../task/keys.ts";
import { openWritingNode } from "../task/node.ts";
import type { NodeOptions } from "../task/node.ts";
import { addNodePages } from "../task/node-pages.ts";
import { openStatements } from "../task/node-statements.ts";
import { createPace } from "../task/pace.ts";
import { MIN_COPIES } from "../task/peer-network.ts";
import { prunerOf, resultsOf } from "../task/pruning.ts";
import { poll, stepOrChores } from "../task/role.ts";
import type { RoleDependencies } from "../task/role.ts";
import { createVitals } from "../task/vitals.ts";
import { createMemberStep } from "./member-loop.ts";
import { leaveSeat, seatOf } from "./own-seat.ts";
import { openRoundKeys } from "./round-keys.ts";

export interface MemberOptions extends NodeOptions, EndpointOptions {
  /** Longest pause between looks at the chain, in milliseconds. */
  readonly pollMs: number;
  /** This member's own minimum of clients in a sum; the task's by default, and never less. */
  readonly minClients?: number;
}

/**
 * Checks and attests shares, releases one share sum a round, signs results that it recomputed; ends with the signal.
 * One whose seat is another member's for good erases the keys that it still has, says so and ends.
 * @throws ROLE_NOT_REGISTERED if the account never held a seat; INTERRUPTED; what opening a node throws
 */
export async function runMember(options: MemberOptions, deps: RoleDependencies): Promise<void> {
  const { random, signal } = deps;
  const clock = (): number => performance.now();
  const vitals = createVitals(clock, options.pollMs);
  const reporter = vitals.watching(deps.reporter);
  const publicUrl = publicUrlOf(options);
  const tls = await readTls(options);
  const node = await openWritingNode({ ...options, ownEndpoint: publicUrl }, reporter, signal);
  const { chain, task, store, state, network, scope, sleep } = node;
  const look = await persist(() => chain.look(), reporter, sleep);
  const term = seatOf(look, chain.account);
  const { seat } = term;
  const memberScope = `${scope}-${seat}`;
  const keys = openRoundKeys(state, memberScope);
  if (await leaveSeat(term, look, keys, reporter)) return node.close();
  reporter.say("info", "seat", `seat ${seat} of ${task.parameters.committeeSize}, task “${task.document.name}”`, {
    seat,
  });
  const app = taskGateway(node, publicUrl, tls);
  addNodePages(app, node, { role: "member", seat }, vitals);
  const statements = openStatements(app, node, { fetch: peerFetch, clock });
  const announce = await openEndpoint(app, options.listen, publicUrl, node, reporter);
  const results = resultsOf(node);
  const step = createMemberStep({
    chain,
    task: {
      ...task,
      committer: await node.available(() => loadCommitter(task, state, random, reporter, options.records)),
    },
    seat,
    keys,
    onLook: vitals.looked,
    state,
    scope: memberScope,
    localMinimum: Math.max(options.minClients ?? 0, task.parameters.minClients),
    reporter,
    ...statements,
    results,
    replicate: (cid) => network.replicate(store, cid, () => MIN_COPIES),
    random,
    fetch: peerFetch,
    nodes: network.peers,
    strangers: network.strangers,
    announcersOf: network.announcersOf,
  });
  const prune = prunerOf(node, results, reporter, { keepRounds: options.keepRounds, board: statements.board });
  const keepKeys = createKeyKeeper({ store, document: task.document, reporter, clock });
  const pace = createPace({
    chain,
    pollMs: options.pollMs,
    sleep,
    clock,
    // Shares and proposals come from other nodes.
    asksNodesIn: ["Attesting", "Aggregating"],
  });
  try {
    await poll(
      { node, reporter, pace, vitals },
      () => stepOrChores(step, [keepKeys, prune, announce]),
      () => Promise.resolve(false),
    );
  } finally {
    await app.close();
    await node.close();
  }
}
