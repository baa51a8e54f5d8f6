/** What a user does about each error; the causes stand in `protocol/errors.ts`. */
import type { ErrorCode } from "../../protocol/errors.ts";

const DISCARD =
  "Somebody sent bytes that are not what they claim. They were discarded; nothing is to be done unless your own files are named.";
const FETCH_AGAIN =
  "The peer or the disk returned wrong content. It was discarded; the content is fetched from the next peer.";
const AUDIT =
  "Do not train on this model. Run `npm run fl -- verify` against another RPC endpoint; if it fails there too, start a new task from the last good model.";
const EDIT_TASK = "Correct the task's specification; docs/running.md lists the fields.";
const EDIT_DATA =
  "Correct the data, or the `--data` argument; `npm run fl-client -- data --data …` shows what is read.";
const RETRY = "Roles wait and try again by themselves. If it lasts, check ";

export const ERROR_ADVICE: Readonly<Record<ErrorCode, string>> = {
  PARAMETERS_INVALID: EDIT_TASK,
  ENCODING_LENGTH: DISCARD,
  ENCODING_NOT_CANONICAL: DISCARD,
  ENCODING_SLOT_RANGE: DISCARD,
  ENCODING_TRAILING_BYTES: DISCARD,
  POINT_NOT_ON_CURVE: DISCARD,
  POINT_INFINITY: DISCARD,
  SHARE_INDEX: DISCARD,
  SHARE_COUNT: "Wait for further members' releases. If the round aborts, see that enough members run.",
  SHARE_DIGEST_MISMATCH:
    "The member does not attest this client; the round goes on without it. The client should start again from a clean state directory.",
  SHARE_EVALUATION_MISMATCH: "As for SHARE_DIGEST_MISMATCH: the client shared something else than it committed to.",
  SHARE_DECRYPTION:
    "As for SHARE_DIGEST_MISMATCH. If a member reports it for every client, its round keys are not the registered ones: restore its state directory.",
  AGGREGATE_COMMITMENT_MISMATCH:
    "A member released a wrong sum. With more releases the wrong one is found and its member is named.",
  AGGREGATE_EVALUATION_MISMATCH: AUDIT,
  AGGREGATE_DIGEST_MISMATCH: AUDIT,
  AGGREGATE_NOT_RECOVERABLE:
    "Wait for further releases until the deadline; then the round aborts and the next one opens.",
  MODEL_DIGEST_MISMATCH: AUDIT,
  MODEL_OVERFLOW:
    "Training has diverged over the rounds. Start a new task with a lower server learning rate or fewer fractional bits.",
  CELLS_DIVERGED:
    "Do not train on. Start a new group from the last model that all cells finalised; docs/scale.md says why nothing can mend it.",
  CELLS_GROUP_INVALID:
    "Register every cell, each once; then start the roles. If the document names another group, the contract was deployed with the wrong one.",
  CELLS_INCOMPLETE: `${RETRY}that the sibling's members and aggregator run, with \`npm run fl -- status --contract <sibling>\`.`,
  CELLS_SUM_OVERFLOW: "Start a new group with smaller weights or fewer cells.",
  UPDATE_NOT_FINITE: "Lower the learning rate, and look for extreme values in the data.",
  UPDATE_LENGTH: "The model that was trained is not the task's. Update this program and join again.",
  UPDATE_OVER_BOUND:
    "An honest client never sends such an update. If you changed the client, its update must stay within the task's clip norm.",
  CIRCUIT_COMPILATION: "Restore `circuits/` and run `npm run build` again.",
  KEY_REFUSED: "Do not use these keys: proofs can be forged under them. Obtain keys from a complete setup.",
  KEY_ARTIFACT_CORRUPT: "Delete the named directory; keys are fetched by CID or made again.",
  WITNESS_UNSATISFIED: "The update breaks the circuit's statement, so there is no proof of it. See UPDATE_OVER_BOUND.",
  PROVER_COMMAND_FAILED:
    "Run the command by hand on any circuit to see what it says; leave out --prover-command to prove with the built-in prover.",
  IPFS_CID_INVALID: "Check the CID. Only base32 CIDv1 with sha2-256 is taken, such as `bafybei…`.",
  IPFS_DIGEST_INVALID: DISCARD,
  IPFS_DIRECTORY_INVALID: "Publish at least one file, with plain names and within the limits.",
  IPFS_BLOCK_MISMATCH: FETCH_AGAIN,
  IPFS_DAG_INVALID: FETCH_AGAIN,
  IPFS_CAR_INVALID: FETCH_AGAIN,
  IPFS_LIMIT_EXCEEDED: "The content is larger than anything that the protocol publishes in this place. It is not read.",
  IPFS_NOT_FOUND: "Check the CID and the name, and whether this node keeps the content.",
  IPFS_UNAVAILABLE: `${RETRY}that \`--peer\` names a running node and that members' announced URLs can be reached.`,
  IPFS_PEER_URL: "Give peers as `http://host:port` or `https://host`, without credentials.",
  IPFS_STORE_FAILED: "Check the disk: free space, permissions and errors in the system's log.",
  IPFS_STORE_CORRUPT:
    "Restore `pins.json` of the store from a backup, or delete the store: it is filled again from peers.",
  IPFS_API_FAILED: "Check that the Kubo node runs and that `--ipfs-api` is the URL of its RPC interface.",
  IPFS_HOST_REFUSED: "Use the node's announced URL; behind a proxy, start it with that URL as `--public-url`.",
  IPFS_REQUEST_INVALID: "Correct the request; the gateway serves `/ipfs/<cid>/`, raw blocks and CARs.",
  IPFS_UPLOAD_REFUSED:
    "Only the task's operator, members and registered clients may upload. Check the account and the machine's clock.",
  IPFS_BUSY: `${RETRY}the gateway's load.`,
  CHAIN_UNREACHABLE: `${RETRY}\`--rpc\`.`,
  CHAIN_WRONG_NETWORK: "Correct `--rpc` or `--chain-id`.",
  CHAIN_NO_CONTRACT:
    "Check `--contract` and `--rpc`. A development chain forgets everything when it stops: deploy again.",
  CHAIN_REVERTED:
    "The message names the contract's error; the table below lists them. A call that came too late is tried again by itself.",
  CHAIN_TRANSACTION_LOST: `${RETRY}the account's balance and the network's fees.`,
  KEY_MISSING: "Give `--key <file>`, or set `VERISUM_KEY`; `npm run fl -- keygen --out <file>` makes a key.",
  KEY_INVALID:
    "Give a file with 32 bytes in hexadecimal or a keystore, and for the latter the password in `VERISUM_KEY_PASSWORD`.",
  KEY_FILE_PERMISSIONS: "Run `chmod 600` on the file. If others may have read it, use a new key.",
  SIGNATURE_INVALID: DISCARD,
  STORAGE_FULL: "Free space on the disk, then start again; the role resumes.",
  STORAGE_FAILED: "Check that the path exists and is writable. For a missing contract artifact, run `npm run build`.",
  STORAGE_CORRUPT:
    "A member restores its state directory from a backup only if that is newer than its last release; otherwise it sits the round out. A client deletes the named file.",
  STORAGE_LOCKED: "Stop the other process, or give each role its own `--state`.",
  TASK_DOCUMENT_INVALID: `${EDIT_TASK} If the task is not yours, do not join it: its document contradicts its contract.`,
  DATASET_SPEC_INVALID: "Correct the `--data` argument; docs/running.md lists its forms.",
  DATASET_NOT_FOUND: "Correct the path.",
  DATASET_EMPTY: EDIT_DATA,
  DATASET_MALFORMED: EDIT_DATA,
  DATASET_TOO_LARGE: "Split the file among several clients, or remove rows.",
  DATASET_VALUE_INVALID: EDIT_DATA,
  DATASET_LABEL_INVALID: EDIT_DATA,
  DATASET_PARTITION_IMPOSSIBLE: "Use fewer clients or a larger `alpha`.",
  DATASET_MODEL_MISMATCH: "Use data with the shape and the classes of the task's model.",
  MODEL_DESCRIPTION_INVALID: EDIT_TASK,
  TRAINING_OPTIONS_INVALID: EDIT_TASK,
  TRAINING_DIVERGED: "Lower the learning rate in the task, and look for extreme values in the data.",
  TRAINING_BACKEND_UNAVAILABLE: "Install the backend, or use the default one.",
  SAFETENSORS_INVALID: DISCARD,
  PRIVACY_BUDGET_SPENT:
    "Leave the task: your part in it is over, and further rounds would say more about your data than was agreed.",
  PRIVACY_COHORT_TOO_SMALL:
    "Gather as many clients as the message names, choose a smaller model or a larger epsilon, or protect single records (unit `example`).",
  PRIVACY_PARAMETERS_INVALID: EDIT_TASK,
  ROLE_NOT_REGISTERED: "Ask the task's operator to register this account, and check `--key`.",
  ROUND_EQUIVOCATION: "Never override it: two answers in one round reveal single updates. Wait for the next round.",
  ROUND_ABORTED:
    "Nothing is lost: the next round starts from the same model. See that enough clients and members run, and that windows are long enough.",
  AUDIT_FAILED: AUDIT,
  USAGE: "Run the command with `--help`.",
  INTERRUPTED: "Start the command again; it resumes.",
};
