// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ILists} from "./ILists.sol";
import {
    Attestation,
    ChunkProgress,
    ChunkProof,
    ExcludedClient,
    G1Point,
    ModelRecord,
    Phase,
    Release,
    RoundResult,
    RoundState,
    SignedSubmission,
    Submission,
    SubmissionHead,
    TaskParameters
} from "../types/VerisumTypes.sol";

/// @title One federated-learning task: its rounds, from commitments to a checked aggregate.
/// @notice Rules: docs/protocol.md. Times are Unix seconds of the block; an action of a phase needs
/// `block.timestamp < deadline`, ending the phase by time needs `block.timestamp >= deadline`. A round takes three steps:
/// clients submit, somebody settles on whom the members' statements support, somebody finalizes what enough members
/// released and signed. In a round members send nothing themselves; what they register before is keys.
/// @dev Trust: the operator only fills the seats and the allow-list, and changes them for later rounds; nobody can pause,
/// upgrade or take a bond. Members are trusted as docs/protocol.md, section 1, says; the keys' setup had one honest
/// contributor. Seats count from 1 and
/// bit j-1 of a member mask is seat j; bit i of a client bitmap is the i-th accepted client of the round.
interface IVerisum is ILists {
    // ------------------------------------------------------------------ events

    /// @notice A round began; it collects until `deadline`, in Unix seconds, and `keyMask` has the seats with a key.
    /// @param baseModel Number of the latest model: the rounds that were finalised before. The CID and the digest are its.
    event RoundOpened(
        uint64 indexed round,
        uint32 baseModel,
        bytes32 baseModelCid,
        bytes32 baseModelDigest,
        uint64 deadline,
        uint32 keyMask
    );
    /// @notice The contract verified a client's update; `index` is its bit in the round's bitmaps.
    event Submitted(uint64 indexed round, address indexed client, uint8 index, uint16 weight, Submission submission);
    /// @notice A step of a submission that takes several transactions; its `Submitted` then has no chunks.
    /// @param progress What the step led to: `chunks` are those before `progress.count`. The client can go on from
    /// here.
    event ChunksProven(
        uint64 indexed round,
        address indexed client,
        SubmissionHead head,
        ChunkProgress progress,
        ChunkProof[] chunks
    );
    /// @notice Enough members attested the same clients, but not everybody: a proposal stands, of these members and the
    /// clients that all of them found good.
    event Proposed(uint64 indexed round, uint32 members, uint256 included);
    /// @notice The set of clients is final; `sum` is the sum of their commitments.
    /// @param settlement Hash of the round, the intake and all that follows but the members.
    event Settled(
        uint64 indexed round,
        bytes32 settlement,
        bytes32 intake,
        uint256 included,
        uint32 members,
        uint32 totalWeight,
        G1Point sum
    );
    /// @notice A round ended with a model.
    /// @dev Carries the opening, the releases and the signatures, so that an auditor re-checks them from the log alone
    /// (read by chain/; see `FinalisedRecord` in chain/task-chain.ts, which the TypeScript class implements).
    event Finalised(
        uint64 indexed round,
        bytes32 settlement,
        RoundResult result,
        uint256 evaluation,
        G1Point opening,
        Release[] releases,
        uint32 signers,
        bytes32[2][] signatures
    );
    /// @notice A round ended without a result, by time, in this phase.
    event Aborted(uint64 indexed round, Phase during);

    // ------------------------------------------------------------------ errors: deployment

    /// @param rule The inequality that does not hold, as text.
    error VerisumParameterInvalid(bytes32 rule);
    error VerisumKeysHashMismatch(bytes32 expected, bytes32 actual);
    /// @param reason Why the keys could be forged under, or do not fit, as text.
    error VerisumKeysRefused(bytes32 reason);

    // ------------------------------------------------------------------ errors: phases and time

