/**
 * A task's contract as the roles see it: typed state, typed events, typed calls.
 * chain/connect.ts opens it over JSON-RPC; roles and the auditor depend on this interface only.
 */
import type { G1 } from "../protocol/points.ts";
import type { Submission } from "../protocol/submission.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { PHASE_MEMBERS } from "./generated/verisum.ts";
import type * as Solidity from "./generated/verisum.ts";
import type { ClientTerm, SeatTerm } from "./lists.ts";
import type { BlockReference, DeploymentBlock } from "./origin.ts";
import type { TaskEvent } from "./task-events.ts";
import type { ChainTiming, TimedBlock } from "./timing.ts";

/** In the contract's order. */
export const PHASES = PHASE_MEMBERS;
export type Phase = (typeof PHASES)[number];

/**
 * The current round, as `round()` returns it: as of the block's time. Masks and bitmaps: bit 0 is client index 0 or
 * seat 1. `roundAt` says what time alone makes of it.
 */
export interface RoundState {
  readonly number: bigint;
  readonly phase: Phase;
  /** Unix seconds. */
  readonly deadline: number;
  readonly expected: number;
  readonly submitted: number;
  readonly keyMask: bigint;
  readonly totalWeight: number;
  readonly included: bigint;
  readonly proposedMembers: bigint;
  readonly sum: G1;
  /** While Collecting or Attesting: the running hash of the accepted submissions. Otherwise, and before them, zero. */
  readonly intake: Hex;
  /** While Aggregating or Finalised; otherwise zero. */
  readonly settlement: Hex;
}

/** The model that the next round starts from. */
export type ModelRecord = Solidity.ModelRecord;

/** What the lists say of an account, as of the current round. */
export interface ClientStatus {
  /** 0 if the account was never registered; it stays what it was when the client leaves. */
  readonly weight: number;
  readonly activeFromRound: bigint;
  /** The first round that it may no longer submit in; 0 while it stays. */
  readonly untilRound: bigint;
  readonly lastSubmittedRound: bigint;
  readonly bondWei: bigint;
  /** Settlements that left it out as refused; 255 if the operator took it off a task that everybody may join. */
  readonly refusals: number;
  /** Settlements that count it; 0 in a task that does not limit them. */
  readonly includedRounds: number;
  /** Another account took its place. */
  readonly moved: boolean;
}

/** A round's result, as `finalize` takes it. */
export type RoundResult = Solidity.RoundResult;

/** What a member says of an intake's shares (EIP-712 type `Attestation`). */
export interface Attestation {
  readonly round: bigint;
  readonly intake: Hex;
  /** Clients whose shares the member holds and found to fit. */
  readonly good: bigint;
  /** Clients whose shares the member fetched and found wrong; none of them is good as well. */
  readonly refused: bigint;
}

/** Where a member's sum of the included clients' shares is (EIP-712 type `Release`). */
export interface Release {
  readonly round: bigint;
  readonly settlement: Hex;
  readonly releaseCid: Hex;
}

/** What members sign of a result (EIP-712 type `Result`). */
export interface SignedResult extends RoundResult {
  readonly round: bigint;
  readonly settlement: Hex;
}

/** Whose statement it is: the seat, and its member's signature. */
export interface SeatSignature {
  readonly seat: number;
  readonly signature: CompactSignature;
}

export type AttestationStatement = Attestation & SeatSignature;
export type ReleaseStatement = Release & SeatSignature;

/** EIP-2098. */
export interface CompactSignature {
  readonly r: Hex;
  readonly vs: Hex;
}

/** What the chunks that are verified leave for the next one. */
export type ChunkProgress = Solidity.ChunkProgress;

/** What fixes the challenge of a submission in several transactions. */
export type SubmissionHead = Solidity.SubmissionHead;

/** A step of a submission that takes several transactions: for which submission, and what it led to. */
export interface ChunkStep {
  readonly head: SubmissionHead;
  readonly progress: ChunkProgress;
}

/** A submission that anybody may send for its client (EIP-712 type `RelayedSubmission`). */
export interface SignedSubmission {
  readonly client: Hex;
  readonly submission: Submission;
  readonly signature: CompactSignature;
}

export interface OpenedRecord {
  readonly round: bigint;
  /** Number of the latest model: the rounds that were finalised before. */
  readonly baseModel: bigint;
  readonly baseModelCid: Hex;
  readonly baseModelDigest: Hex;
  readonly deadline: number;
  readonly keyMask: bigint;
}

export interface SubmittedRecord {
  readonly round: bigint;
  readonly client: Hex;
  readonly index: number;
  readonly weight: number;
  readonly submission: Submission;
  readonly transactionHash: Hex;
  readonly blockNumber: number;
}

export interface SettledRecord {
  readonly round: bigint;
  readonly settlement: Hex;
  readonly intake: Hex;
  readonly included: bigint;
  readonly members: bigint;
  readonly totalWeight: number;
  readonly sum: G1;
  readonly blockNumber: number;
}

