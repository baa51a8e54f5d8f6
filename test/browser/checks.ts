/** The auditor's checks of one submission, as a page runs them. Everything that this file imports runs in a browser. */
import { verifySubmission } from "../../auditor/audit-submission.ts";
import { Checker } from "../../auditor/checklist.ts";
import type { Finding } from "../../auditor/checklist.ts";
import { decodeCar } from "../../content/car.ts";
import { cidFromDigest, parseDirectoryCid } from "../../content/cid.ts";
import { DEFAULT_DAG_LIMITS } from "../../content/dag.ts";
import { equalG1 } from "../../protocol/points.ts";
import { layoutOfTask } from "../../protocol/task.ts";
import { fromHex } from "../../protocol/transcript.ts";
import { decodeVerificationKeys } from "../../protocol/verification-key.ts";
import { openCurveHere } from "../../proving/curve/curve.ts";
import type { Curve } from "../../proving/curve/curve.ts";
import { kzgCommitter } from "../../proving/curve/kzg.ts";
import type { Evidence } from "./evidence.ts";

export interface Report {
  readonly findings: readonly Finding[];
  /** Of the auditor's checks. */
  readonly milliseconds: number;
  /** Whether the curve works here, by the kernel (if it does) and by the engine alone. */
  readonly commitments: { readonly hasKernel: boolean; readonly same: readonly boolean[] };
}

/** @param json of an `Evidence`, bigints written as `12n` */
export async function checkEvidence(json: string): Promise<Report> {
  const evidence = JSON.parse(json, (_, value: unknown) =>
    typeof value === "string" && /^[0-9]+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
  ) as Evidence;
  const { context, parameters, base, record } = evidence;
  const task = {
    layout: layoutOfTask(parameters),
    parameters,
    chain: { context },
  };
  const bases = new Map([[base.number, base.digest]]);
  const checker = new Checker(() => undefined);
  const started = performance.now();
  await checker.check(
    Number(record.round),
    "submission",
    () => verifySubmission(task, decodeVerificationKeys(fromHex(evidence.keys)), { bases }, record),
    (chunks) => `${chunks} proofs and the opening verify`,
  );
  const root = parseDirectoryCid(cidFromDigest(record.submission.sharesCid));
  await checker.check(
    Number(record.round),
    "shares",
    () => decodeCar(fromHex(evidence.shares), root, DEFAULT_DAG_LIMITS),
    (blocks) => `${blocks.length} blocks hash to their CIDs`,
  );
  const milliseconds = performance.now() - started;
  const curve = await openCurveHere();
  const same: boolean[] = [];
  for (const alone of [curve, { ...curve, kernel: undefined }]) same.push(await commitsAlike(alone, evidence));
  return {
    findings: checker.result().findings,
    milliseconds,
    commitments: { hasKernel: curve.kernel !== undefined, same },
  };
}

async function commitsAlike(curve: Curve, { vector, powers, record }: Evidence): Promise<boolean> {
  const commitment = await kzgCommitter(curve, fromHex(powers)).commit(vector);
  return equalG1(commitment, record.submission.commitment);
}
