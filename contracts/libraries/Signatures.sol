// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {G1Point, RoundResult} from "../types/VerisumTypes.sol";

/// @title Signatures of results and submissions
/// @notice Checks EIP-712 signatures of a round's result and of relayed submissions, in the compact form of EIP-2098.
library Signatures {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    );
    bytes32 private constant RESULT_TYPE = keccak256(
        "Result(uint64 round,uint256 included,uint32 totalWeight,uint256 sumX,uint256 sumY,bytes32 aggregateCid,bytes32 aggregateDigest,bytes32 modelCid,bytes32 modelDigest)"
    );
    bytes32 private constant SUBMISSION_TYPE = keccak256(
        "RelayedSubmission(uint64 round,address client,bytes32 submissionHash)"
    );
    bytes32 private constant NAME = keccak256("Verisum");
    bytes32 private constant VERSION = keccak256("1");

    /// @dev Half the order of secp256k1, rounded down: a larger s is the malleated twin of a smaller one (EIP-2).
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant S_MASK = (1 << 255) - 1;

    /// @notice What a client signs for a relayer.
    /// @param submissionHash keccak-256 of the submission's ABI encoding.
    function ofSubmission(
        bytes32 deployment,
        uint64 round,
        address client,
        bytes32 submissionHash
    ) internal view returns (bytes32) {
        return _typed(deployment, keccak256(abi.encode(SUBMISSION_TYPE, round, client, submissionHash)));
    }

    /// @notice What a member signs.
    function ofResult(
        bytes32 deployment,
        uint64 round,
        uint256 included,
        uint32 totalWeight,
        G1Point memory sum,
        RoundResult calldata result
    ) internal view returns (bytes32) {
        bytes32 message = keccak256(
            abi.encode(
                RESULT_TYPE,
                round,
                included,
                totalWeight,
                sum.x,
                sum.y,
                result.aggregateCid,
                result.aggregateDigest,
                result.modelCid,
                result.modelDigest
            )
        );
        return _typed(deployment, message);
    }

    /// @notice True if `signature` (r, vs) is `signer`'s; a zero signer never signed anything.
    function isBy(address signer, bytes32 digest, bytes32[2] calldata signature) internal pure returns (bool) {
        uint256 vs = uint256(signature[1]);
        uint256 s = vs & S_MASK;
        if (s > MAX_S) return false;
        address recovered = ecrecover(digest, uint8(27 + (vs >> 255)), signature[0], bytes32(s));
        return recovered != address(0) && recovered == signer;
    }

    /// @dev The digest of a struct's hash in the domain of this contract, whose salt is its identity.
    function _typed(bytes32 deployment, bytes32 message) private view returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this), deployment));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }
}
