// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @dev An affine point of BN254 G1; (0, 0) is infinity (EIP-196).
struct G1Point {
    uint256 x;
    uint256 y;
}

/// @notice The proof of one chunk, with the element that commits to its wires (docs/protocol.md, section 5).
/// @param d Commitment to the chunk's committed wires, in the bases K_i/sigma.
/// @param a Groth16 A.
/// @param b Groth16 B as (x.c1, x.c0, y.c1, y.c0), the order of EIP-197.
/// @param c Groth16 C.
/// @param y Evaluation of the chunk's block of elements at z, from exponent 0.
/// @param h Poseidon(acc, salt) after this chunk.
struct ChunkProof {
    G1Point d;
    G1Point a;
    uint256[4] b;
    G1Point c;
    uint256 y;
    uint256 h;
}

/// @notice Everything a client submits in one round.
/// @param base Number of the model that the update starts from: 0 for the genesis, k for the k-th finalised round's.
/// @param commitment KZG commitment C to the packed vector.
/// @param sharesCid sha2-256 digest of the CIDv1 (dag-pb) of the directory with the encrypted shares.
/// @param shareHashes Digest of each member's plaintext share, member 1 first; one per committee seat.
/// @param chunks One proof per chunk of the task's layout, in order.
/// @param shareEvaluations E_kappa: the sharing polynomials' coefficient vectors evaluated at z, kappa = 1 .. t-1.
/// @param opening KZG proof that C evaluates at z to the sum of z^offset * y.
struct Submission {
    uint32 base;
    G1Point commitment;
    bytes32 sharesCid;
    bytes32[] shareHashes;
    ChunkProof[] chunks;
    uint256[] shareEvaluations;
    G1Point opening;
}

/// @notice A submission that its client signed, so that anybody may send it (docs/protocol.md, section 6).
/// @param client Who signed, and whose submission it is.
/// @param signature EIP-2098 compact signature (r, vs) of the EIP-712 type `RelayedSubmission`.
struct SignedSubmission {
    Submission submission;
    address client;
    bytes32[2] signature;
}

/// @notice What fixes the challenge of a submission that takes several transactions.
/// @param base As in the submission.
/// @param sharesDigest keccak-256 of the share hashes.
/// @param wiresDigest The chain of hashes over every chunk's D (docs/protocol.md, section 5).
struct SubmissionHead {
    uint32 base;
    G1Point commitment;
    bytes32 sharesDigest;
    bytes32 sharesCid;
    bytes32 wiresDigest;
}

/// @notice What the chunks verified so far leave for the next one.
/// @param count Chunks verified.
/// @param wires The chain of hashes over their D.
/// @param h The last one's h; Poseidon(0, 0) before the first.
/// @param y Sum of z^offset * y over them.
/// @param zPower z^offset of the next chunk.
struct ChunkProgress {
    uint256 count;
    bytes32 wires;
    uint256 h;
    uint256 y;
    uint256 zPower;
}

/// @notice A task's parameters, fixed at deployment; clients and the transcript use the hash of their ABI encoding.
/// @param taskCid Digest of the directory with task.json: model, training and encoding.
/// @param genesisCid Digest of the directory with the initial model.
/// @param genesisDigest Digest of the initial model's integers.
/// @param keysHash keccak-256 of the encoded verification keys.
/// @param coordinateBits Bits of one signed coordinate.
/// @param dimension Coordinates of the model, without padding.
/// @param normBoundSquared B^2 in units of one quantisation step squared.
/// @param committeeSize n, seats of the committee.
/// @param threshold t, shares needed to interpolate.
/// @param quorum Members that must attest before a set of clients can settle; at least 2t-1.
/// @param minClients Fewest clients whose updates may be summed.
/// @param minHonest Honest clients that the privacy statement counts on.
/// @param maxCorrupt f, corrupt client identities the task plans for.
/// @param uniformWeights True if every weight must be 1 (client-level privacy).
/// @param maxWeight Largest weight of one client: no client has more than maxWeight / (maxWeight + minClients - 1) of a sum.
/// @param bufferGoal Submissions at which a round stops collecting; 0 means everybody registered (a barrier, not a buffer).
/// @param maxStaleness Models that a submission's base may be behind the latest one.
/// @param minSeparation Rounds from one submission of a client to its next, at least 1.
/// @param minCollectSeconds Shortest Collecting of a buffer that not everybody registered is in, so that those who prove
/// slowly enter as well.
/// @param openRegistration True if anybody may join for the bond; otherwise the operator's allow-list decides.
/// @param bondWei Bond of an openly registered client, returned when it leaves.
/// @param maxRefusals k: anybody may take off a client that k settlements left out because so many members refused it that
/// one of them is honest; 0 means never.
/// @param keyWindowSeconds How long a round's opening waits for absent members' keys.
/// @param collectSeconds Length of Collecting.
/// @param attestSeconds Length of Attesting.
/// @param aggregateSeconds Length of Aggregating.
/// @param maxRounds Rounds the task may finalise; 0 means no limit.
/// @param maxRoundsPerClient Settlements that may count one client; 0 means no limit.
/// @param privacyCostPerRound Charged to the ledger when a round settles, in the task's own additive unit.
/// @param privacyBudget A round that would exceed this does not open; 0 means no ledger, and then there is no cost.
/// @param chunkKinds Key index of each chunk, one byte each, larger chunks first.
struct TaskParameters {
    bytes32 taskCid;
    bytes32 genesisCid;
    bytes32 genesisDigest;
    bytes32 keysHash;
    uint8 coordinateBits;
    uint32 dimension;
    uint64 normBoundSquared;
    uint8 committeeSize;
    uint8 threshold;
    uint8 quorum;
    uint16 minClients;
    uint16 minHonest;
    uint16 maxCorrupt;
    bool uniformWeights;
    uint16 maxWeight;
    uint16 bufferGoal;
    uint8 maxStaleness;
    uint16 minSeparation;
    uint32 minCollectSeconds;
    bool openRegistration;
    uint96 bondWei;
    uint8 maxRefusals;
    uint32 keyWindowSeconds;
    uint32 collectSeconds;
    uint32 attestSeconds;
    uint32 aggregateSeconds;
    uint32 maxRounds;
    uint16 maxRoundsPerClient;
    uint64 privacyCostPerRound;
    uint64 privacyBudget;
    bytes chunkKinds;
}

