// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

/// @title The cells of one task: contracts with clients and committees of their own, whose sums make one model
/// (docs/scale.md).
/// @notice The group is deployed first, its address stands in the task's document, and each cell is a Verisum contract
/// with the very same parameters. It holds no round and no model: it says which contracts belong together, in which
/// order, for ever.
/// @dev Trust: the operator chooses the cells, as each cell's operator chooses its committee. That a cell is the
/// compiled Verisum is not checked here; auditors verify every cell's rounds from its events.
interface ICellGroup {
    /// @notice A contract became a cell. `place` counts from 0.
    event CellRegistered(uint16 indexed place, address indexed cell);
    /// @notice The last cell was registered: the group is what it stays.
    event GroupCompleted(bytes32 parametersHash);

    error CellGroupZeroAddress();
    /// @dev One cell alone is a task without a group.
    error CellGroupTooFewCells(uint16 cellCount);
    error CellGroupNotOperator(address account);
    /// @dev Every place is taken.
    error CellGroupFull(uint16 cellCount);
    error CellGroupAlreadyRegistered(address cell);
    error CellGroupNotContract(address cell);
    /// @dev The cell is of another task than the first one.
    error CellGroupOtherParameters(bytes32 expected, bytes32 actual);
    /// @dev The cell finalised a round before it was registered, so that its model is no longer the genesis.
    error CellGroupAlreadyStarted(address cell);

    /// @notice Takes the next place for a cell. Operator only, until every place is taken; nothing is ever taken back.
    /// @param cell A Verisum contract at its genesis, with the parameters of the cells before it.
    function register(address cell) external;

    /// @notice Who registers cells.
    function operator() external view returns (address);

    /// @notice Places of the group, at least 2.
    function cellCount() external view returns (uint16);

    /// @notice The cells registered so far, by place.
    function cells() external view returns (address[] memory);

    /// @notice The parameters' hash that all cells share; zero before the first is registered.
    function parametersHash() external view returns (bytes32);
}
