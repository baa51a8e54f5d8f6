/** IPFS: content, its store and the gateway. */
import { DISCARDED } from "./entry.ts";
import type { ErrorEntry } from "./entry.ts";

const FETCHED_AGAIN =
  "The peer or the disk returned wrong content. It was discarded; the content is fetched from the next peer.";

export const CONTENT_ERRORS = {
  IPFS_CID_INVALID: {
    cause: "A CID is not a canonical base32 CIDv1 with sha2-256 and the codec the place calls for.",
    advice: "Check the CID. Only base32 CIDv1 with sha2-256 is taken, such as `bafybei…`.",
    role: "end",
    about: "input",
    exit: 1,
    http: 400,
  },
  IPFS_DIGEST_INVALID: {
    cause: "A content digest is not exactly 32 bytes.",
    advice: DISCARDED,
    role: "sit-out",
    about: "input",
    exit: 1,
  },
  IPFS_DIRECTORY_INVALID: {
    cause: "A directory to publish is empty, too large, or has an entry name that is not allowed.",
    advice: "Publish at least one file, with plain names and within the limits.",
    role: "end",
    about: "input",
    exit: 1,
  },
  IPFS_BLOCK_MISMATCH: {
    cause: "The bytes of a block do not hash to its CID.",
    advice: FETCHED_AGAIN,
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 400,
  },
  IPFS_DAG_INVALID: {
    cause: "A block is not a node of the project's UnixFS profile, or claims a size it does not have.",
    advice: FETCHED_AGAIN,
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 422,
  },
  IPFS_CAR_INVALID: {
    cause: "A CAR file is malformed, truncated, incomplete, has extra blocks or another root.",
    advice: FETCHED_AGAIN,
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 400,
  },
  IPFS_LIMIT_EXCEEDED: {
    cause: "Content is larger, deeper or has more links than the reader allows.",
    advice: "The content is larger than anything that the protocol publishes in this place. It is not read.",
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 413,
  },
  IPFS_NOT_FOUND: {
    cause: "The content, or an entry of that name in it, does not exist here.",
    advice: "Check the CID and the name, and whether this node keeps the content.",
    role: "sit-out",
    about: "input",
    exit: 1,
    http: 404,
  },
  IPFS_UNAVAILABLE: {
    cause: "No peer delivered the right bytes of a block in time, or too few took a copy of what was published.",
    advice:
      "If this goes on, check that `--peer` names a running node and that members' announced URLs can be reached.",
    role: "again",
    about: "others",
    exit: 2,
  },
  IPFS_PEER_URL: {
    cause: "A peer's address is not a plain http or https URL of an allowed host.",
    advice: "Give peers as `http://host:port` or `https://host`, without credentials.",
    role: "end",
    about: "input",
    exit: 1,
  },
  IPFS_STORE_FAILED: {
    cause: "The disk refused a read or a write of the block store.",
    advice: "Check the disk: free space, permissions and errors in the system's log.",
    role: "end",
    about: "host",
    exit: 1,
  },
  IPFS_API_FAILED: {
    cause: "The external IPFS node's RPC interface answered with an error or not at all.",
    advice: "Check that the Kubo node runs and that `--ipfs-api` is the URL of its RPC interface.",
    role: "again",
    about: "host",
    exit: 1,
  },
  IPFS_UPLOAD_REFUSED: {
    cause: "The gateway does not accept this upload, or none from this sender.",
    advice:
      "Only the task's operator, members and registered clients may upload, and only share bundles and share sums. Check the account and the machine's clock.",
    role: "end",
    about: "input",
    exit: 1,
    http: 403,
  },
  IPFS_BUSY: {
    cause: "The gateway has as many uploads in progress as it allows; trying again later may work.",
    advice: "If this goes on, check the gateway's load.",
    role: "again",
    about: "others",
    exit: 1,
    http: 503,
  },
} as const satisfies Record<string, ErrorEntry>;
