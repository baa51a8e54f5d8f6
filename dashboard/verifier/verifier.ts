/** Starts the verifier's worker. */
import workerUrl from "./worker.ts?worker&url";
import { placesQuery } from "./messages.ts";
import type { VerifierMessage, VerifyRequest } from "./messages.ts";

/** Nothing but the bundle's own worker is ever started. */
const policy =
  typeof trustedTypes === "undefined"
    ? undefined
    : trustedTypes.createPolicy("verisum", {
        createScriptURL: (url) => {
          if (url.split("?")[0] !== workerUrl) throw new Error("only the verifier runs in a worker");
          return url;
        },
      });

export interface VerifyPlaces {
  readonly rpc: readonly string[];
  readonly gateways: readonly string[];
}

/** @returns ends the worker */
export function startVerifier(
  { rpc, gateways }: VerifyPlaces,
  request: VerifyRequest,
  onMessage: (message: VerifierMessage) => void,
): () => void {
  const url = `${workerUrl}${placesQuery(rpc, gateways)}`;
  const worker = new Worker(policy?.createScriptURL(url) ?? url, { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<VerifierMessage>) => onMessage(data));
  worker.addEventListener("error", ({ message }) =>
    onMessage({ kind: "failure", code: "DEFECT", message: message || "the verifier did not start" }),
  );
  worker.postMessage(request);
  return () => worker.terminate();
}
