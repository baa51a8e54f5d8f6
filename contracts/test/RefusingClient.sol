// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IVerisum} from "../interfaces/IVerisum.sol";

/// @title A client that takes no payment
/// @notice Has no way to receive its bond. For tests only.
contract RefusingClient {
    IVerisum private immutable _task;

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
}
