// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";
import {TaskParameters} from "../types/VerisumTypes.sol";
import {VerificationKeys} from "./VerificationKeys.sol";

/// @notice How many chunks of each kind a task has, 32 bits a kind, kind 0 lowest. The larger kinds come first in the
/// vector.
type ChunkKinds is uint256;

using {TaskLayout.kindOf} for ChunkKinds global;

/// @title A task's rules and layout
/// @notice Checks the inequalities that a task must satisfy and lays out its vector in chunks.
/// @dev Runs in the constructor only, except `kindOf`, `elementsOf` and `coordinatesOf`.
library TaskLayout {
    uint256 private constant BITS_PER_KIND = 32;

    /// @notice Key index of a chunk of the task.
    /// @param kindCount_ Kinds that have a key.
    function kindOf(ChunkKinds kinds, uint256 chunk, uint256 kindCount_) internal pure returns (uint256 kind) {
        for (kind = kindCount_ - 1; ; --kind) {
            uint256 count = uint32(ChunkKinds.unwrap(kinds) >> (BITS_PER_KIND * kind));
            if (chunk < count) return kind;
            chunk -= count;
        }
    }

    /// @notice Field elements of one chunk's block, masks included.
    function elementsOf(uint256 kindCoordinates, uint256 kind) internal pure returns (uint256) {
        return coordinatesOf(kindCoordinates, kind) / Protocol.SLOTS_PER_ELEMENT + Protocol.MASKS_PER_CHUNK;
    }

    /// @notice Coordinates of a kind; zero if the preset has no such kind.
    function coordinatesOf(uint256 kindCoordinates, uint256 kind) internal pure returns (uint256) {
        return uint32(kindCoordinates >> (BITS_PER_KIND * kind));
    }

    /// @notice Kinds of a preset.
    function kindCount(uint256 kindCoordinates) internal pure returns (uint256 count) {
        while (coordinatesOf(kindCoordinates, count) != 0) ++count;
    }

    /// @notice Checks the committee, the cohort, the times and the ledger (docs/protocol.md, sections 1 and 6).
    function checkRules(TaskParameters memory p) internal pure {
        _require(p.threshold >= 2, "threshold >= 2");
        _require(p.quorum >= 2 * uint256(p.threshold) - 1, "quorum >= 2 * threshold - 1");
        // With t - 1 members corrupt and silent, the others still are a quorum; implies committeeSize >= 3t - 2.
        _require(p.committeeSize >= uint256(p.quorum) + p.threshold - 1, "committeeSize >= quorum + threshold - 1");
        _require(p.committeeSize <= Protocol.MAX_COMMITTEE, "committeeSize <= MAX_COMMITTEE");
        _require(p.minHonest >= 2, "minHonest >= 2");
        _require(p.minClients >= uint256(p.minHonest) + p.maxCorrupt, "minClients >= minHonest + maxCorrupt");
        _require(p.minClients <= Protocol.MAX_COHORT, "minClients <= MAX_COHORT");
        _require(p.maxWeight != 0, "maxWeight >= 1");
        _require(p.maxWeight <= Protocol.MAX_TOTAL_WEIGHT, "maxWeight <= MAX_TOTAL_WEIGHT");
        _require(!p.uniformWeights || p.maxWeight == 1, "uniform weights are 1");
        _require(p.openRegistration == (p.bondWei != 0), "a bond exactly if registration is open");
        _require(p.collectSeconds != 0, "collectSeconds > 0");
        _require(p.attestSeconds != 0, "attestSeconds > 0");
        _require(p.aggregateSeconds != 0, "aggregateSeconds > 0");
        _require(
            p.privacyBudget == 0 || p.privacyCostPerRound <= p.privacyBudget,
            "privacyCostPerRound <= privacyBudget"
        );
        _require(p.privacyBudget == 0 || p.privacyCostPerRound != 0, "privacyCostPerRound > 0 with a budget");
        // Without a budget nothing would keep the sum of the costs within its bits, and `settle` would fail for good.
        _require(p.privacyBudget != 0 || p.privacyCostPerRound == 0, "a privacy cost has a budget");
    }

    /// @notice Checks the encoding's ranges (docs/protocol.md, sections 2 and 5), and that the keys are those of the
    /// preset's first kinds.
    /// @param keysLength Bytes of the encoded verification keys.
    /// @return kinds How many chunks of each kind there are.
    /// @return keyKinds How many kinds have a key.
    /// @return vectorLength M, field elements of the whole vector, masks included.
    function pack(
        TaskParameters memory p,
        uint256 keysLength
    ) internal pure returns (ChunkKinds kinds, uint256 keyKinds, uint256 vectorLength) {
        uint256 kindCoordinates = Protocol.kindCoordinates(p.coordinateBits);
        _require(kindCoordinates != 0, "coordinateBits is a preset's");
        uint256 offset = 1 << (p.coordinateBits - 1);
        _require(Protocol.MAX_TOTAL_WEIGHT * offset < 1 << (Protocol.SLOT_BITS - 1), "W * 2^(bits-1) < 2^(slotBits-1)");
        // A task need not carry keys larger than its chunks: the last kinds may be missing.
        keyKinds = VerificationKeys.kindsIn(keysLength);
        if (keyKinds == 0 || keyKinds > kindCount(kindCoordinates)) {
            revert IVerisum.VerisumKeysRefused("the length is not that of the preset's first kinds");
        }
        uint256 count = p.chunkKinds.length;
        _require(count <= Protocol.MAX_CHUNKS, "chunks <= MAX_CHUNKS");
        uint256 packed;
        uint256 covered;
        uint256 previous = keyKinds;
        for (uint256 j = 0; j < count; ++j) {
            uint256 kind = uint8(p.chunkKinds[j]);
            _require(kind < keyKinds, "every chunk's kind has a key");
            _require(covered < p.dimension, "no chunk is padding only");
            _require(kind <= previous, "larger chunks first");
            previous = kind;
            // Cannot carry: there are at most MAX_CHUNKS chunks.
            packed += 1 << (BITS_PER_KIND * kind);
            covered += coordinatesOf(kindCoordinates, kind);
            vectorLength += elementsOf(kindCoordinates, kind);
        }
        _require(p.dimension != 0 && covered >= p.dimension, "the chunks cover the dimension");
        _require(covered * offset * offset <= Protocol.NORM_ACCUMULATOR_BOUND, "N * K * 2^(2(bits-1)) < 2^48");
        _require(
            p.normBoundSquared != 0 && p.normBoundSquared <= Protocol.NORM_ACCUMULATOR_BOUND,
            "0 < normBoundSquared < 2^48"
        );
        kinds = ChunkKinds.wrap(packed);
    }

    function _require(bool holds, string memory rule) private pure {
        if (!holds) revert IVerisum.VerisumParameterInvalid(rule);
    }
}
