/** What `fl-client join --invite` does before it joins: it checks the invitation, and asks before it pays. */
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { connectReader } from "../chain/connect.ts";
import type { ConnectOptions } from "../chain/connect.ts";
import { ensure, isVerisumError, VerisumError } from "../protocol/errors.ts";
import type { Hex } from "../protocol/transcript.ts";
import { readUserFile, refuseWith } from "../storage/user-file.ts";
import { checkInvitation, ensureInvited, parseInvitation } from "../task/invitation.ts";

type Terminal = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** Of an invitation. */
const MOST_BYTES = 2 ** 20;

/** How a task is reached. */
export interface TaskAddress {
  readonly contract: Hex;
  readonly chainId: bigint;
  readonly rpc: readonly string[];
  readonly peers: readonly string[];
}

/**
 * Checks an invitation by itself and against the chain.
 * @param options the user's own: endpoints that are named there are asked in place of the invitation's, and a chain
 *   that is named there is the only one
 * @param nowSeconds Unix time
 * @throws INVITATION_REFUSED, USAGE if there is no such file, CHAIN_WRONG_NETWORK and other CHAIN_* errors
 */
export async function acceptInvitation(
  file: string,
  options: Pick<ConnectOptions, "confirmations" | "fromBlock" | "chainId"> & { readonly rpc?: readonly string[] },
  nowSeconds: number,
): Promise<TaskAddress> {
  const bytes = await readUserFile(file, MOST_BYTES, refuseWith("USAGE", `the invitation ${file}`, { file }));
  const invitation = parseInvitation(bytes, nowSeconds);
  const { chainId, contract } = invitation.context;
  const wanted = options.chainId ?? chainId;
  ensure(wanted === chainId, "CHAIN_WRONG_NETWORK", `the invitation is for chain ${chainId}, not ${wanted}`, {
    actual: chainId,
    expected: wanted,
  });
  const { endpoints, peers } = invitation.terms;
  const rpc = options.rpc ?? endpoints;
  const chain = await connectReader({ ...options, rpc, contract, chainId }).catch((error: unknown) => {
    ensureInvited(!isVerisumError(error, "CHAIN_WRONG_NETWORK"), "chain", (error as Error).message);
    throw error;
  });
  await checkInvitation(invitation, chain);
  return { contract, chainId, rpc, peers };
}

/** Asks the person at the terminal. @throws CONSENT_MISSING unless the answer is yes, or if nobody is there */
export async function askConsent(question: string, input: Terminal = process.stdin): Promise<void> {
  if (input.isTTY !== true)
    throw new VerisumError("CONSENT_MISSING", `${question} Nobody is at the terminal to say yes: give --yes`);
  const terminal = createInterface({ input, output: process.stderr });
  // Ctrl-D and a lost terminal are no answer, and nothing else would end the question.
  const ended = once(terminal, "close").then(() => "");
  const answer = await Promise.race([terminal.question(`${question} [yes/no] `), ended]);
  terminal.close();
  ensure(/^y(es)?$/i.test(answer.trim()), "CONSENT_MISSING", "the answer was not yes: nothing was sent");
}
