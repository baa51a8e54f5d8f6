// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Verification} from "../libraries/Verification.sol";

/// @title The base of the random combination, visible
/// @notice Answers any call with the base that a verification in that call uses. For tests only.
contract CombinationHarness {
    // The whole call is the input, so that there is no selector to dispatch on.
    // solhint-disable no-complex-fallback

    /// @notice The base s of a call with these bytes, as one word.
    fallback(bytes calldata) external returns (bytes memory) {
        Verification.Task memory task;
        return abi.encode(Verification.start(task, 0).s);
    }
}
