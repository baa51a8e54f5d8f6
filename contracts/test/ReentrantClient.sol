// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IListChanges} from "../interfaces/IListChanges.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";

/// @title A client that reenters
/// @notice Tries to withdraw its bond a second time while it is paid. For tests only.
contract ReentrantClient {
    IVerisum private immutable _task;
    /// @notice Whether the inner withdrawal went through.
    bool public reentered;

    constructor(IVerisum task) {
        _task = task;
    }

    /// @notice Joins the task with the value as bond.
    function join() external payable {
        _task.join{value: msg.value}();
    }

    /// @notice Leaves the task and asks for the bond.
    function withdraw() external {
        _task.removeClient(address(this));
        _task.withdrawBond();
    }

    /// @notice Takes the bond and asks for it again.
    receive() external payable {
        // A refusal must not revert the payment, so that the test sees what the inner call did.
        // solhint-disable-next-line avoid-low-level-calls
        (reentered, ) = address(_task).call(abi.encodeCall(IListChanges.withdrawBond, ()));
    }
}
