// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {G1Point, Submission} from "../types/VerisumTypes.sol";

/// @title Domain-separated hashes, word for word those of protocol/transcript.ts.
library Transcript {
    /// @notice What fixes a client's place: replay anywhere else fails.
    struct Submitter {
        uint64 round;
        address client;
        uint16 weight;
        bytes32 parametersHash;
        bytes32 baseModelDigest;
    }

    /// @dev Words of a challenge before the chunks' D.
    uint256 private constant CHALLENGE_HEAD_WORDS = 14;

    /// @notice The challenge of a submission; everything it covers is fixed before alpha and z exist.
    /// @dev The number of share evaluations enters by the array's length: the caller checks it against the threshold.
    function challenge(Submitter memory submitter, Submission calldata submission) internal view returns (bytes32) {
        uint256 chunkCount = submission.chunks.length;
        uint256[] memory words = new uint256[](CHALLENGE_HEAD_WORDS + 2 * chunkCount);
        words[0] = Protocol.TAG_CHALLENGE;
        words[1] = block.chainid;
        words[2] = uint160(address(this));
        words[3] = submitter.round;
        words[4] = uint160(submitter.client);
        words[5] = submitter.weight;
        words[6] = uint256(submitter.parametersHash);
        words[7] = uint256(submitter.baseModelDigest);
        words[8] = submission.commitment.x;
        words[9] = submission.commitment.y;
        words[10] = uint256(keccak256(abi.encodePacked(submission.shareHashes)));
        words[11] = uint256(submission.sharesCid);
        words[12] = submission.shareEvaluations.length;
        words[13] = chunkCount;
        for (uint256 j = 0; j < chunkCount; ++j) {
            G1Point calldata d = submission.chunks[j].d;
            words[CHALLENGE_HEAD_WORDS + 2 * j] = d.x;
            words[CHALLENGE_HEAD_WORDS + 2 * j + 1] = d.y;
        }
        return _hash(words);
    }

    /// @dev abi.encodePacked would copy the array first: measured at 45 gas a word.
    function _hash(uint256[] memory words) private pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            digest := keccak256(add(words, 0x20), mul(mload(words), 0x20))
        }
    }

    /// @notice The lookup argument's point alpha and the evaluation point z.
    function points(bytes32 challenge_) internal pure returns (uint256 alpha, uint256 z) {
        alpha = uint256(keccak256(abi.encode(Protocol.TAG_ALPHA, challenge_))) % Protocol.FIELD_ORDER;
        z = uint256(keccak256(abi.encode(Protocol.TAG_Z, challenge_))) % Protocol.FIELD_ORDER;
    }

    /// @notice The base of the random combination: it depends on every byte of the call, so no term can be chosen after it.
    function combinationBase(bytes32 challenge_) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(Protocol.TAG_COMBINE, challenge_, keccak256(msg.data)))) % Protocol.FIELD_ORDER;
    }

    /// @notice z', where the sum of commitments is opened.
    function resultPoint(
        uint64 round,
        uint256 included,
        uint256 totalWeight,
        G1Point memory sum,
        bytes32 aggregateDigest,
        bytes32 modelDigest
    ) internal view returns (uint256) {
        bytes32 digest = keccak256(
            abi.encode(
                Protocol.TAG_RESULT,
                block.chainid,
                address(this),
                round,
                included,
                totalWeight,
                sum.x,
                sum.y,
                aggregateDigest,
                modelDigest
            )
        );
        return uint256(digest) % Protocol.FIELD_ORDER;
    }
}
