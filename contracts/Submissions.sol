// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RoundBase} from "./RoundBase.sol";
import {Protocol} from "./generated/Protocol.sol";
import {ISubmissionVerifier} from "./interfaces/ISubmissionVerifier.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {
    ChunkProgress,
    ChunkProof,
    ClientRecord,
    G1Point,
    Phase,
    SignedSubmission,
    Submission,
    SubmissionHead
} from "./types/VerisumTypes.sol";

/// @title How updates enter a round
/// @notice Takes a submission alone, in a relayed batch, or in several transactions (docs/protocol.md, sections 5, 6).
abstract contract Submissions is RoundBase {
    using Bn254 for G1Point;

    /// @dev A call's accepted submissions before they are written: the round, its intake with them, and where each one's
    /// calldata starts.
    struct Batch {
        RoundHeader header;
        G1Point sum;
        bytes32 intake;
        uint256 count;
        bytes32[] challenges;
        uint256[] starts;
    }

    /// @dev ABI encoding of `Submission` before its arrays' elements, of one `ChunkProof`, and of `SignedSubmission`
    /// before the submission.
    uint256 private constant SUBMISSION_HEAD_BYTES = 9 * 32;
    uint256 private constant CHUNK_PROOF_BYTES = 12 * 32;
    uint256 private constant SIGNED_HEAD_BYTES = 4 * 32;
    /// @dev Where the last argument's encoding starts: after the selector, (round, offset) and for `finishSubmission`
    /// the progress.
    uint256 private constant SUBMIT_START = 4 + 2 * 32;
    uint256 private constant FINISH_START = 4 + 7 * 32;

    /// @inheritdoc IVerisum
    mapping(address client => bytes32 progressHash) public progressOf;

    /// @inheritdoc IVerisum
    function submit(uint64 round_, Submission calldata submission) external {
        Batch memory batch = _openBatch(round_, 1);
        _requireFirst(round_, msg.sender);
        (bytes32 field, uint256 actual, uint256 expected) = _wrongLength(submission, _chunkCount);
        if (field != 0) revert VerisumWrongLength(field, actual, expected);
        _requireEnd(_endOf(submission, SUBMIT_START));
        _take(batch, msg.sender, submission, SUBMIT_START, msg.data.length);
        _verify(batch, SUBMIT_START);
        _closeBatch(batch);
    }

    /// @inheritdoc IVerisum
    function submitBatch(uint64 round_, SignedSubmission[] calldata signed) external {
        Batch memory batch = _openBatch(round_, signed.length);
        // The array's length, the offsets of its elements, the elements: each where the ABI's own encoding has it.
        uint256 position = SUBMIT_START + 32 * (1 + signed.length);
        bytes32 domain = Signatures.domainOf(deployment);
        for (uint256 i = 0; i < signed.length; ++i) {
            SignedSubmission calldata item = signed[i];
            Submission calldata submission = item.submission;
            (bytes32 field, , ) = _wrongLength(submission, _chunkCount);
            if (field != 0) revert VerisumBatchItemInvalid(i, field);
            uint256 start = position + SIGNED_HEAD_BYTES;
            uint256 itemStart;
            assembly ("memory-safe") {
                itemStart := item
            }
            if (itemStart != position) revert VerisumNotCanonical("calldata", position);
            position = _endOf(submission, start);
            // Skipped, or whoever sends one of a batch's submissions alone could make the whole batch revert.
            if (_clients[item.client].lastSubmittedRound == round_) continue;
            bytes32 digest = Signatures.ofSubmission(domain, round_, item.client, _hashOf(start, position));
            if (!Signatures.isBy(item.client, digest, item.signature)) revert VerisumBatchItemInvalid(i, "signature");
            _take(batch, item.client, submission, start, position);
        }
        _requireEnd(position);
        if (batch.count == 0) revert VerisumBatchEmpty();
        _verify(batch, SUBMIT_START);
        _closeBatch(batch);
    }

    /// @inheritdoc IVerisum
    function proveChunks(
        uint64 round_,
        SubmissionHead calldata head,
        ChunkProgress calldata progress,
        ChunkProof[] calldata chunks
    ) external {
        RoundHeader memory header = _collecting(round_);
        _requireFirst(round_, msg.sender);
        uint16 weight = _activeClient(round_, msg.sender).weight;
        // The count is the contract's own, and below K, unless it is zero: the progress is compared with what was
        // stored.
        if (progress.count != 0) _requireProgress(round_, head, progress);
        uint256 left = _chunkCount - progress.count;
        if (chunks.length == 0 || chunks.length > left) revert VerisumWrongLength("chunks", chunks.length, left);
        bytes32 challenge = _challenge(header, msg.sender, weight, head);
        ChunkProgress memory next = ISubmissionVerifier(verifier).verifyChunks(challenge, progress, chunks);
        next.wires = Transcript.extendWires(progress.count == 0 ? bytes32(0) : progress.wires, chunks);
        progressOf[msg.sender] = _progressHash(round_, head, next);
        emit ChunksProven(round_, msg.sender, head, next, chunks);
    }

    /// @inheritdoc IVerisum
    function finishSubmission(uint64 round_, ChunkProgress calldata progress, Submission calldata submission) external {
        Batch memory batch = _openBatch(round_, 1);
        _requireFirst(round_, msg.sender);
        (bytes32 field, uint256 actual, uint256 expected) = _wrongLength(submission, 0);
        if (field != 0) revert VerisumWrongLength(field, actual, expected);
        _requireEnd(_endOf(submission, FINISH_START));
        // The head states the digest of the D that were proven: one that stated another has no progress with this hash.
        _requireProgress(round_, Transcript.headOf(submission, progress.wires), progress);
        _requireLength("chunks", progress.count, _chunkCount);
        _takeWith(batch, msg.sender, submission, progress.wires, FINISH_START, msg.data.length);
        (, uint256 z) = Transcript.points(batch.challenges[0]);
        if (!ISubmissionVerifier(verifier).opens(submission.commitment, z, progress.y, submission.opening)) {
            revert VerisumProofInvalid();
        }
        _closeBatch(batch);
    }

    // ------------------------------------------------------------------ who

    /// @dev A client that may submit in this round, in which it has not.
    function _activeClient(uint64 round_, address account) private view returns (Client storage client) {
        client = _clients[account];
        bool hasLeft = client.untilRound != 0 && client.untilRound <= round_;
        if (client.weight == 0 || client.activeFromRound > round_ || hasLeft) {
            revert VerisumNotActiveClient(account, client.activeFromRound, client.untilRound);
        }
        uint64 firstRound = client.lastSubmittedRound + _minSeparation;
        if (client.lastSubmittedRound != 0 && firstRound > round_) revert VerisumTooSoon(account, firstRound);
        if (_maxRoundsPerClient == 0) return client;
        uint16 included = _includedRounds(client);
        if (included >= _maxRoundsPerClient) revert VerisumRoundsUsedUp(account, included);
    }

    function _requireFirst(uint64 round_, address client) private view {
        if (_clients[client].lastSubmittedRound == round_) revert VerisumAlreadySubmitted(client);
    }

    // ------------------------------------------------------------------ what

    /// @dev The first array of a submission whose length is not the task's; `field` is zero if there is none.
    function _wrongLength(
        Submission calldata submission,
        uint256 chunkCount
    ) private view returns (bytes32 field, uint256 actual, uint256 expected) {
        (actual, expected) = (submission.shareHashes.length, _committeeSize);
        if (actual != expected) return ("shareHashes", actual, expected);
        (actual, expected) = (submission.chunks.length, chunkCount);
        if (actual != expected) return ("chunks", actual, expected);
        (actual, expected) = (submission.shareEvaluations.length, _threshold - 1);
        if (actual != expected) return ("shareEvaluations", actual, expected);
        return (0, 0, 0);
    }

    /// @dev The end of a submission that is encoded from `start` as the ABI's own encoding has it. Solidity follows any
    /// offset, also to before the struct. `Submitted` carries the calldata as it came, and one event that readers
    /// cannot decode would keep all of them from every round: no other form is accepted.
    function _endOf(Submission calldata submission, uint256 start) private pure returns (uint256 end) {
        bytes32[] calldata hashes = submission.shareHashes;
        ChunkProof[] calldata chunks = submission.chunks;
        uint256[] calldata evaluations = submission.shareEvaluations;
        uint256 actualStart;
        uint256 hashesAt;
        uint256 chunksAt;
        uint256 evaluationsAt;
        assembly ("memory-safe") {
            actualStart := submission
            hashesAt := hashes.offset
            chunksAt := chunks.offset
            evaluationsAt := evaluations.offset
        }
        // `offset` is that of the first element, one word after the array's length.
        bool canonical =
            actualStart == start &&
                hashesAt == start + SUBMISSION_HEAD_BYTES + 32 &&
                chunksAt == hashesAt + 32 * hashes.length + 32 &&
                evaluationsAt == chunksAt + CHUNK_PROOF_BYTES * chunks.length + 32;
        if (!canonical) revert VerisumNotCanonical("calldata", start);
        return evaluationsAt + 32 * evaluations.length;
    }

    function _requireEnd(uint256 end) private pure {
        if (end != msg.data.length) revert VerisumNotCanonical("calldata", end);
    }

    /// @dev keccak-256 of the calldata's bytes from `start` to `end`, without keeping a copy.
    function _hashOf(uint256 start, uint256 end) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            calldatacopy(scratch, start, sub(end, start))
            digest := keccak256(scratch, sub(end, start))
        }
    }

    function _challenge(
        RoundHeader memory header,
        address client,
        uint16 weight,
        SubmissionHead memory head
    ) private view returns (bytes32) {
        uint32 latest = header.model;
        if (head.base > latest) revert VerisumBaseUnknown(head.base, latest);
        if (latest - head.base >= _modelCount) revert VerisumBaseTooOld(head.base, latest - _modelCount + 1);
        return
            Transcript.challenge(
                Transcript.Submitter(deployment, header.number, client, weight, _modelDigestOf(head.base)),
                head,
                _threshold - 1,
                _chunkCount
            );
    }

    function _progressHash(
        uint64 round_,
        SubmissionHead memory head,
        ChunkProgress memory progress
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(round_, head, progress));
    }

    function _requireProgress(uint64 round_, SubmissionHead memory head, ChunkProgress calldata progress) private view {
        if (progressOf[msg.sender] != _progressHash(round_, head, progress)) revert VerisumProgressUnknown(msg.sender);
    }

    // ------------------------------------------------------------------ into the round

    function _openBatch(uint64 round_, uint256 most) private view returns (Batch memory batch) {
        batch.header = _collecting(round_);
        batch.challenges = new bytes32[](most);
        batch.starts = new uint256[](most);
        if (batch.header.submitted != 0) (batch.sum, batch.intake) = (_sum, _roundHash);
    }

    function _take(
        Batch memory batch,
        address client,
        Submission calldata submission,
        uint256 start,
        uint256 end
    ) private {
        _takeWith(batch, client, submission, Transcript.extendWires(0, submission.chunks), start, end);
    }

    /// @dev Records a submission and adds it to the batch's sum. What is wrong with its proofs reverts all of it
    /// later.
    function _takeWith(
        Batch memory batch,
        address client,
        Submission calldata submission,
        bytes32 wiresDigest,
        uint256 start,
        uint256 end
    ) private {
        RoundHeader memory header = batch.header;
        Client storage entry = _activeClient(header.number, client);
        uint16 weight = entry.weight;
        for (uint256 i = 0; i < submission.shareEvaluations.length; ++i) {
            if (submission.shareEvaluations[i] >= Protocol.FIELD_ORDER) {
                revert VerisumNotCanonical("shareEvaluations", submission.shareEvaluations[i]);
            }
        }
        G1Point memory commitment = submission.commitment;
        if (commitment.x | commitment.y == 0) revert VerisumPointInfinity("commitment");
        SubmissionHead memory head = Transcript.headOf(submission, wiresDigest);
        batch.challenges[batch.count] = _challenge(header, client, weight, head);
        batch.starts[batch.count++] = start;

        uint256 totalWeight = uint256(header.totalWeight) + weight;
        // In a barrier both hold by registration.
        if (header.submitted == Protocol.MAX_COHORT || totalWeight > Protocol.MAX_TOTAL_WEIGHT) {
            revert VerisumBufferFull(header.submitted, totalWeight);
        }
        uint8 index = uint8(header.submitted);
        if (_maxRoundsPerClient != 0) entry.includedRounds = _includedRounds(entry);
        entry.lastSubmittedRound = header.number;
        entry.lastIndex = index;
        bytes32 recordHash = _recordHash(
            header.number,
            ClientRecord(client, weight, commitment, head.sharesDigest, head.sharesCid)
        );
        _records[index] = recordHash;
        batch.intake = Transcript.extendIntake(batch.intake, recordHash);
        batch.sum.addScaled(commitment.x, commitment.y, weight);
        header.submitted += 1;
        header.totalWeight = uint16(totalWeight);
        _emitSubmitted(header.number, client, index, weight, start, end);
    }

    /// @dev One pairing product for the whole batch. The verifier's input is put together from the calldata as it is,
    /// which the canonical form allows; encoding it anew was measured at 1,200 gas more per chunk.
    function _verify(Batch memory batch, uint256 tail) private view {
        uint256 count = batch.count;
        (bytes32[] memory challenges, uint256[] memory offsets) = (batch.challenges, batch.starts);
        // Both were sized for all submissions of the call; some may have been skipped.
        assembly ("memory-safe") {
            mstore(challenges, count)
            mstore(offsets, count)
        }
        // Offsets count from the first word after the array's length.
        for (uint256 i = 0; i < count; ++i) offsets[i] = offsets[i] - tail + 32 * count;
        bytes memory input = abi.encodePacked(
            ISubmissionVerifier.verify.selector,
            abi.encode(2 * 32, (3 + count) * 32, count),
            challenges,
            count,
            offsets,
            msg.data[tail:]
        );
        (bool success, bytes memory reason) = verifier.staticcall(input);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }

    function _closeBatch(Batch memory batch) private {
        RoundHeader memory header = batch.header;
        (_sum, _roundHash) = (batch.sum, batch.intake);
        if (header.submitted >= header.expected) _endAtGoal(header);
        _header = header;
    }

    /// @dev The goal ends Collecting, but not before its shortest time is over.
    function _endAtGoal(RoundHeader memory header) internal view {
        uint40 earliest = _minCollectSeconds == 0 ? 0 : _ledger.keyWindowStart + _minCollectSeconds;
        if (_now() < earliest) header.deadline = earliest;
        else _enter(header, Phase.Attesting, _attestSeconds);
    }

    /// @dev Emits `Submitted` with the calldata of the submission as it came: offsets inside it are relative to its own
    /// start, so it is its own ABI encoding. Measured against `emit`: 1,200 gas less per chunk. The data lies behind
    /// the free memory pointer, which stays: a batch is long.
    function _emitSubmitted(
        uint64 round_,
        address client,
        uint8 index,
        uint16 weight,
        uint256 start,
        uint256 end
    ) private {
        bytes32 topic = Submitted.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, index)
            mstore(add(data, 0x20), weight)
            mstore(add(data, 0x40), 0x60)
            calldatacopy(add(data, 0x60), start, sub(end, start))
            log3(data, add(0x60, sub(end, start)), topic, round_, client)
        }
    }
}
