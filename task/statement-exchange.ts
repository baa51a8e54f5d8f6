/**
 * Statements between nodes: each tells those that it knows what it said itself, and asks them for what they know.
 * Nothing depends on one of them, since all serve what all have said.
 */
import pLimit from "p-limit";
import { z } from "zod";
import { readBody } from "../content/peers.ts";
import { isVerisumError } from "../protocol/errors.ts";
import { createNodeAsker } from "./ask-nodes.ts";
import type { StatementBoard } from "./statement-board.ts";
import { MOST_OF_SEAT } from "./statement-board.ts";
import { parseStatement, statementJson } from "./statements.ts";
import type { Statement } from "./statements.ts";

const TIMEOUT_MS = 10_000;
/** Nodes tell what is new at once: they are asked besides for what did not arrive. */
const HEAR_EVERY_MS = 1000;
const MOST_STATEMENTS = 32 * MOST_OF_SEAT;
/** With at most this many bytes of JSON each. */
const MAX_ANSWER_BYTES = MOST_STATEMENTS * 512;

/** Different ones of a round that are kept as they were read. */
const MOST_ANSWERS = 8;

const answerSchema = z.strictObject({ round: z.string(), statements: z.array(z.unknown()).max(MOST_STATEMENTS) });

export interface ExchangeDependencies {
  readonly board: StatementBoard;
  /** Base URLs. */
  readonly nodes: () => readonly string[];
  readonly fetch: typeof globalThis.fetch;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export interface StatementExchange {
  /**
   * Asks every node that is not being asked yet, and tells it those of `own` that it lacks. Returns how many answers
   * about the round were taken since the last call: those to earlier looks at it that came late are among them.
   * @throws errors of this machine and its endpoint
   */
  tell(round: bigint, own: readonly Statement[]): Promise<number>;
  /** The same, but not again soon after it was done; its answers count in the next `tell`. */
  hear(round: bigint, own: readonly Statement[]): Promise<void>;
}

export function createStatementExchange({ board, nodes, fetch, clock }: ExchangeDependencies): StatementExchange {
  const askNodes = createNodeAsker();
  /**
   * New statements of each seat since the last look began. Each cost the check of a signature: no more count, of all
   * answers together, than a board keeps.
   */
  const taken = new Map<number, number>();
  /** One answer is taken at a time: what several nodes say alike is checked once. */
  const inTurn = pLimit(1);

  /** Those that are good; after the first that is not, the node is not believed any further. @throws chain errors */
  const takeAll = async (statements: readonly Statement[]): Promise<void> => {
    const takenOf = (seat: number): number => taken.get(seat) ?? 0;
    try {
      for (const statement of statements)
        if (takenOf(statement.seat) < MOST_OF_SEAT && (await board.add(statement)))
          taken.set(statement.seat, takenOf(statement.seat) + 1);
    } catch (error) {
      if (!isVerisumError(error) || error.entry.about !== "input") throw error;
    }
  };

  const read = createReader();
  let last = { round: -1n, at: 0 };
  /** Of the last round that was asked about, and not yet returned. */
  let answers = { round: -1n, count: 0 };
  const ask = async (round: bigint, own: readonly Statement[]): Promise<void> => {
    last = { round, at: clock() };
    taken.clear();
    if (answers.round !== round) answers = { round, count: 0 };
    const ofRound = answers;
    await askNodes(round.toString(), nodes(), async (node) => {
      const known = await fetchAnswer(node, round, fetch, read);
      if (known === undefined) return;
      await inTurn(() => takeAll(known.statements));
      for (const statement of own.filter((said) => !known.texts.has(textOf(said))))
        await sendStatement(node, statement, fetch);
      ofRound.count += 1;
    });
  };
  return {
    tell: async (round, own) => {
      await ask(round, own);
      const { count } = answers;
      answers.count = 0;
      return count;
    },
    hear: async (round, own) => {
      if (last.round !== round || clock() - last.at >= HEAR_EVERY_MS) await ask(round, own);
    },
  };
}

/** What a node knows of a round; undefined if it cannot be reached or does not say. */
export async function fetchStatements(
  node: string,
  round: bigint,
  fetch: typeof globalThis.fetch,
): Promise<readonly Statement[] | undefined> {
  return (await fetchAnswer(node, round, fetch, readAnswer))?.statements;
}

/** A node's answer. */
interface Answer {
  readonly statements: readonly Statement[];
  /** Of each statement, to look it up by. */
  readonly texts: ReadonlySet<string>;
}

type Read = (round: bigint, text: string) => Answer;

const readAnswer: Read = (round, text) => {
  const { statements } = answerSchema.parse(JSON.parse(text));
  const parsed = statements.map((statement) => parseStatement(round, statement));
  return { statements: parsed, texts: new Set(parsed.map(textOf)) };
};

/** Reads once what several nodes say alike, or one says again: so it is with most answers. */
function createReader(): Read {
  let ofRound = -1n;
  const known = new Map<string, Answer>();
  return (round, text) => {
    if (ofRound !== round || known.size >= MOST_ANSWERS) known.clear();
    ofRound = round;
    const answer = known.get(text) ?? readAnswer(round, text);
    known.set(text, answer);
    return answer;
  };
}

async function fetchAnswer(
  node: string,
  round: bigint,
  fetch: typeof globalThis.fetch,
  read: Read,
): Promise<Answer | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(urlOf(node, round), { redirect: "error", signal });
    const body = await readBody(response, MAX_ANSWER_BYTES, signal);
    if (!response.ok) return undefined;
    return read(round, new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** A node that is away, or refuses, is told again at a later look. */
async function sendStatement(node: string, statement: Statement, fetch: typeof globalThis.fetch): Promise<void> {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(statementJson(statement)),
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  } as const;
  const response = await fetch(urlOf(node, statement.round), request).catch(() => undefined);
  await response?.body?.cancel();
}

function textOf(statement: Statement): string {
  return JSON.stringify(statementJson(statement));
}

function urlOf(node: string, round: bigint): URL {
  return new URL(`v1/statements/${round}`, node.endsWith("/") ? node : `${node}/`);
}
