// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks

import {Phase, RoundState} from "../../contracts/types/VerisumTypes.sol";
import {Scene} from "./Scene.sol";

/// @notice What calls of a task in any order have in common.
abstract contract Handler is Scene {
    /// @dev Something happened that must not.
    string public broken;

    function abort() external {
        RoundState memory before = task.round();
        try task.abort(before.number) {
            if (isStanding(before)) broken = "a proposal that stood was aborted";
        } catch {}
    }

    function isStanding(RoundState memory state) internal pure returns (bool) {
        return state.phase == Phase.Attesting && state.proposedMembers != 0;
    }
}
