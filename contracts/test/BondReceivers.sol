// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {IVerisum} from "../interfaces/IVerisum.sol";

/// @title A client that tries to withdraw its bond twice in one call. For tests only.
contract ReentrantClient {
    IVerisum private immutable _task;
    /// @notice Whether the inner withdrawal went through.
    bool public reentered;

    constructor(IVerisum task) {
        _task = task;
    }

    function join() external payable {
        _task.join{value: msg.value}();
    }

    function withdraw() external {
        _task.unregister();
        _task.withdrawBond();
    }

    receive() external payable {
        (reentered, ) = address(_task).call(abi.encodeCall(IVerisum.withdrawBond, ()));
    }
}

/// @title A client that accepts no payment. For tests only.
contract RefusingClient {
    IVerisum private immutable _task;

    constructor(IVerisum task) {
        _task = task;
    }

    function join() external payable {
        _task.join{value: msg.value}();
    }

    function withdraw() external {
        _task.unregister();
        _task.withdrawBond();
    }
}
