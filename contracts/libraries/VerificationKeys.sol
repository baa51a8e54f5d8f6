// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";
import {Bn254} from "./Bn254.sol";

/// @title Encoded verification keys
/// @notice Reads the keys that protocol/verification-key.ts encodes, and refuses keys that fit no task.
library VerificationKeys {
    /// @dev alpha (2 words), minus beta (4), tau (4).
    uint256 internal constant HEAD_WORDS = 10;
    uint256 internal constant BETA = 2;
    uint256 internal constant TAU = 6;
    /// @dev minus delta (4), minus sigma (4), seven bases of the public inputs (14).
    uint256 internal constant KIND_WORDS = 22;
    uint256 internal constant SIGMA_OFFSET = 4;
    uint256 internal constant BASES_OFFSET = 8;
    uint256 internal constant BASES = 7;

    /// @notice Kinds in encoded keys of this many bytes; zero if no number of kinds has this length.
    function kindsIn(uint256 bytesLength) internal pure returns (uint256 kinds) {
        kinds = bytesLength / 32 < HEAD_WORDS ? 0 : (bytesLength / 32 - HEAD_WORDS) / KIND_WORDS;
        if (bytesLength != 32 * wordsOf(kinds)) return 0;
    }

    /// @notice Words of the encoded keys of this many kinds.
    function wordsOf(uint256 kinds) internal pure returns (uint256) {
        return HEAD_WORDS + kinds * KIND_WORDS;
    }

    /// @notice Refuses keys with which anybody could prove anything (docs/protocol.md, section 9).
    /// @dev A G2 point equal to another's negation has the same x, so comparing x refuses both. That covers delta and
    /// sigma equal to the generator (no phase 2), each other's, beta's or another kind's; tau equal to the generator (a
    /// ceremony without contributions). Who knows the secrets behind honest-looking keys still forges: that is the
    /// setup's trust.
    function check(uint256[] memory words) internal view {
        uint256 kinds = (words.length - HEAD_WORDS) / KIND_WORDS;
        _checkG1(words, 0);
        if (words[0] == 1) revert IVerisum.VerisumKeysRefused("alpha is the generator");
        uint256[] memory pairs = new uint256[](Bn254.PAIR_WORDS * (2 + 2 * kinds));
        _addG2(pairs, 0, words, BETA);
        _addG2(pairs, 1, words, TAU);
        for (uint256 kind = 0; kind < kinds; ++kind) {
            uint256 position = HEAD_WORDS + kind * KIND_WORDS;
            _addG2(pairs, 2 + 2 * kind, words, position);
            _addG2(pairs, 3 + 2 * kind, words, position + SIGMA_OFFSET);
            for (uint256 i = 0; i < BASES; ++i) _checkG1(words, position + BASES_OFFSET + 2 * i);
        }
        // Every pair has infinity in G1: the product is 1, and the call fails if a G2 point is not in the group.
        Bn254.pairingIsOne(pairs);
    }

    function _checkG1(uint256[] memory words, uint256 position) private view {
        if (words[position] | words[position + 1] == 0) revert IVerisum.VerisumKeysRefused("a G1 point is infinity");
        Bn254.scale(words[position], words[position + 1], 1);
    }

    /// @dev Adds (infinity, point) as pair `index` unless the point's x is zero, the generator's or an earlier one's.
    function _addG2(uint256[] memory pairs, uint256 index, uint256[] memory words, uint256 position) private pure {
        uint256 xC1 = words[position];
        uint256 xC0 = words[position + 1];
        if (xC1 | xC0 == 0) revert IVerisum.VerisumKeysRefused("a G2 point is infinity");
        if (xC1 == Protocol.G2_X_C1 && xC0 == Protocol.G2_X_C0)
            revert IVerisum.VerisumKeysRefused("a G2 point is the generator");
        for (uint256 other = 0; other < index; ++other) {
            uint256 base = other * Bn254.PAIR_WORDS;
            if (pairs[base + 2] == xC1 && pairs[base + 3] == xC0)
                revert IVerisum.VerisumKeysRefused("two G2 points equal up to sign");
        }
        uint256 pair = index * Bn254.PAIR_WORDS;
        for (uint256 i = 0; i < 4; ++i) pairs[pair + 2 + i] = words[position + i];
    }
}
