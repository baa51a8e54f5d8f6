/** The auditor in a worker: everything that it decides with is the auditor's own code. */
import "./jitless.ts";
import { verifyHere } from "../../auditor/verify-here.ts";
import { isVerisumError } from "../../protocol/errors.ts";
import type { Hex } from "../../protocol/transcript.ts";
import type { VerifierMessage, VerifyRequest } from "./messages.ts";

const places = new URLSearchParams(location.search);
const tell = (message: VerifierMessage): void => postMessage(message);
/** Most bytes that the platform gives at once. */
const MOST_RANDOM = 65_536;

function random(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += MOST_RANDOM) crypto.getRandomValues(bytes.subarray(at, at + MOST_RANDOM));
  return bytes;
}

addEventListener("message", ({ data }: MessageEvent<VerifyRequest>) => {
  verifyHere({
    contract: data.contract as Hex,
    chainId: BigInt(data.chainId),
    rpc: places.getAll("rpc"),
    gateways: places.getAll("gateway"),
    fetch: (input, init) => fetch(input, init),
    random,
    reporter: { say: () => undefined, wait: () => undefined },
    onFinding: (finding) => tell({ kind: "finding", finding }),
    onAgain: (why) => tell({ kind: "again", why }),
    clock: () => performance.now(),
    now: new Date(),
  }).then(
    (verified) => tell({ kind: "verdict", ...verified }),
    (error: unknown) =>
      tell({
        kind: "failure",
        code: isVerisumError(error) ? error.code : "DEFECT",
        message: error instanceof Error ? error.message : String(error),
      }),
  );
});