export interface FinalisedRecord {
  readonly round: bigint;
  readonly settlement: Hex;
  readonly result: RoundResult;
  readonly evaluation: bigint;
  readonly opening: G1;
  /** By ascending seat. */
  readonly signers: readonly SeatSignature[];
  readonly transactionHash: Hex;
}

/** Everything the chain says of one round. */
export interface RoundRecords {
  readonly opened?: OpenedRecord;
  /** Digests of the models that its submissions may start from, by their numbers, as the openings of rounds say. */
  readonly bases: ReadonlyMap<bigint, Hex>;
  readonly submitted: readonly SubmittedRecord[];
  readonly settled?: SettledRecord;
  /** The releases that the result was computed from, by ascending seat; none before it. */
  readonly released: readonly ReleaseStatement[];
  readonly finalised?: FinalisedRecord;
  readonly aborted: boolean;
  /** Rounds up to this one, itself included, that settled: what the privacy ledger has been charged for. */
  readonly settledRounds: number;
  /** The latest final block at the block up to which all this was read; -1 if none was. */
  readonly finalBlock: number;
}

/** A group of cells, as its contract lists them (contracts/interfaces/ICellGroup.sol). */
export interface CellGroupRecord {
  /** Places of the group; it is complete when as many cells are registered. */
  readonly cellCount: number;
  /** By place. */
  readonly cells: readonly Hex[];
}

/** A mined call. */
export interface Receipt {
  readonly transactionHash: Hex;
  readonly gasUsed: bigint;
  readonly blockNumber: number;
}

/** The contract's own counts at a block. */
export interface Counters {
  readonly round: RoundState;
  readonly latestModel: ModelRecord;
  readonly finalisedRounds: number;
  /** Seats that have had a member. */
  readonly memberCount: number;
  /** Of the next round. */
  readonly clientCount: number;
  /** Events that changed a list. */
  readonly listChanges: number;
  readonly privacySpent: bigint;
}

/** A task at one block: its state and its events are of that block, and agree. */
export interface TaskLook extends Counters {
  readonly block: BlockReference;
  /** The last round that is over for good: in a final block it ended, or the next one opened. 0 before the first. */
  readonly closedRound: bigint;
  /** The latest block that the reader counts as final; -1 if none is. */
  readonly finalBlock: number;
  records(round: bigint): RoundRecords;
  /** Who had which seat in which rounds, those to come included; by when it was decided. */
  readonly seats: readonly SeatTerm[];
  /** The same of clients. */
  readonly clientTerms: readonly ClientTerm[];
  /** In chain order, up to `block`. */
  events(): readonly TaskEvent[];
  /** Of every round that finalised, in order. */
  results(): readonly RoundResult[];
}

/** A block with its time. */
export interface ChainBlock extends BlockReference, TimedBlock {}

/** What a mined transaction took. */
export interface TransactionCost {
  readonly sender: Hex;
  readonly gasUsed: bigint;
  readonly feeWei: bigint;
}

/** The contract and chain that a signature is good for. */
export interface TaskContext {
  readonly chainId: bigint;
  readonly contract: Hex;
  /** The contract's identity (`deploymentOf`). */
  readonly deployment: Hex;
}

