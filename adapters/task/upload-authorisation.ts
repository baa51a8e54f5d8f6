/** Who may store content with whom: accounts of the task, proven by a signature over what they upload (EIP-191). */
import { getAddress, verifyMessage } from "ethers";
import type { Hex } from "../../protocol/transcript.ts";
import type { TaskReader, TaskWriter } from "../chain/task-chain.ts";
import type { UploadRequest } from "../ipfs/gateway.ts";

const SCHEME = "Verisum";
const VALID_SECONDS = 600;

/** The Authorization header for an upload: `Verisum <account> <expiry> <signature>`. */
export async function uploadAuthorization(chain: TaskWriter, root: string, nowSeconds: number): Promise<string> {
  const expires = nowSeconds + VALID_SECONDS;
  const signature = await chain.signText(uploadText(chain, root, expires));
  return `${SCHEME} ${chain.account} ${expires} ${signature}`;
}

/**
 * Accepts uploads by the task's operator, members and clients.
 * @returns true, or why not
 */
export function authoriseTaskUploads(chain: TaskReader, now: () => number): (request: UploadRequest) => Promise<true | string> {
  return async ({ root, authorization }) => {
    const [scheme, account, expiry, signature, ...rest] = (authorization ?? "").split(" ");
    if (scheme !== SCHEME || account === undefined || expiry === undefined || signature === undefined || rest.length > 0) {
      return `the Authorization header is ${SCHEME} <account> <expiry> <signature>`;
    }
    const expires = Number(expiry);
    const nowSeconds = now();
    if (!Number.isSafeInteger(expires) || expires < nowSeconds || expires > nowSeconds + 2 * VALID_SECONDS) return "the authorisation has expired";
    try {
      if (verifyMessage(uploadText(chain, root, expires), signature) !== getAddress(account)) return "the signature is not the account's";
    } catch {
      return "the signature is malformed";
    }
    return (await isOfTask(chain, account.toLowerCase() as Hex)) || "the account has no part in the task";
  };
}

function uploadText(chain: TaskReader, root: string, expires: number): string {
  const { chainId, contract } = chain.context;
  return `Verisum upload\nchain ${chainId}\ncontract ${contract}\nroot ${root}\nexpires ${expires}`;
}

async function isOfTask(chain: TaskReader, account: Hex): Promise<boolean> {
  if ((await chain.client(account)).weight > 0) return true;
  const members = [...(await chain.members()), await chain.operator()];
  return members.some((member) => member.toLowerCase() === account);
}
