/** Checks of the task's nodes: whether they answer, how soon, in which version, and what they have. */
import { z } from "zod";
import { withDeadline } from "../../content/deadline.ts";
import { describe, parsePeerUrl, readBody } from "../../content/peers.ts";
import type { Fetch } from "../../content/peers.ts";
import { failed, ok, warning } from "./check.ts";
import type { Finding, NamedFinding } from "./check.ts";

const PEER_TIMEOUT_MS = 5_000;
const SLOW_MS = 2_000;
const MAX_ANSWER_BYTES = 65_536;

export type PeerReading =
  | {
      readonly url: string;
      readonly latencyMs: number;
      /** HTTP status of the question for content; undefined where none was asked for. */
      readonly status: number | undefined;
      /** Undefined if the node does not say. */
      readonly version: string | undefined;
    }
  | { readonly url: string; readonly failure: string };

/** Asks one node. @param cid of what every node of the task should have */
export async function readPeer(url: string, cid: string | undefined, fetch: Fetch): Promise<PeerReading> {
  try {
    const base = parsePeerUrl(url);
    const ask = (path: string): Promise<{ readonly status: number; readonly body: Uint8Array }> =>
      withDeadline(PEER_TIMEOUT_MS, undefined, async (signal) => {
        const response = await fetch(new URL(path, base), { redirect: "error", signal });
        return { status: response.status, body: await readBody(response, MAX_ANSWER_BYTES, signal) };
      });
    const started = performance.now();
    const told = await ask("status");
    const latencyMs = performance.now() - started;
    const status = cid === undefined ? undefined : (await ask(`v1/dag/${cid}`)).status;
    return { url, latencyMs, status, version: versionIn(told.body) };
  } catch (error) {
    return { url, failure: describe(error) };
  }
}

const toldSchema = z.object({ version: z.string().max(40) });

function versionIn(body: Uint8Array): string | undefined {
  try {
    return toldSchema.safeParse(JSON.parse(new TextDecoder().decode(body))).data?.version;
  } catch {
    return undefined;
  }
}

/** One finding for each node. Where another one answers, a dead one is a warning. @param own this program's version */
export function peersFound(readings: readonly PeerReading[], own: string): readonly NamedFinding[] {
  if (readings.length === 0)
    return [
      {
        check: "peers",
        ...failed(
          "no node of the task is known",
          "nobody has announced one on the chain, and none was named",
          "Name one with --peer; the aggregator and the members announce themselves when they start.",
        ),
      },
    ];
  const someAnswer = readings.some((reading) => !("failure" in reading));
  return readings.map((reading) => ({ check: "peers", ...peerFound(reading, own, someAnswer) }));
}

function peerFound(reading: PeerReading, own: string, someAnswer: boolean): Finding {
  const { url } = reading;
  if ("failure" in reading)
    return (someAnswer ? warning : failed)(
      `${url} does not answer`,
      reading.failure,
      "See that the node runs, that its port is open to this machine, and that --public-url names what others reach.",
    );
  const { latencyMs, status, version } = reading;
  const holds = status === 200 ? ", has the task's document" : "";
  const value = `${url} answers in ${Math.round(latencyMs)} ms, ${version === undefined ? "does not tell its version" : `version ${version}`}${holds}`;
  if (status === 403)
    return warning(
      value,
      "it refuses the name that it was asked by",
      "Its operator has to start it with the --public-url that it is reached by.",
    );
  if (status !== undefined && status !== 200)
    return warning(
      value,
      `it does not have the task's document (status ${status})`,
      "Wait until it has copied it; other nodes are asked meanwhile.",
    );
  if (version !== undefined && version.split(".")[0] !== own.split(".")[0])
    return warning(value, `this program has version ${own}`, "Have all parties of a task run the same version.");
  if (latencyMs > SLOW_MS)
    return warning(value, "it answers slowly", "Other nodes are asked first; see whether it is overloaded.");
  return ok(value);
}
