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
    /// @dev Of the encoded parameters, besides the bytes. Assembly takes a number, and no constant of another library.
    uint256 private constant PARAMETER_WORDS = 30;

    /// @notice How a task's vector is laid out.
    /// @param kinds How many chunks of each kind there are, as `ChunkKinds`.
    /// @param kindCoordinates Coordinates of the preset's kinds, packed.
    /// @param keyKinds How many kinds have a key.
    /// @param length M, field elements of the whole vector, masks included.
    struct Layout {
        uint256 kinds;
        uint256 kindCoordinates;
        uint256 keyKinds;
        uint256 length;
    }

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

    /// @notice The parameters behind their ABI encoding: its words are those of the struct in memory, but for the place of
    /// the bytes.
    /// @dev The ABI's decoder and encoder of this struct took 2,000 bytes of the code that creates a contract.
    /// @return one A list of one: a struct that a function returns is filled with zeros first.
    function decode(bytes memory encoded) internal pure returns (TaskParameters[] memory one) {
        bytes memory list = abi.encodePacked(uint256(1), uint256(0), encoded);
        assembly ("memory-safe") {
            one := add(list, 0x20)
            let parameters := add(list, 0x80)
            mstore(add(one, 0x20), parameters)
            let kinds := add(parameters, mul(PARAMETER_WORDS, 0x20))
            mstore(kinds, add(parameters, mload(kinds)))
        }
    }

    /// @notice Refuses parameters that break a rule (docs/protocol.md, sections 1, 2, 5, 6 and 6.4), and keys that are not
    /// those of the preset's first kinds.
    /// @param encoded `abi.encode` of the parameters.
    /// @param p The same, decoded.
    /// @param keysLength Bytes of the encoded verification keys.
    /// @dev Reverts: ParameterInvalid, KeysRefused.
    function check(
        bytes memory encoded,
        TaskParameters memory p,
        uint256 keysLength
    ) internal pure returns (Layout memory vector) {
        bytes32 broken = _brokenForm(encoded);
        if (broken == 0) broken = _brokenRule(p);
        if (broken == 0) broken = p.bufferGoal == 0 ? _brokenBarrier(p) : _brokenBuffer(p);
        if (broken == 0) broken = _fill(vector, p, keysLength);
        if (broken != 0) revert IVerisum.VerisumParameterInvalid(broken);
    }

    /// @dev The first rule of the encoding itself that is broken: what is hashed has one form, and every word its range.
    function _brokenForm(bytes memory encoded) private pure returns (bytes32) {
        // No sum can carry, and no difference be negative: the encoding is in memory, and longer than its head.
        unchecked {
            uint256 head = 32 * (PARAMETER_WORDS + 3);
            uint256 padded = encoded.length - head;
            uint256 length = _word(encoded, PARAMETER_WORDS + 2);
            bool canonical =
                encoded.length >= head &&
                    encoded.length % 32 == 0 &&
                    _word(encoded, 0) == 32 &&
                    _word(encoded, PARAMETER_WORDS + 1) == head - 64 &&
                    length <= padded &&
                    padded - length < 32 &&
                    (padded == length || _word(encoded, encoded.length / 32 - 1) << (8 * (length % 32)) == 0);
            if (!canonical) return "the ABI's encoding";
            for (uint256 i = 0; i < PARAMETER_WORDS; ++i) {
                uint256 bits = uint8(Protocol.PARAMETER_BITS >> (8 * i));
                if (bits != 0 && _word(encoded, 1 + i) >> bits != 0) return "each word fits its type";
            }
            return 0;
        }
    }

    /// @dev The first rule of the committee, the cohort, the times and the ledger that is broken.
    function _brokenRule(TaskParameters memory p) private pure returns (bytes32) {
        if (p.threshold < 2) return "threshold >= 2";
        if (p.quorum < 2 * uint256(p.threshold) - 1) return "quorum >= 2t - 1";
        // With t - 1 members corrupt and silent, the others still are a quorum; implies committeeSize >= 3t - 2.
        if (p.committeeSize < uint256(p.quorum) + p.threshold - 1) return "n >= quorum + t - 1";
        if (p.committeeSize > Protocol.MAX_COMMITTEE) return "n <= MAX_COMMITTEE";
        if (p.minHonest < 2) return "minHonest >= 2";
        if (p.minClients < uint256(p.minHonest) + p.maxCorrupt) return "minClients >= minHonest + f";
        if (p.minClients > Protocol.MAX_COHORT) return "minClients <= MAX_COHORT";
        if (p.maxWeight == 0) return "maxWeight >= 1";
        if (p.maxWeight > Protocol.MAX_TOTAL_WEIGHT) return "maxWeight <= W";
        if (p.uniformWeights && p.maxWeight != 1) return "uniform weights";
        if (p.openRegistration != (p.bondWei != 0)) return "a bond iff open";
        if (p.collectSeconds == 0 || p.attestSeconds == 0 || p.aggregateSeconds == 0) return "phases last";
        // Without a budget nothing would keep the sum of the costs within its bits, and `settle` would fail for good.
        if ((p.privacyBudget == 0) != (p.privacyCostPerRound == 0)) return "a cost iff a budget";
        if (p.privacyCostPerRound > p.privacyBudget) return "cost <= budget";
        return 0;
    }

    function _brokenBarrier(TaskParameters memory p) private pure returns (bytes32) {
        bool holds = p.maxStaleness == 0 && p.minSeparation == 1 && p.minCollectSeconds == 0;
        return holds ? bytes32(0) : bytes32("a barrier's values");
    }

    /// @dev The first rule that is broken of a task whose rounds close at a goal (docs/protocol.md, section 6.4).
    function _brokenBuffer(TaskParameters memory p) private pure returns (bytes32) {
        if (p.bufferGoal < uint256(p.minClients) + p.maxCorrupt) return "bufferGoal >= minClients + f";
        if (p.bufferGoal > Protocol.MAX_COHORT) return "bufferGoal <= MAX_COHORT";
        // Otherwise heavy clients could fill a round below its goal.
        if (uint256(p.bufferGoal) * p.maxWeight > Protocol.MAX_TOTAL_WEIGHT) return "bufferGoal * maxWeight <= W";
        if (p.maxStaleness > Protocol.MAX_STALENESS) return "maxStaleness <= 15";
        if (p.minSeparation == 0) return "minSeparation >= 1";
        if (p.minCollectSeconds > p.collectSeconds) return "minCollect <= collect";
        return 0;
    }

    /// @dev Lays the vector out. The first rule of the encoding's ranges (docs/protocol.md, sections 2 and 5) that is
    /// broken.
    function _fill(Layout memory vector, TaskParameters memory p, uint256 keysLength) private pure returns (bytes32) {
        uint256 kindCoordinates = Protocol.kindCoordinates(p.coordinateBits);
        if (kindCoordinates == 0) return "coordinateBits of a preset";
        uint256 offset = 1 << (p.coordinateBits - 1);
        // A task need not carry keys larger than its chunks: the last kinds may be missing.
        uint256 keyKinds = VerificationKeys.kindsIn(keysLength);
        if (keyKinds == 0 || keyKinds > kindCount(kindCoordinates)) {
            revert IVerisum.VerisumKeysRefused("the length is of no kinds");
        }
        uint256 count = p.chunkKinds.length;
        if (count > Protocol.MAX_CHUNKS) return "chunks <= MAX_CHUNKS";
        uint256 covered;
        uint256 previous = keyKinds;
        for (uint256 j = 0; j < count; ++j) {
            uint256 kind = uint8(p.chunkKinds[j]);
            if (kind >= keyKinds) return "each kind has a key";
            if (covered >= p.dimension) return "no chunk of padding";
            if (kind > previous) return "larger chunks first";
            previous = kind;
            // Cannot carry: there are at most MAX_CHUNKS chunks of less than 2^32 coordinates, and few kinds.
            unchecked {
                vector.kinds += 1 << (BITS_PER_KIND * kind);
                covered += coordinatesOf(kindCoordinates, kind);
                vector.length += elementsOf(kindCoordinates, kind);
            }
        }
        if (p.dimension == 0 || covered < p.dimension) return "chunks cover the dimension";
        if (covered * offset * offset > Protocol.NORM_ACCUMULATOR_BOUND) return "N * K * 2^(2(bits-1)) < 2^48";
        if (p.normBoundSquared == 0 || p.normBoundSquared > Protocol.NORM_ACCUMULATOR_BOUND) {
            return "0 < normBoundSquared < 2^48";
        }
        vector.keyKinds = keyKinds;
        vector.kindCoordinates = kindCoordinates;
        return 0;
    }

    function _word(bytes memory encoded, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(encoded, mul(0x20, add(index, 1))))
        }
    }
}
