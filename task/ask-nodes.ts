/** Asking several nodes at each look, any of which may be slow, away or against it. */
import { enoughOf } from "../content/straggling.ts";

/** Longest wait for nodes in one look, in milliseconds; an answer that comes later is used when it comes. */
const PATIENCE_MS = 3000;

/**
 * Asks every node that is not being asked yet. Failures of `ask` are this machine's, not the node's: one is thrown, at
 * once or at a later look at the same subject; those of an earlier subject are forgotten.
 * @param subject names what the look is about, such as a round
 */
export type AskNodes = (
  subject: string,
  nodes: readonly string[],
  ask: (node: string) => Promise<void>,
) => Promise<void>;

/** Each node is asked once at a time, and holds up no other. */
export function createNodeAsker(): AskNodes {
  const asking = new Set<string>();
  let current: string | undefined;
  let failures: { readonly cause: unknown }[] = [];
  return async (subject, nodes, ask) => {
    if (current !== subject) [current, failures] = [subject, []];
    const asked = nodes
      .filter((node) => !asking.has(node))
      .map(async (node) => {
        asking.add(node);
        try {
          await ask(node);
        } catch (cause) {
          if (current === subject) failures.push({ cause });
        } finally {
          asking.delete(node);
        }
      });
    await enoughOf(asked, { isEnough: () => false, graceMs: 0, patienceMs: PATIENCE_MS });
    const failed = failures.shift();
    if (failed !== undefined) throw failed.cause;
  };
}
