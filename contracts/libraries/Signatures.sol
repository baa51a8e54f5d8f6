// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RoundResult} from "../types/VerisumTypes.sol";

/// @title Signatures of members' statements and of submissions
/// @notice Checks EIP-712 signatures in the compact form of EIP-2098.
library Signatures {
    bytes32 private constant DOMAIN_TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    );
    bytes32 private constant ATTESTATION_TYPE = keccak256(
        "Attestation(uint64 round,bytes32 intake,uint256 good,uint256 refused)"
    );
    bytes32 private constant RELEASE_TYPE = keccak256("Release(uint64 round,bytes32 settlement,bytes32 releaseCid)");
    bytes32 private constant RESULT_TYPE = keccak256(
        "Result(uint64 round,bytes32 settlement,bytes32 aggregateCid,bytes32 aggregateDigest,bytes32 modelCid,bytes32 modelDigest)"
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
        bytes32 domain,
        uint64 round,
        address client,
        bytes32 submissionHash
    ) internal pure returns (bytes32) {
        return _typed(domain, keccak256(abi.encode(SUBMISSION_TYPE, round, client, submissionHash)));
    }

    /// @notice What a member signs of an intake, in the contract's domain.
    function ofAttestation(
        bytes32 domain,
        uint64 round,
        bytes32 intake,
        uint256 good,
        uint256 refused
    ) internal pure returns (bytes32) {
        return _typed(domain, keccak256(abi.encode(ATTESTATION_TYPE, round, intake, good, refused)));
    }

    /// @notice What a member signs of its sum of shares.
    function ofRelease(
        bytes32 domain,
        uint64 round,
        bytes32 settlement,
        bytes32 releaseCid
    ) internal pure returns (bytes32) {
        return _typed(domain, keccak256(abi.encode(RELEASE_TYPE, round, settlement, releaseCid)));
    }

    /// @notice What a member signs of a result.
    function ofResult(
        bytes32 domain,
        uint64 round,
        bytes32 settlement,
        RoundResult calldata result
    ) internal pure returns (bytes32) {
        return _typed(domain, keccak256(abi.encode(RESULT_TYPE, round, settlement, result)));
    }

    /// @notice The domain of everything that is signed for this contract, whose salt is its identity.
    function domainOf(bytes32 deployment) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this), deployment));
    }

    /// @notice True if `signature` (r, vs) is `signer`'s; a zero signer never signed anything.
    function isBy(address signer, bytes32 digest, bytes32[2] calldata signature) internal pure returns (bool) {
        uint256 vs = uint256(signature[1]);
        uint256 s = vs & S_MASK;
        if (s > MAX_S) return false;
        address recovered = ecrecover(digest, uint8(27 + (vs >> 255)), signature[0], bytes32(s));
        return recovered != address(0) && recovered == signer;
    }

    /// @dev The digest of a struct's hash in a domain.
    function _typed(bytes32 domain, bytes32 message) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }
}
