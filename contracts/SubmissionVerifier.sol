// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IVerisum} from "./interfaces/IVerisum.sol";
import {ISubmissionVerifier} from "./interfaces/ISubmissionVerifier.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {ChunkKinds} from "./libraries/TaskLayout.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {Verification} from "./libraries/Verification.sol";
import {VerificationKeys} from "./libraries/VerificationKeys.sol";
import {ChunkProgress, ChunkProof, G1Point, Submission} from "./types/VerisumTypes.sol";

/// @title The pairing checks of one task
/// @notice Verifies proofs and openings. `Verisum` creates it in its constructor and never changes it.
contract SubmissionVerifier is ISubmissionVerifier {
    using Verification for Verification.Product;

    address private immutable _keysPointer;
    ChunkKinds private immutable _kinds;
    uint256 private immutable _kindCoordinates;
    uint256 private immutable _kindCount;
    uint256 private immutable _chunkCount;
    uint256 private immutable _normBoundSquared;

    constructor(Verification.Task memory task) {
        _keysPointer = task.keysPointer;
        _kinds = task.kinds;
        _kindCoordinates = task.kindCoordinates;
        _kindCount = task.kindCount;
        _chunkCount = task.chunkCount;
        _normBoundSquared = task.normBoundSquared;
    }

    /// @inheritdoc ISubmissionVerifier
    function checkKeys() external view {
        VerificationKeys.check(DataContract.load(_keysPointer, 0, VerificationKeys.wordsOf(_kindCount)));
    }

    /// @inheritdoc ISubmissionVerifier
    function verify(bytes32[] calldata challenges, Submission[] calldata submissions) external view {
        Verification.Task memory task = _task();
        Verification.Product memory product = Verification.start(task, challenges.length * _chunkCount);
        for (uint256 i = 0; i < challenges.length; ++i) {
            Submission calldata submission = submissions[i];
            (uint256 alpha, uint256 z) = Transcript.points(challenges[i]);
            ChunkProgress memory progress = Verification.firstProgress();
            product.addChunks(task, submission.chunks, progress, alpha, z);
            product.addOpening(submission.commitment, submission.opening, z, progress.y);
        }
        if (!product.holds()) revert IVerisum.VerisumProofInvalid();
    }

    /// @inheritdoc ISubmissionVerifier
    function verifyChunks(
        bytes32 challenge,
        ChunkProgress calldata progress,
        ChunkProof[] calldata chunks
    ) external view returns (ChunkProgress memory next) {
        Verification.Task memory task = _task();
        Verification.Product memory product = Verification.start(task, chunks.length);
        (uint256 alpha, uint256 z) = Transcript.points(challenge);
        next = progress.count == 0 ? Verification.firstProgress() : progress;
        product.addChunks(task, chunks, next, alpha, z);
        if (!product.holds()) revert IVerisum.VerisumProofInvalid();
    }

    /// @inheritdoc ISubmissionVerifier
    function opens(
        G1Point calldata commitment,
        uint256 z,
        uint256 y,
        G1Point calldata opening
    ) external view returns (bool) {
        return Verification.checkOpening(_keysPointer, commitment, z, y, opening);
    }

    function _task() private view returns (Verification.Task memory) {
        return Verification.Task(_keysPointer, _kinds, _kindCoordinates, _kindCount, _chunkCount, _normBoundSquared);
    }
}
