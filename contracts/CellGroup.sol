// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ICellGroup} from "./interfaces/ICellGroup.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";

/// @title The cells of one task
/// @notice Lists the contracts that train one model together (docs/scale.md).
contract CellGroup is ICellGroup {
    /// @inheritdoc ICellGroup
    address public immutable operator;
    /// @inheritdoc ICellGroup
    uint16 public immutable cellCount;
    /// @inheritdoc ICellGroup
    bytes32 public parametersHash;
    address[] private _cells;
    mapping(address cell => bool registered) private _isCell;

    /// @notice Opens an empty group.
    /// @param cellCount_ Places of the group.
    /// @param operator_ Who registers cells.
    /// @dev Reverts: TooFewCells, ZeroAddress.
    constructor(uint16 cellCount_, address operator_) {
        if (cellCount_ < 2) revert CellGroupTooFewCells(cellCount_);
        if (operator_ == address(0)) revert CellGroupZeroAddress();
        cellCount = cellCount_;
        operator = operator_;
    }

    /// @inheritdoc ICellGroup
    function register(address cell) external {
        if (msg.sender != operator) revert CellGroupNotOperator(msg.sender);
        // Cannot truncate: there are at most `cellCount` cells.
        uint16 place = uint16(_cells.length);
        if (place == cellCount) revert CellGroupFull(cellCount);
        if (cell.code.length == 0) revert CellGroupNotContract(cell);
        if (_isCell[cell]) revert CellGroupAlreadyRegistered(cell);
        bytes32 actual = IVerisum(cell).parametersHash();
        bytes32 expected = parametersHash;
        if (place == 0) parametersHash = expected = actual;
        if (actual != expected) revert CellGroupOtherParameters(expected, actual);
        if (IVerisum(cell).finalisedRounds() != 0) revert CellGroupAlreadyStarted(cell);

        _isCell[cell] = true;
        _cells.push(cell);
        emit CellRegistered(place, cell);
        if (place + 1 == cellCount) emit GroupCompleted(actual);
    }

    /// @inheritdoc ICellGroup
    function cells() external view returns (address[] memory) {
        return _cells;
    }
}
