// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title Counts of clients, all 256 at once
/// @notice Tells which bits were set in at least so many of the bitmaps that were added.
/// @dev Bit i of plane k is bit k of the i-th client's counter. Counters begin at 2^6 less the goal, so that the carry
/// out of the last plane says who reached it; goal and number of bitmaps must be below 2^6.
library Tally {
    uint256 private constant PLANES = 6;

    /// @notice Counters before the first bitmap.
    /// @param goal Bitmaps that must have a bit, at least 1.
    function start(uint256 goal) internal pure returns (uint256[PLANES] memory planes) {
        uint256 first = (1 << PLANES) - goal;
        for (uint256 k = 0; k < PLANES; ++k) if ((first >> k) & 1 != 0) planes[k] = type(uint256).max;
    }

    /// @notice Adds a bitmap.
    /// @return reached Bits that reached the goal with this one.
    function add(uint256[PLANES] memory planes, uint256 bitmap) internal pure returns (uint256 reached) {
        reached = bitmap;
        for (uint256 k = 0; k < PLANES && reached != 0; ++k) {
            uint256 plane = planes[k];
            planes[k] = plane ^ reached;
            reached &= plane;
        }
    }
}