    /// @param allowed Bit p set for each `Phase` p in which the call is possible.
    error VerisumWrongPhase(Phase actual, uint256 allowed);
    error VerisumWrongRound(uint64 current, uint64 given);
    error VerisumDeadlinePassed(uint64 deadline, uint64 timestamp);
    error VerisumDeadlineNotReached(uint64 deadline, uint64 timestamp);
    error VerisumCommitteeIncomplete(uint8 registered, uint8 seats);
    error VerisumTooFewClients(uint16 registered, uint16 required);
    /// @param required bufferGoal * minSeparation.
    error VerisumGoalUnreachable(uint16 registered, uint256 required);
    error VerisumRoundsExhausted(uint32 maxRounds);
    error VerisumBudgetExhausted(uint64 spent, uint64 cost, uint64 budget);
    /// @param waitUntil Before this time a key of every filled seat is required, from then on `quorum` of them.
    error VerisumTooFewKeys(uint256 keys, uint256 required, uint64 waitUntil);

    // ------------------------------------------------------------------ errors: submissions

    error VerisumAlreadySubmitted(address client);
    /// @dev Too few rounds have passed since the client's last submission. @param firstRound In which it may submit again.
    error VerisumTooSoon(address client, uint64 firstRound);
    /// @param base Of the submission, a model's number.
    /// @param oldest The oldest model that a submission may start from.
    error VerisumBaseTooOld(uint32 base, uint32 oldest);
    error VerisumBaseUnknown(uint32 base, uint32 latest);
    /// @dev The round has as many submissions as bits, or their weights with this one's exceed MAX_TOTAL_WEIGHT.
    error VerisumBufferFull(uint16 submitted, uint256 totalWeight);
    error VerisumWrongLength(bytes32 field, uint256 actual, uint256 expected);
    /// @dev A scalar that is not below the group order; or `calldata`, which at the byte `value` is encoded otherwise than
    /// an ABI encoder does.
    error VerisumNotCanonical(bytes32 field, uint256 value);
    error VerisumPointInfinity(bytes32 field);
    /// @dev A coordinate is not below p, or a point is off the curve or (G2) outside the subgroup.
    error VerisumPointInvalid();
    /// @dev Some chunk's proof, or the opening of the commitment, does not hold.
    error VerisumProofInvalid();
    /// @param index The submission's place in the batch.
    /// @param field "signature", or the array whose length is not the task's.
    error VerisumBatchItemInvalid(uint256 index, bytes32 field);
    /// @dev Every client of the batch, if there was any, had submitted already.
    error VerisumBatchEmpty();
    /// @dev The client's last step in this round led to another progress, or there was none.
    error VerisumProgressUnknown(address client);

    // ------------------------------------------------------------------ errors: attesting and settling

    /// @dev The seat had no key for the round when it opened, so that it can hold no shares.
    error VerisumNoRoundKey(uint8 seat);
    /// @dev Seats ascend, each once, or the same member would count twice.
    error VerisumSeatOrder(uint8 previous, uint8 seat);
    error VerisumUnknownClients(uint8 seat, uint256 bitmap, uint16 submitted);
    /// @param clients Both good and refused.
    error VerisumContradiction(uint8 seat, uint256 clients);
    /// @dev Not this seat's signature over these bitmaps for this round, intake and deployment.
    error VerisumAttestationInvalid(uint8 seat);
    /// @param attested Seats whose statements the call brings.
    error VerisumNotAttested(uint32 members, uint32 attested);
    error VerisumNoQuorum(uint256 members, uint256 quorum);
    error VerisumTooFewIncluded(uint256 included, uint256 required);
    error VerisumProposalNotBetter(uint256 included, uint256 members);
    error VerisumNoProposal();
    /// @dev A proposal stands at the deadline: `settle` ends the phase.
    error VerisumProposalStands();
    /// @dev The client is part of the settlement, was listed twice, or no settlement takes effect.
    error VerisumNotExcluded(uint8 index);
    /// @param missing Clients that the settlement leaves out and the list does not name.
    error VerisumExcludedMissing(uint256 missing);
    error VerisumRecordMismatch(uint8 index);

    // ------------------------------------------------------------------ errors: the result