/** Reading needs no account. */
export interface TaskReader {
  readonly context: TaskContext;
  /** The contract's identity as each endpoint tells it now; undefined for one that does not answer. */
  deployments(): Promise<readonly (Hex | undefined)[]>;
  parameters(): Promise<TaskParameters>;
  parametersHash(): Promise<Hex>;
  operator(): Promise<Hex>;
  /**
   * Whether what runs is this release's contracts, with the task's parameters.
   * @throws CONTRACT_CODE_UNKNOWN naming what differs
   */
  requireReleasedCode(): Promise<void>;
  /** The encoded verification keys, read from their own address. */
  verificationKeys(): Promise<Uint8Array>;
  round(): Promise<RoundState>;
  latestModel(): Promise<ModelRecord>;
  finalisedRounds(): Promise<number>;
  /** Charged to the task's privacy ledger so far. */
  privacySpent(): Promise<bigint>;
  client(account: Hex): Promise<ClientStatus>;
  clientCount(): Promise<number>;
  /** Who takes part in the current round or later, by the events: an endpoint that lags behind lacks the latest. */
  clients(): Promise<readonly Hex[]>;
  /** As of the last look: whoever sends statements causes none. */
  seats(): Promise<readonly SeatTerm[]>;
  /** As of the last look. */
  clientTerms(): Promise<readonly ClientTerm[]>;
  /** Seat 1 first, the zero address for an empty seat; of the current round unless another is told. */
  members(round?: bigint): Promise<readonly Hex[]>;
  /** The zero word if the seat has no key for the round. */
  roundKey(round: bigint, seat: number): Promise<Hex>;
  records(round: bigint): Promise<RoundRecords>;
  /** The account's last step of a submission in several transactions; undefined if it made none in this round. */
  lastChunkStep(round: bigint, account: Hex): Promise<ChunkStep | undefined>;
  /** Numbers of the rounds that finalised, in order. */
  finalisedRoundNumbers(): Promise<readonly bigint[]>;
  /** Latest endpoint of each account that announced one; whoever announced last comes last. */
  endpoints(): Promise<ReadonlyMap<Hex, string>>;
  /** Everything as of the latest block. Who acts, or blames somebody, decides by one look. */
  look(): Promise<TaskLook>;
  /** Timestamp that the next block would have now, in Unix seconds. */
  blockTime(): Promise<number>;
  /** The latest block's number: the cheapest way to see that something may have changed. */
  latestBlock(): Promise<number>;
  /** The latest block that the reader counts as final. */
  finalBlock(): Promise<number>;
  /** Undefined if the endpoint has no such block. */
  block(number: number): Promise<ChainBlock | undefined>;
  /** Undefined if the endpoint knows no such transaction, or does not say. */
  transactionCost(hash: Hex): Promise<TransactionCost | undefined>;
  /** How long blocks and finality take: of the latest look's own blocks, finality as the longest of the last hour. */
  timing(): Promise<ChainTiming>;
  /** As of a look. */
  closedRound(): Promise<bigint>;
  /** The block that the contract was deployed in, or the first one that its events are read from. */
  origin(): Promise<BlockReference>;
  /** What the contract's identity is a hash of, besides the contract; undefined if the endpoint keeps no old states. */
  deployedIn(): Promise<DeploymentBlock | undefined>;
  /**
   * Forgets what was read, here and through `at`: the next look reads everything anew, from another endpoint if there
   * is one. To be done before a role ends, and before the past is called wrong, for what the chain says.
   */
  reread(why: string): Promise<void>;
  /**
   * The same of the present round: from its opening on, or from the earliest one on a model that its submissions may
   * start from. To be done before anybody is blamed for what they did in it.
   * @param modelsBefore models before the round's own that are read again in any case; 0 unless told
   */
  rereadRound(why: string, modelsBefore?: number): Promise<void>;
  /** Keeps what was read for the next start. */
  save(): Promise<void>;
  /** A group of cells at this address. @throws CHAIN_NO_CONTRACT */
  cellGroup(group: Hex): Promise<CellGroupRecord>;
  /** Another task contract through the same endpoint. @throws CHAIN_NO_CONTRACT */
  at(contract: Hex): Promise<TaskReader>;
}

/** Calls by one account. Each waits until it is mined and throws CHAIN_REVERTED with the contract's error by name. */
export interface TaskWriter extends TaskReader {
  readonly account: Hex;
  join(): Promise<Receipt>;
  registerMember(member: Hex): Promise<Receipt>;
  registerClient(client: Hex, weight: number): Promise<Receipt>;
  /** From the next round on; the zero address leaves the seat empty. */
  replaceMember(seat: number, member: Hex): Promise<Receipt>;
  /** From the next round on. */
  removeClient(client: Hex): Promise<Receipt>;
  nameSuccessor(successor: Hex): Promise<Receipt>;
  takePlace(predecessor: Hex): Promise<Receipt>;
  withdrawBond(): Promise<Receipt>;
  registerRoundKeys(firstRound: bigint, keys: readonly Hex[]): Promise<Receipt>;
  announce(endpoint: string): Promise<Receipt>;
  openRound(): Promise<Receipt>;
  /**
   * One transaction, or several for a submission that fills more: what an earlier attempt left on chain is not sent
   * again.
   */
  submit(round: bigint, submission: Submission): Promise<Receipt>;
  /** Lets anybody send this account's submission, in this round, and nothing else. */
  signSubmission(round: bigint, submission: Submission): Promise<SignedSubmission>;
  /** Sends others' submissions; those of clients that are in already are skipped. */
  submitBatch(round: bigint, signed: readonly SignedSubmission[]): Promise<Receipt>;
  /**
   * What `submitBatch` would do now, in a simulated call that costs nothing. @throws CHAIN_REVERTED if the contract
   * would refuse it
   */
  checkBatch(round: bigint, signed: readonly SignedSubmission[]): Promise<void>;
  /** Ends a round that is past its deadline without a result. */
  abort(round: bigint): Promise<Receipt>;
  /**
   * Settles, or proposes, on what `members` of the statements' seats all found good; from the deadline on without
   * statements and members, to execute the proposal that stands.
   * @param excluded whom the settlement leaves out, if it takes effect; otherwise none
   */
  settle(
    round: bigint,
    statements: readonly AttestationStatement[],
    members: bigint,
    excluded: readonly SubmittedRecord[],
  ): Promise<Receipt>;
  /** Records a result, and opens the next round where it can. */
  finalize(
    round: bigint,
    result: RoundResult,
    evaluation: bigint,
    opening: G1,
    releases: readonly ReleaseStatement[],
    signatures: readonly SeatSignature[],
  ): Promise<Receipt>;
  /** EIP-712 signatures of this account's seat; nothing is sent. */
  signAttestation(attestation: Attestation): Promise<CompactSignature>;
  signRelease(release: Release): Promise<CompactSignature>;
  signResult(result: SignedResult): Promise<CompactSignature>;
  /** EIP-191 signature over a text: authorises uploads. */
  signText(text: string): Promise<Hex>;
}
