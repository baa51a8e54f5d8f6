// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ChunkProgress, ChunkProof, G1Point, Submission} from "../types/VerisumTypes.sol";

/// @title The pairing checks of one task, in a contract of their own: together with the rounds they exceed EIP-170's
/// limit.
/// @notice Keeps no state but the task's constants. Anybody may call it; only what `IVerisum` makes of it counts.
/// @dev Errors are `IVerisum`'s.
interface ISubmissionVerifier {
    /// @notice Reverts if proofs could be forged under the task's keys, whoever made them (docs/protocol.md, section 9).
    /// @dev Reverts: KeysRefused, PointInvalid.
    function checkKeys() external view;

    /// @notice Reverts unless every chunk's proof and opening of every submission holds, in one pairing product.
    /// @param challenges The submissions' challenges, in their order.
    /// @param submissions Each with the task's number of chunks, which the caller has checked.
    /// @dev Reverts: NotCanonical, PointInfinity, PointInvalid, ProofInvalid.
    function verify(bytes32[] calldata challenges, Submission[] calldata submissions) external view;

    /// @notice Reverts unless these chunks, which follow `progress`, hold; returns the progress with everything but
    /// `wires` moved on.
    /// @param challenge The submission's challenge.
    /// @param progress A count of zero means the start: the other fields do not matter then.
    /// @dev Reverts: NotCanonical, PointInfinity, PointInvalid, ProofInvalid.
    function verifyChunks(
        bytes32 challenge,
        ChunkProgress calldata progress,
        ChunkProof[] calldata chunks
    ) external view returns (ChunkProgress memory);

    /// @notice True if `commitment` opens at z to y, with proof `opening`. Reverts: PointInvalid.
    function opens(
        G1Point calldata commitment,
        uint256 z,
        uint256 y,
        G1Point calldata opening
    ) external view returns (bool);
}
