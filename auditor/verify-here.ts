/**
 * `fl verify` where there is no disk and are no threads, as in a browser: the same checks by the same engine, from an
 * endpoint of the chain and gateways alone. Of a ceremony's keys it knows what their folder claims: to verify that
 * takes their whole files.
 */
import { readerAt } from "../chain/reader.ts";
import { openEndpoint } from "../chain/rpc.ts";
import { filesFrom } from "../content/gateway-files.ts";
import type { Fetch } from "../content/peers.ts";
import { isVerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { openCurveHere } from "../proving/curve/curve.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { claimedOrigin, claimedSetup } from "../task/keys-claim.ts";
import type { KeysOrigin } from "../task/keys-claim.ts";
import { openTask } from "../task/open-task.ts";
import type { OpenTask } from "../task/opened-task.ts";
import { auditTask } from "./audit-task.ts";
import { auditTwice } from "./audit-twice.ts";
import type { Finding } from "./checklist.ts";
import { makeReport } from "./report/make-report.ts";
import type { TaskReport } from "./report/report.ts";
import { verdictOf } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

const PROGRAM = "a browser with the auditor’s code of verisum";

export interface VerifyHereOptions {
  readonly contract: Hex;
  readonly chainId: bigint;
  /** Endpoints, of which the first is asked first. */
  readonly rpc: readonly string[];
  readonly gateways: readonly string[];
  readonly fetch: Fetch;
  /** A CSPRNG. */
  readonly random: RandomBytes;
  readonly reporter: Reporter;
  readonly onFinding: (finding: Finding) => void;
  /** Everything is read again: the findings so far no longer count. */
  readonly onAgain: (why: string) => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
  /** Of the report. */
  readonly now: Date;
}

/** What was found, and the report that can be filed. */
export interface VerifiedHere {
  readonly verdict: Verdict;
  readonly report: TaskReport;
}

/** @throws CHAIN_* of an endpoint, IPFS_UNAVAILABLE if no gateway has the task's document; what `openTask` throws */
export async function verifyHere(options: VerifyHereOptions): Promise<VerifiedHere> {
  const { rpc, chainId, contract, fetch, gateways, random, reporter, onFinding, onAgain, clock, now } = options;
  const { endpoint } = await openEndpoint(rpc, chainId);
  const chain = await readerAt(endpoint, chainId, contract, { lookMs: 5_000 });
  const task = await openTask(chain, filesFrom({ gateways, fetch, reporter }));
  const verifier = submissionVerifier(await openCurveHere(), random);
  const started = clock();
  const origin = await originOf(task);
  const says = origin?.state === "development" ? { origin: async () => origin.says } : {};
  const audit = await auditTwice(
    chain,
    () => auditTask(task, { verifier, onFinding, ...says }),
    ({ message }) => onAgain(message),
  );
  const verdict = verdictOf(audit, { processorMs: clock() - started, context: chain.context, origin });
  return { verdict, report: await makeReport(task, verdict, { program: PROGRAM, now }) };
}

/** Undefined if nobody has the key folder's list. */
async function originOf(task: OpenTask): Promise<KeysOrigin | undefined> {
  try {
    return claimedOrigin(await claimedSetup(task));
  } catch (error) {
    if (!isVerisumError(error) || error.entry.about === "host") throw error;
    return undefined;
  }
}
