/** A proxy before a node that shows members' statements, those told to the node and those that it gives out. */
import { buffer } from "node:stream/consumers";
import { proxyBefore } from "./node-proxy.ts";
import type { NodeProxy, Passage } from "./node-proxy.ts";

/** @param see told of each statement, as JSON, before it goes on */
export function showStatements(
  upstream: string,
  see: (round: bigint, statement: unknown) => Promise<void>,
): Promise<NodeProxy> {
  return proxyBefore(upstream, ({ url }) => {
    const [, round] = /^\/v1\/statements\/([0-9]+)$/.exec(url!) ?? [];
    if (round === undefined) return undefined;
    const shown: Passage = async function* (message) {
      const whole = await buffer(message);
      for (const statement of statementsIn(whole)) await see(BigInt(round), statement);
      yield whole;
    };
    return shown;
  });
}

/** The one that a node is told, or all that it answers with; none in any other message. */
function statementsIn(message: Buffer): readonly unknown[] {
  if (message.length === 0) return [];
  const json = JSON.parse(message.toString()) as { readonly kind?: unknown; readonly statements?: readonly unknown[] };
  return json.statements ?? (json.kind === undefined ? [] : [json]);
}
