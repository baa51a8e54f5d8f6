// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Lists} from "./Lists.sol";
import {TaskState} from "./TaskState.sol";
import {ILists} from "./interfaces/ILists.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {TaskParameters} from "./types/VerisumTypes.sol";

/// @title Calls about who takes part
/// @notice Hands them to the contract of the lists, which works on this contract's storage.
abstract contract ListCalls is TaskState, IVerisum {
    /// @inheritdoc IVerisum
    address public immutable lists;

    constructor(TaskParameters memory p, address operator_) {
        lists = address(new Lists(p, operator_));
    }

    /// @inheritdoc ILists
    function registerMember(address) external {
        _toLists();
    }

    /// @inheritdoc ILists
    function registerClient(address, uint16) external {
        _toLists();
    }

    /// @inheritdoc ILists
    function join() external payable {
        _toLists();
    }

    /// @inheritdoc ILists
    function unregister() external {
        _toLists();
    }

    /// @inheritdoc ILists
    function withdrawBond() external {
        _toLists();
    }

    /// @inheritdoc ILists
    function registerRoundKeys(uint64, bytes32[] calldata) external {
        _toLists();
    }

    /// @inheritdoc ILists
    function announce(string calldata) external {
        _toLists();
    }

    /// @dev The code that this contract created, on this contract's storage: it changes nothing but what `TaskState` has.
    /// None of these calls returns anything.
    function _toLists() private {
        address code = lists;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            calldatacopy(scratch, 0, calldatasize())
            if iszero(delegatecall(gas(), code, scratch, calldatasize(), 0, 0)) {
                returndatacopy(scratch, 0, returndatasize())
                revert(scratch, returndatasize())
            }
        }
    }
}
