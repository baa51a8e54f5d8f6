// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {ChunkProof, G1Point, Submission, SubmissionHead} from "../types/VerisumTypes.sol";

/// @title The transcript of a submission and of a result
/// @notice Computes domain-separated hashes, word for word those of protocol/transcript.ts.
library Transcript {
    /// @notice What fixes a client's place: replay anywhere else fails.
    struct Submitter {
        bytes32 deployment;
        uint64 round;
        address client;
        uint16 weight;
        bytes32 baseModelDigest;
    }

    /// @notice The identity of the contract that is being deployed: chain, address, task, and the block before.
    /// @dev A chain that was started anew, or a deployment that a reorganisation moved into another block, has another
    /// identity at the same address, since the block before it or the beacon's randomness (EIP-4399) differ.
    function deployment(bytes32 parametersHash) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    Protocol.TAG_DEPLOYMENT,
                    block.chainid,
                    address(this),
                    parametersHash,
                    blockhash(block.number - 1),
                    block.prevrandao
                )
            );
    }

    /// @notice The challenge of a submission; everything it covers is fixed before alpha and z exist.
    /// @param shareEvaluationCount t - 1.
    /// @param chunkCount K; the D behind the head's digest are as many.
    function challenge(
        Submitter memory submitter,
        SubmissionHead memory head,
        uint256 shareEvaluationCount,
        uint256 chunkCount
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(Protocol.TAG_CHALLENGE, submitter, head, shareEvaluationCount, chunkCount));
    }

    /// @notice The part of a submission that fixes its challenge.
    function headOf(Submission calldata submission, bytes32 wiresDigest) internal pure returns (SubmissionHead memory) {
        return
            SubmissionHead(
                submission.base,
                submission.commitment,
                keccak256(abi.encodePacked(submission.shareHashes)),
                submission.sharesCid,
                wiresDigest
            );
    }

    /// @notice Extends the chain digest <- keccak256(digest, D.x, D.y) by these chunks; it starts from zero.
    /// @dev A chain, so that the chunks of a submission may come in any number of transactions.
    function extendWires(bytes32 digest, ChunkProof[] calldata chunks) internal pure returns (bytes32) {
        for (uint256 j = 0; j < chunks.length; ++j) {
            G1Point calldata d = chunks[j].d;
            assembly ("memory-safe") {
                let scratch := mload(0x40)
                mstore(scratch, digest)
                calldatacopy(add(scratch, 0x20), d, 0x40)
                digest := keccak256(scratch, 0x60)
            }
        }
        return digest;
    }

    /// @notice The lookup argument's point alpha and the evaluation point z.
    function points(bytes32 challenge_) internal pure returns (uint256 alpha, uint256 z) {
        alpha = uint256(keccak256(abi.encode(Protocol.TAG_ALPHA, challenge_))) % Protocol.FIELD_ORDER;
        z = uint256(keccak256(abi.encode(Protocol.TAG_Z, challenge_))) % Protocol.FIELD_ORDER;
    }

    /// @notice The base of the random combination: it depends on every byte of the call, so no term can be chosen after
    /// it.
    /// @dev The calldata is hashed behind the free memory pointer, which stays: a batch is long.
    function combinationBase() internal pure returns (uint256) {
        bytes32 callHash;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            calldatacopy(scratch, 0, calldatasize())
            callHash := keccak256(scratch, calldatasize())
        }
        return uint256(keccak256(abi.encode(Protocol.TAG_COMBINE, callHash))) % Protocol.FIELD_ORDER;
    }

    /// @notice The intake after one more submission; it starts from zero.
    function extendIntake(bytes32 intake, bytes32 recordHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(intake, recordHash));
    }

    /// @notice What releases and results are signed over: everything that a settlement fixes.
    function settlement(
        uint64 round,
        bytes32 intake,
        uint256 included,
        uint256 totalWeight,
        G1Point memory sum
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(Protocol.TAG_SETTLEMENT, round, intake, included, totalWeight, sum.x, sum.y));
    }

    /// @notice z', where the sum of commitments is opened.
    function resultPoint(
        bytes32 deployment_,
        uint64 round,
        bytes32 settlement_,
        bytes32 aggregateDigest,
        bytes32 modelDigest
    ) internal pure returns (uint256) {
        bytes32 digest = keccak256(
            abi.encode(Protocol.TAG_RESULT, deployment_, round, settlement_, aggregateDigest, modelDigest)
        );
        return uint256(digest) % Protocol.FIELD_ORDER;
    }
}
