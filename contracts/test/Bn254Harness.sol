// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Bn254} from "../libraries/Bn254.sol";
import {G1Point} from "../types/VerisumTypes.sol";

/// @title The precompile wrappers, callable
/// @notice Lets the conformance vectors reach `Bn254`. For tests only.
contract Bn254Harness {
    /// @notice a + b.
    function add(G1Point memory a, G1Point memory b) external view returns (G1Point memory) {
        Bn254.addScaled(a, b.x, b.y, 1);
        return a;
    }

    /// @notice scalar * point.
    function scale(G1Point memory point, uint256 scalar) external view returns (G1Point memory) {
        return Bn254.scale(point.x, point.y, scalar);
    }

    /// @notice Whether the product of the pairings is one.
    function pairingIsOne(uint256[] memory input) external view returns (bool) {
        return Bn254.pairingIsOne(input);
    }
}