    error VerisumTooFewReleases(uint256 releases, uint256 threshold);
    /// @dev Not this seat's signature over this CID for this round, settlement and deployment.
    error VerisumReleaseInvalid(uint8 seat);
    error VerisumTooFewSignatures(uint256 signatures, uint256 threshold);
    /// @dev Not this seat's signature over this result for this round, settlement and deployment.
    error VerisumSignatureInvalid(uint8 seat);
    error VerisumOpeningInvalid();

    // ------------------------------------------------------------------ rounds

    /// @notice Opens the next round on the latest model, after the abort that is due, if one is. Anybody; `finalize` does
    /// it by itself where it can.
    /// @dev Needs every seat to have had a member, clients registered (minClients; for a buffer bufferGoal *
    /// minSeparation as well), rounds and budget left, and a key of every filled seat; a quorum of keys suffices once
    /// keyWindowSeconds have passed since the last round opened (or the last seat was filled). Reverts: WrongPhase,
    /// ProposalStands, CommitteeIncomplete, TooFewClients, GoalUnreachable, RoundsExhausted, BudgetExhausted, TooFewKeys.
    function openRound() external returns (uint64 round);

    /// @notice Checks everything of docs/protocol.md, section 5, and adds the caller's commitment to the sum.
    /// @dev Once per client and round. The last expected submission ends Collecting. Reverts: WrongRound, WrongPhase,
    /// DeadlinePassed, NotActiveClient, AlreadySubmitted, TooSoon, RoundsUsedUp, BaseUnknown, BaseTooOld, BufferFull,
    /// WrongLength, NotCanonical, PointInfinity, PointInvalid, ProofInvalid.
    function submit(uint64 round, Submission calldata submission) external;

    /// @notice The same for several clients at once, each of whom signed its submission; anybody may send them.
    /// @dev All proofs are checked in one pairing product: one that does not hold reverts the batch, so check them
    /// before. Clients that have submitted already are skipped. Reverts: WrongRound, WrongPhase, DeadlinePassed,
    /// NotActiveClient, TooSoon, RoundsUsedUp, BaseUnknown, BaseTooOld, BufferFull, BatchItemInvalid, BatchEmpty,
    /// NotCanonical, PointInfinity, PointInvalid, ProofInvalid.
    function submitBatch(uint64 round, SignedSubmission[] calldata signed) external;

    /// @notice Verifies the caller's next chunks, for submissions too large for one transaction; `finishSubmission`
    /// ends them.
    /// @param head Fixes the challenge; the same in every step.
    /// @param progress What the last step led to (`ChunksProven`). A count of zero starts, or starts again: the rest
    /// does not matter then.
    /// @param chunks The next chunks, as many as fit.
    /// @dev Nothing counts before the end; what was not finished expires with the round. Reverts: WrongRound,
    /// WrongPhase, DeadlinePassed, NotActiveClient, AlreadySubmitted, TooSoon, RoundsUsedUp, BaseUnknown, BaseTooOld,
    /// ProgressUnknown, WrongLength, NotCanonical, PointInfinity, PointInvalid, ProofInvalid.
    function proveChunks(
        uint64 round,
        SubmissionHead calldata head,
        ChunkProgress calldata progress,
        ChunkProof[] calldata chunks
    ) external;

    /// @notice Ends a submission whose chunks are all verified: checks the opening and does what `submit` does.
    /// @param submission Without chunks.
    /// @dev Reverts: as `submit`, ProgressUnknown.
    function finishSubmission(uint64 round, ChunkProgress calldata progress, Submission calldata submission) external;

    /// @notice Ends a round without a result, by time: Collecting past its deadline below minClients, Attesting without a
    /// proposal, Aggregating. Anybody.
    /// @dev A proposal that stands at the deadline can no longer be lost: only `settle` ends Attesting then.
    /// Reverts: WrongRound, WrongPhase, DeadlineNotReached, ProposalStands.
    function abort(uint64 round) external;