/// @notice Idle is "before the first round" only; a closed round stays Finalised or Aborted until the next one opens, which
/// is at once after a result where it can.
enum Phase {
    Idle,
    Collecting,
    Attesting,
    Aggregating,
    Finalised,
    Aborted
}

/// @notice The state of the current round, as of the block's time.
/// @param number Rounds are numbered from 1; aborted rounds keep their number.
/// @param phase Collecting turns into Attesting by time alone, if enough clients are in.
/// @param deadline Unix seconds at which the present phase ends, or can be ended by anybody.
/// @param expected Submissions that the round waits for: the buffer's goal, or the clients registered when it opened.
/// @param submitted Clients accepted so far; bit i of a bitmap is the i-th accepted client.
/// @param keyMask Bit j-1 set if seat j had a key for this round when it opened.
/// @param totalWeight Sum of weights behind `sum`.
/// @param included U, fixed when the round settles; before that, the standing proposal's.
/// @param proposedMembers T of the settlement; before that, of the standing proposal, zero if there is none.
/// @param sum C_Sigma, the weighted sum of accepted (after settling: included) commitments.
/// @param intake Running hash of the accepted submissions' records while Collecting or Attesting; otherwise zero.
/// @param settlement Hash of the settlement while Aggregating or Finalised; otherwise zero.
struct RoundState {
    uint64 number;
    Phase phase;
    uint64 deadline;
    uint16 expected;
    uint16 submitted;
    uint32 keyMask;
    uint32 totalWeight;
    uint256 included;
    uint32 proposedMembers;
    G1Point sum;
    bytes32 intake;
    bytes32 settlement;
}

/// @notice What the lists say of one account, as of the current round.
/// @param weight Zero if the account was never registered.
/// @param activeFromRound The first round that it may submit in.
/// @param untilRound The first round that it may no longer submit in; zero while it stays.
/// @param lastSubmittedRound Zero if there is none; an account that took another one's place has that one's.
/// @param bondWei What it can withdraw once the last round that it was active in is closed.
/// @param refusals Settlements that left it out as refused; 255 if the operator took it off an open task.
/// @param includedRounds Settlements that count it, the current round's included; zero in a task without a limit.
/// @param moved True if another account took its place.
struct ClientState {
    uint16 weight;
    uint64 activeFromRound;
    uint64 untilRound;
    uint64 lastSubmittedRound;
    uint96 bondWei;
    uint8 refusals;
    uint16 includedRounds;
    bool moved;
}

/// @notice The latest model.
/// @param round Round that produced it; 0 for the genesis.
struct ModelRecord {
    uint64 round;
    bytes32 cid;
    bytes32 digest;
}

/// @notice What the round keeps of a submission: its hash is stored, and the intake is the running hash of them.
/// @param sharesDigest keccak-256 of the share hashes.
/// @param sharesCid As in the submission.
struct ClientRecord {
    address client;
    uint16 weight;
    G1Point commitment;
    bytes32 sharesDigest;
    bytes32 sharesCid;
}

/// @notice A client that a settlement leaves out, with the record needed to subtract it.
struct ExcludedClient {
    uint8 index;
    ClientRecord record;
}

/// @notice What a member says of the clients' shares, signed by it (EIP-712 type `Attestation`, which adds round and
/// intake).
/// @param good Clients whose shares the member holds and found to fit.
/// @param refused Clients whose shares the member fetched and found wrong.
/// @param signature EIP-2098 compact signature (r, vs).
struct Attestation {
    uint8 seat;
    uint256 good;
    uint256 refused;
    bytes32[2] signature;
}

/// @notice Where a member's sum of the included clients' shares is, signed by it (EIP-712 type `Release`, which adds
/// round and settlement).
/// @param releaseCid sha2-256 digest of the release's CIDv1.
/// @param signature EIP-2098 compact signature (r, vs).
struct Release {
    uint8 seat;
    bytes32 releaseCid;
    bytes32[2] signature;
}

/// @notice The result of a round, signed by members (EIP-712 type `Result`, which adds round and settlement).
struct RoundResult {
    bytes32 aggregateCid;
    bytes32 aggregateDigest;
    bytes32 modelCid;
    bytes32 modelDigest;
}
