/** Who may store content with whom: accounts of the task, proven by a signature over what they upload (EIP-191). */
import { getAddress, verifyMessage } from "ethers";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskReader, TaskWriter } from "../chain/task-chain.ts";
import type { UploadRequest } from "../content/gateway.ts";
import { parsePeerUrl } from "../content/peers.ts";
import { knownAccounts } from "./task-accounts.ts";
import { createUploadCounts, ROOTS_PER_ROUND } from "./upload-counts.ts";

const SCHEME = "Verisum";
const VALID_SECONDS = 600;

/** What is to be stored, and where: a node that is sent an upload cannot send it to others in its sender's name. */
interface Upload {
  readonly root: string;
  /** URL of the node that takes it. */
  readonly node: string;
}

/** The Authorization header for an upload: `Verisum <account> <expiry> <signature>`. */
export async function uploadAuthorization(chain: TaskWriter, upload: Upload, nowSeconds: number): Promise<string> {
  const expires = nowSeconds + VALID_SECONDS;
  const signature = await chain.signText(uploadText(chain, upload, expires));
  return `${SCHEME} ${chain.account} ${expires} ${signature}`;
}

/**
 * Accepts uploads by the task's operator, members and clients, a few directories of each in a round: disks are finite.
 * An account without a part in the task is refused before its signature is looked at, and by a list that is read now
 * and then: strangers cause neither a call to the chain nor a computation each.
 * @param ownUrls the URLs by which this node is named to others: one that is not announced yet, and the one that is
 * @param record where uploads are counted, over starts too
 * @returns true, or why not
 */
export function authoriseTaskUploads(
  chain: TaskReader,
  ownUrls: () => Promise<readonly string[]>,
  now: () => number,
  record: string,
): (request: UploadRequest) => Promise<true | string> {
  const isOfTask = knownAccounts(chain, now);
  const count = createUploadCounts(record);
  return async ({ root, authorization }) => {
    const [scheme, account, expiry, signature, ...rest] = (authorization ?? "").split(" ");
    if (
      scheme !== SCHEME ||
      account === undefined ||
      expiry === undefined ||
      signature === undefined ||
      rest.length > 0
    ) {
      return `the Authorization header is ${SCHEME} <account> <expiry> <signature>`;
    }
    const expires = Number(expiry);
    const nowSeconds = now();
    if (!Number.isSafeInteger(expires) || expires < nowSeconds || expires > nowSeconds + 2 * VALID_SECONDS)
      return "the authorisation has expired";
    const name = account.toLowerCase() as Hex;
    if (!(await isOfTask(name))) return "the account has no part in the task";
    const nodes = await ownUrls();
    try {
      const signer = getAddress(account);
      const isSigned = nodes.some(
        (node) => verifyMessage(uploadText(chain, { root, node }, expires), signature) === signer,
      );
      if (!isSigned) return `the signature is not the account's, or not for this node, which is ${nodes.join(", ")}`;
    } catch {
      return "the signature is malformed";
    }
    const { number } = await chain.round();
    return (await count(number, name, root)) || `the account has stored ${ROOTS_PER_ROUND} directories in this round`;
  };
}

/** The account of an upload that was authorised. */
export function uploadSender({ authorization }: UploadRequest): string {
  return (authorization ?? "").split(" ")[1]?.toLowerCase() ?? "";
}

function uploadText(chain: TaskReader, { root, node }: Upload, expires: number): string {
  const { chainId, contract } = chain.context;
  const { href } = parsePeerUrl(node);
  return `Verisum upload\nchain ${chainId}\ncontract ${contract}\nnode ${href}\nroot ${root}\nexpires ${expires}`;
}
