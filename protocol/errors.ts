/**
 * Every error that Verisum raises on purpose carries one of these codes.
 * The text beside a code is the cause in one sentence; `docs/errors.md` is generated from it.
 */
export const ERROR_CODES = {
  // parameters
  PARAMETERS_INVALID: "A task parameter is outside its range or contradicts another one.",
  // encoding
  ENCODING_LENGTH: "A byte string or vector does not have the length that the round's layout fixes.",
  ENCODING_NOT_CANONICAL: "A field element or coordinate is outside its canonical range.",
  ENCODING_SLOT_RANGE: "A packed element does not decode into slots of the allowed range.",
  ENCODING_TRAILING_BYTES: "A decoder found bytes after the end of the value.",
  // curve
  POINT_NOT_ON_CURVE: "A pair of coordinates is not a point of BN254 G1 or G2.",
  POINT_INFINITY: "The point at infinity stands where a proper point is required.",
  // sharing
  SHARE_INDEX: "A share index is zero, repeated or larger than the committee.",
  SHARE_COUNT: "Fewer shares were given than the threshold needs.",
  SHARE_DIGEST_MISMATCH: "A decrypted share does not have the digest recorded on chain.",
  SHARE_EVALUATION_MISMATCH: "A share does not evaluate at z to the committed polynomial's value.",
  SHARE_DECRYPTION: "A share ciphertext does not open for this member, round and client.",
  // aggregate
  AGGREGATE_COMMITMENT_MISMATCH: "The interpolated sum does not open the contract's sum of commitments.",
  AGGREGATE_EVALUATION_MISMATCH: "The published aggregate does not evaluate to the value checked on chain.",
  AGGREGATE_DIGEST_MISMATCH: "The published aggregate does not have the digest recorded on chain.",
  AGGREGATE_NOT_RECOVERABLE: "No threshold-sized set of released share sums opens the sum of commitments.",
  MODEL_DIGEST_MISMATCH: "A model's integer state does not have the digest recorded on chain.",
  MODEL_OVERFLOW: "An integer model weight left the range of the model's fixed-point format.",
  // cells
  CELLS_DIVERGED: "Two cells of a group no longer share one model: the group has ended.",
  CELLS_GROUP_INVALID:
    "The group in the task's document is not full, does not list this contract, or lists one of another task.",
  CELLS_INCOMPLETE: "A sibling cell has no sum of this step yet, or has not finalised it.",
  CELLS_SUM_OVERFLOW: "A coordinate of the sum over all cells leaves the range of 32-bit integers.",
  // update
  UPDATE_NOT_FINITE: "A local update contains NaN or an infinity.",
  UPDATE_LENGTH: "A local update does not have the task's number of coordinates.",
  UPDATE_OVER_BOUND: "A quantised update exceeds the round's norm bound or coordinate range.",
  // keys and proofs
  CIRCUIT_COMPILATION: "The circuit compiler refused a source, or its output breaks a rule that the keys rest on.",
  KEY_REFUSED: "A verification key has a form under which proofs can be forged, or does not fit the preset.",
  KEY_ARTIFACT_CORRUPT: "A key file is malformed or is not the one that the manifest names.",
  WITNESS_UNSATISFIED: "A circuit's inputs are incomplete or contradict one of its constraints.",
  PROVER_COMMAND_FAILED:
    "The external proving command ended with an error, took too long, or left no valid proof of the witness.",
  // ipfs
  IPFS_CID_INVALID: "A CID is not a canonical base32 CIDv1 with sha2-256 and the codec the place calls for.",
  IPFS_DIGEST_INVALID: "A content digest is not exactly 32 bytes.",
  IPFS_DIRECTORY_INVALID: "A directory to publish is empty, too large, or has an entry name that is not allowed.",
  IPFS_BLOCK_MISMATCH: "The bytes of a block do not hash to its CID.",
  IPFS_DAG_INVALID: "A block is not a node of the project's UnixFS profile, or claims a size it does not have.",
  IPFS_CAR_INVALID: "A CAR file is malformed, truncated, incomplete, has extra blocks or another root.",
  IPFS_LIMIT_EXCEEDED: "Content is larger, deeper or has more links than the reader allows.",
  IPFS_NOT_FOUND: "The content, or an entry of that name in it, does not exist here.",
  IPFS_UNAVAILABLE: "No peer delivered the right bytes for a block in time; trying again later may work.",
  IPFS_PEER_URL: "A peer's address is not a plain http or https URL of an allowed host.",
  IPFS_STORE_FAILED: "The disk refused a read or a write of the block store.",
  IPFS_STORE_CORRUPT: "The block store's list of pins cannot be read back.",
  IPFS_API_FAILED: "The external IPFS node's RPC interface answered with an error or not at all.",
  IPFS_HOST_REFUSED: "A request names a host, or comes from a web origin, that the gateway does not serve.",
  IPFS_REQUEST_INVALID: "A request to the gateway is malformed or asks for a form it does not offer.",
  IPFS_UPLOAD_REFUSED: "The gateway does not accept this upload from this sender.",
  IPFS_BUSY: "The gateway has as many uploads in progress as it allows; trying again later may work.",
  // chain
  CHAIN_UNREACHABLE: "The JSON-RPC endpoint does not answer.",
  CHAIN_WRONG_NETWORK: "The endpoint serves another chain than the one asked for.",
  CHAIN_NO_CONTRACT: "There is no Verisum contract at the address.",
  CHAIN_REVERTED: "The contract refused a call; the evidence names its error.",
  CHAIN_TRANSACTION_LOST: "A transaction was not mined in time.",
  // accounts
  KEY_MISSING: "No secret key was given.",
  KEY_INVALID: "A key file or value cannot be used.",
  KEY_FILE_PERMISSIONS: "A key file can be read by other users.",
  SIGNATURE_INVALID: "A signature is malformed or not its owner's.",
  // storage
  STORAGE_FULL: "The disk has no space left.",
  STORAGE_FAILED: "A file of the state directory cannot be read or written.",
  STORAGE_CORRUPT: "A state file is truncated or altered.",
  STORAGE_LOCKED: "Another process uses the state directory.",
  // task
  TASK_DOCUMENT_INVALID: "The task's document is malformed or contradicts the contract.",
  // learning
  DATASET_SPEC_INVALID: "A --data argument is malformed, or names an option that its kind of data does not have.",
  DATASET_NOT_FOUND: "There is no data at the path given, or it cannot be read.",
  DATASET_EMPTY: "A data file is empty or holds no sample.",
  DATASET_MALFORMED: "A data file is truncated, has extra bytes, or is not of the format its name promises.",
  DATASET_TOO_LARGE: "A data file, or the size that it claims, exceeds the reader's limit.",
  DATASET_VALUE_INVALID: "A cell of a CSV file is missing or is not a finite number.",
  DATASET_LABEL_INVALID: "A label is not an integer in the range of the classes.",
  DATASET_PARTITION_IMPOSSIBLE: "The data cannot be dealt to that many clients with enough samples each.",
  DATASET_MODEL_MISMATCH: "The samples do not have the shape or the classes that the model expects.",
  MODEL_DESCRIPTION_INVALID: "A model's description is malformed or describes no possible network.",
  TRAINING_OPTIONS_INVALID: "A training option is outside its range.",
  TRAINING_DIVERGED: "Training produced NaN or an infinity; the learning rate is probably too high.",
  TRAINING_BACKEND_UNAVAILABLE: "The numerical backend asked for cannot be loaded on this machine.",
  SAFETENSORS_INVALID:
    "A safetensors file is malformed, has gaps or trailing bytes, or holds another type than float32.",
  // privacy
  PRIVACY_BUDGET_SPENT: "This client has taken part in as many rounds as the task's privacy budget allows.",
  PRIVACY_COHORT_TOO_SMALL: "The noise that the task's epsilon needs would drown what its clients send.",
  PRIVACY_PARAMETERS_INVALID:
    "A privacy parameter is outside the range for which the accountant or the sampler is exact.",
  // roles
  ROLE_NOT_REGISTERED: "The account is not registered for this role in the task.",
  ROUND_EQUIVOCATION: "A second, different release or submission was asked for in one round.",
  ROUND_ABORTED: "The round ended without a result.",
  AUDIT_FAILED: "A published round does not follow from the chain's records.",
  // command line
  USAGE: "The command line is wrong.",
  INTERRUPTED: "The command was stopped before it finished.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Evidence that travels with an error: plain data, never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | bigint | boolean | readonly string[]>>;

/**
 * The one error class of the project.
 *
 * @example throw new VerisumError("SHARE_INDEX", "share index 0 is not allowed", { index: 0 });
 */
export class VerisumError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "VerisumError";
    this.code = code;
    this.details = details;
  }
}

/** True if `error` is a VerisumError, with the given code if one is named. */
export function isVerisumError(error: unknown, code?: ErrorCode): error is VerisumError {
  return error instanceof VerisumError && (code === undefined || error.code === code);
}
