// SPDX-License-Identifier: GPL-3.0-or-later
// solhint-disable one-contract-per-file
pragma solidity ^0.8.30;

// Names say what a helper does, and what must hold.
// solhint-disable use-natspec, no-empty-blocks, func-name-mixedcase

import {BufferHandler} from "./BufferHandler.sol";

/// @notice What holds after any sequence of calls of a task with buffers.
abstract contract BufferInvariants {
    BufferHandler internal handler;

    /// @dev Forge asks for it: only the handler is called.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev What the last lines of the handler ask for is no call that anybody makes.
    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        bytes4[] memory selectors = new bytes4[](2);
        (selectors[0], selectors[1]) = (handler.goesOn.selector, handler.everybodyLeaves.selector);
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(handler), selectors);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function invariant_state() public view {
        assert(bytes(handler.broken()).length == 0);
        assert(handler.roundIsRight());
        assert(handler.countsAreRight());
        assert(handler.etherIsThatOfTheBonds());
    }

    function invariant_future() public {
        handler.goesOn();
        assert(handler.everybodyLeaves() == 0);
    }
}

/// @notice An operator registers clients of weights that four of fit a slot.
contract ListedBuffers is BufferInvariants {
    function setUp() public {
        handler = new BufferHandler("VERISUM_BUFFER_PARAMETERS");
    }
}

/// @notice Anybody joins for a bond.
contract OpenBuffers is BufferInvariants {
    function setUp() public {
        handler = new BufferHandler("VERISUM_OPEN_PARAMETERS");
    }
}
