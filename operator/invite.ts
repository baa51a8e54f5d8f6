/** What `fl-operator invite` does: writes a signed file with which others find a task and know that it is the one. */
import { connectReader } from "../chain/connect.ts";
import { loadWallet } from "../chain/key-file.ts";
import { parsePeerUrl } from "../content/peers.ts";
import { ensure } from "../protocol/errors.ts";
import type { Reporter } from "../protocol/reporter.ts";
import { maskUrls } from "../protocol/secrets.ts";
import type { Hex } from "../protocol/transcript.ts";
import { writeDurably } from "../storage/durable-file.ts";
import { requireFurtherRounds } from "../task/further-rounds.ts";
import { encodeInvitation, makeInvitation, parseInvitation } from "../task/invitation.ts";
import { announcedNodes } from "../task/peer-network.ts";

export interface InviteFlags {
  readonly contract: Hex;
  readonly rpc: readonly string[];
  readonly chainId?: bigint;
  readonly key?: string;
  readonly peer: readonly string[];
  /** Seconds from now. */
  readonly expires: number;
  readonly out: string;
}

/**
 * Signs and writes an invitation; prints the file's name.
 * @param nowSeconds Unix time
 * @throws ROLE_NOT_REGISTERED, TASK_COMPLETE, IPFS_PEER_URL, KEY_* and CHAIN_* errors
 */
export async function runInvite(flags: InviteFlags, reporter: Reporter, nowSeconds: number): Promise<void> {
  const { contract, rpc, chainId, out } = flags;
  const wallet = await loadWallet(flags.key, process.env);
  flags.peer.forEach(parsePeerUrl);
  const chain = await connectReader({ rpc, contract, ...(chainId === undefined ? {} : { chainId }), confirmations: 0 });
  const [operator, account] = [await chain.operator(), wallet.address.toLowerCase()];
  ensure(
    operator === account,
    "ROLE_NOT_REGISTERED",
    `the task's operator ${operator} alone invites to it, not ${account}`,
    { operator, account },
  );
  requireFurtherRounds(await chain.parameters(), await chain.look());
  const announced = await announcedNodes(chain, reporter);
  if (flags.peer.length === 0 && announced.length === 0)
    reporter.say(
      "warn",
      "no-node",
      "no node of the task is announced yet, and the invitation names none: nobody can join by it before the aggregator or a member has announced its URL; --peer names one",
    );
  const expires = nowSeconds + flags.expires;
  const text = encodeInvitation(await makeInvitation(wallet, chain, { endpoints: rpc, peers: flags.peer, expires }));
  // What a client would refuse is not written.
  parseInvitation(new TextEncoder().encode(text), nowSeconds);
  for (const url of rpc.filter((endpoint) => maskUrls(endpoint) !== endpoint))
    reporter.say("warn", "endpoint-public", `${url} has a path that may be a key: everybody who has the file reads it`);
  await writeDurably(out, text);
  reporter.say("good", "invited", "the invitation holds no secret: anybody may have it, and nobody can alter it");
  process.stdout.write(`${out}\n`);
}