    /// @notice Takes members' statements about the intake; from the deadline on, executes the proposal that stands.
    /// Anybody.
    /// @param statements By ascending seat; none from the deadline on.
    /// @param members T, at least a quorum of the statements' seats: U is what all of these found good. Zero from the
    /// deadline on.
    /// @param excluded If the settlement takes effect, exactly the submitted clients outside U, in any order, with their
    /// records; otherwise none.
    /// @dev Takes effect at once if everybody outside U is refused by n - quorum + 1 of the statements' seats, since no
    /// quorum without one of those exists. Otherwise U and T stand as a proposal, which more clients, or as many with
    /// more members, replace until the deadline. A settlement that takes effect at once must not have fewer clients
    /// than the proposal that stands. Reverts: WrongRound, WrongPhase, DeadlinePassed (statements from the deadline
    /// on), NoProposal, SeatOrder, NoRoundKey, UnknownClients, Contradiction, AttestationInvalid, NotAttested,
    /// NoQuorum, TooFewIncluded (below max(minClients, submitted - maxCorrupt)), ProposalNotBetter, NotExcluded,
    /// RecordMismatch, ExcludedMissing.
    function settle(
        uint64 round,
        Attestation[] calldata statements,
        uint32 members,
        ExcludedClient[] calldata excluded
    ) external;

    /// @notice Checks the opening of the sum, at least t members' releases and at least t members' signatures, records
    /// the new model, and opens the next round if keys, clients, rounds and budget allow. Anybody, until the round is
    /// aborted.
    /// @param evaluation y', the aggregate's polynomial at z'.
    /// @param opening KZG proof for it.
    /// @param releases By ascending seat.
    /// @param signers Bit j-1 set for each signing seat j.
    /// @param signatures EIP-2098 compact signatures (r, vs), by ascending seat.
    /// @dev The contract cannot see the digests' preimages: it relies on one honest signer among t, and auditors refuse
    /// what does not follow. Never reverts because the next round cannot open; too little gas leaves it closed. Reverts:
    /// WrongRound, WrongPhase, TooFewReleases, SeatOrder, NoRoundKey, ReleaseInvalid, TooFewSignatures, WrongLength,
    /// SignatureInvalid, NotCanonical, PointInvalid, OpeningInvalid.
    function finalize(
        uint64 round,
        RoundResult calldata result,
        uint256 evaluation,
        G1Point calldata opening,
        Release[] calldata releases,
        uint32 signers,
        bytes32[2][] calldata signatures
    ) external;

    // ------------------------------------------------------------------ state

    /// @notice What the task was created with.
    function parameters() external view returns (TaskParameters memory);
    /// @notice keccak-256 of the parameters' ABI encoding.
    function parametersHash() external view returns (bytes32);
    /// @notice This contract's identity: chain, address, parameters and the block of its deployment. It is in every
    /// challenge and every signature, so that nothing made for another contract at the same address holds here.
    function deployment() external view returns (bytes32);
    /// @notice The address whose code holds the verification keys after one zero byte.
    function keysPointer() external view returns (address);
    /// @notice The contract that checks the pairings of this task's submissions (`ISubmissionVerifier`).
    function verifier() external view returns (address);
    /// @notice The contract with the code of the calls about who takes part (`IListChanges`), and of those that open and abort.
    function lists() external view returns (address);
    /// @notice M, field elements of a packed vector, masks included.
    function vectorLength() external view returns (uint32);
    /// @notice The current round, or the last one that closed.
    function round() external view returns (RoundState memory);
    /// @notice The model that the next round starts from.
    function latestModel() external view returns (ModelRecord memory);
    /// @notice Rounds that ended with a model.
    function finalisedRounds() external view returns (uint32);
    /// @notice In the unit of `privacyCostPerRound`.
    function privacySpent() external view returns (uint64);
    /// @notice keccak256(abi.encode(round, ClientRecord)) of the current round's client with this index, or zero.
    function recordOf(uint8 index) external view returns (bytes32);
    /// @notice keccak256(abi.encode(round, SubmissionHead, ChunkProgress)) after the client's last step of a large
    /// submission.
    function progressOf(address client) external view returns (bytes32 progressHash);
}
