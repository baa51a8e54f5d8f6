/**
 * `fl verify` where there is no disk and are no threads, as in a browser: the same checks by the same engine, from an
 * endpoint of the chain and gateways alone. Where the keys come from is not looked at: that takes their whole files.
 */
import { readerAt } from "../chain/reader.ts";
import { openEndpoint } from "../chain/rpc.ts";
import { filesFrom } from "../content/gateway-files.ts";
import type { Fetch } from "../content/peers.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
import type { Hex } from "../protocol/transcript.ts";
import { openCurveHere } from "../proving/curve/curve.ts";
import { submissionVerifier } from "../proving/groth16/submission-batch.ts";
import { openTask } from "../task/open-task.ts";
import { auditTask } from "./audit-task.ts";
import { auditTwice } from "./audit-twice.ts";
import type { Finding } from "./checklist.ts";
import { verdictOf } from "./verdict.ts";
import type { Verdict } from "./verdict.ts";

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
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

/** @throws CHAIN_* of an endpoint, IPFS_UNAVAILABLE if no gateway has the task's document; what `openTask` throws */
export async function verifyHere(options: VerifyHereOptions): Promise<Verdict> {
  const { rpc, chainId, contract, fetch, gateways, random, reporter, onFinding, clock } = options;
  const { endpoint } = await openEndpoint(rpc, chainId);
  const chain = await readerAt(endpoint, chainId, contract, { lookMs: 5_000 });
  const task = await openTask(chain, filesFrom({ gateways, fetch, reporter }));
  const verifier = submissionVerifier(await openCurveHere(), random);
  const started = clock();
  const audit = await auditTwice(
    chain,
    () => auditTask(task, { verifier, onFinding }),
    ({ message }) => reporter.say("warn", "audited-again", message),
  );
  return verdictOf(audit, { processorMs: clock() - started, context: chain.context });
}
