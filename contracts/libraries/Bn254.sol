// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";
import {G1Point} from "../types/VerisumTypes.sol";

/// @title The precompiles of BN254
/// @notice Calls the precompiles of EIP-196 and EIP-197 and turns every failure into a revert.
/// @dev The precompiles refuse coordinates that are not below p and points that are off the curve (G2: also outside
/// the subgroup). They reduce scalars modulo r silently, so callers check scalars themselves. (0, 0) is infinity.
library Bn254 {
    /// @notice Words of one pair in a pairing input: a G1 point and a G2 point.
    uint256 internal constant PAIR_WORDS = 6;
    uint256 internal constant G2_WORDS = 4;

    /// @notice accumulator += scalar * (x, y), in place.
    /// @dev A scalar of 1 costs no multiplication; the addition still checks the point.
    function addScaled(G1Point memory accumulator, uint256 x, uint256 y, uint256 scalar) internal view {
        bool success;
        // Input and output live in the scratch memory after the free pointer, which stays where it is: measured at
        // 900 gas less per term than memory structs. Layout: accumulator at 0x00, term at 0x40, scalar at 0x80.
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, mload(accumulator))
            mstore(add(scratch, 0x20), mload(add(accumulator, 0x20)))
            mstore(add(scratch, 0x40), x)
            mstore(add(scratch, 0x60), y)
            success := 1
            if iszero(eq(scalar, 1)) {
                mstore(add(scratch, 0x80), scalar)
                success := staticcall(gas(), 0x07, add(scratch, 0x40), 0x60, add(scratch, 0x40), 0x40)
            }
            if success {
                success := staticcall(gas(), 0x06, scratch, 0x80, accumulator, 0x40)
            }
        }
        if (!success) revert IVerisum.VerisumPointInvalid();
    }

    /// @notice scalar * (x, y).
    function scale(uint256 x, uint256 y, uint256 scalar) internal view returns (G1Point memory product) {
        addScaled(product, x, y, scalar);
    }

    /// @notice True if the product of the pairings is 1.
    /// @param input PAIR_WORDS words for each pair: G1 (x, y), G2 (x.c1, x.c0, y.c1, y.c0).
    function pairingIsOne(uint256[] memory input) internal view returns (bool isOne) {
        bool success;
        // The output word overwrites the scratch space at 0x00, which Solidity keeps for this use.
        assembly ("memory-safe") {
            success := staticcall(gas(), 0x08, add(input, 0x20), mul(mload(input), 0x20), 0x00, 0x20)
            isOne := mload(0x00)
        }
        if (!success) revert IVerisum.VerisumPointInvalid();
    }

    /// @notice Writes the pair (g1, point at `position` of `source`).
    function setPair(
        uint256[] memory input,
        uint256 index,
        G1Point memory g1,
        uint256[] memory source,
        uint256 position
    ) internal pure {
        assert(position + G2_WORDS <= source.length);
        uint256 target = _setG1(input, index, g1);
        assembly ("memory-safe") {
            mcopy(target, add(add(source, 0x20), mul(position, 0x20)), 0x80)
        }
    }

    /// @notice Writes the pair (g1, g2).
    function setPair(uint256[] memory input, uint256 index, G1Point memory g1, uint256[4] calldata g2) internal pure {
        uint256 target = _setG1(input, index, g1);
        assembly ("memory-safe") {
            calldatacopy(target, g2, 0x80)
        }
    }

    /// @notice Writes the pair (g1, minus the generator of G2).
    function setPairWithNegatedGenerator(uint256[] memory input, uint256 index, G1Point memory g1) internal pure {
        _setG1(input, index, g1);
        uint256 position = index * PAIR_WORDS + 2;
        input[position] = Protocol.G2_X_C1;
        input[position + 1] = Protocol.G2_X_C0;
        input[position + 2] = Protocol.NEGATED_G2_Y_C1;
        input[position + 3] = Protocol.NEGATED_G2_Y_C0;
    }

    /// @dev Writes a pair's first half; returns the memory address of its second.
    function _setG1(uint256[] memory input, uint256 index, G1Point memory g1) private pure returns (uint256 target) {
        assert(index * PAIR_WORDS + PAIR_WORDS <= input.length);
        assembly ("memory-safe") {
            target := add(add(input, 0x20), mul(index, 0xc0))
            mcopy(target, g1, 0x40)
            target := add(target, 0x40)
        }
    }
}
