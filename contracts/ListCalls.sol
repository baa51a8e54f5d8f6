// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Lists} from "./Lists.sol";
import {TaskState} from "./TaskState.sol";
import {IListChanges} from "./interfaces/IListChanges.sol";
import {ILists} from "./interfaces/ILists.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {ClientState, TaskParameters} from "./types/VerisumTypes.sol";

/// @title Calls about who takes part, and when the next round opens
/// @notice Hands them to the contract of the lists, which works on this contract's storage.
abstract contract ListCalls is TaskState, IVerisum {
    /// @inheritdoc IVerisum
    address public immutable lists;

    constructor(bytes memory encoded, TaskParameters memory p, address operator_) TaskState(p, operator_) {
        lists = address(new Lists(encoded, operator_));
    }

    /// @inheritdoc IVerisum
    function openRound() external returns (uint64) {
        _toLists();
        return _header.number;
    }

    /// @inheritdoc IVerisum
    function abort(uint64) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function registerMember(address) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function replaceMember(uint8, address) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function registerClient(address, uint16) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function join() external payable {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function removeClient(address) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function nameSuccessor(address) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function takePlace(address) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function withdrawBond() external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function registerRoundKeys(uint64, bytes32[] calldata) external {
        _toLists();
    }

    /// @inheritdoc IListChanges
    function announce(string calldata) external {
        _toLists();
    }

    /// @inheritdoc ILists
    function operator() external view returns (address) {
        return _operator;
    }

    /// @inheritdoc ILists
    function memberCount() external view returns (uint8) {
        return _memberCount;
    }

    /// @inheritdoc ILists
    function clientCount() external view returns (uint16) {
        return _clientCount;
    }

    /// @inheritdoc ILists
    function listChanges() external view returns (uint32) {
        return _listChanges;
    }

    /// @inheritdoc ILists
    function memberAt(uint8 seat) external view returns (address) {
        return _memberIn(_header.number, seat);
    }

    /// @inheritdoc ILists
    function roundKey(uint64 round_, uint8 seat) external view returns (bytes32) {
        return _keyMaskOf(round_) & _seatBit(seat) == 0 ? bytes32(0) : _roundKeys[round_][seat];
    }

    /// @inheritdoc ILists
    function clientOf(address account) external view returns (ClientState memory state) {
        Client storage client = _clients[account];
        state.weight = client.weight;
        state.activeFromRound = client.activeFromRound;
        state.untilRound = client.untilRound;
        state.lastSubmittedRound = client.lastSubmittedRound;
        if (client.bonded) state.bondWei = _bondWei;
        state.refusals = client.refusals;
        state.includedRounds = _includedRounds(client);
        state.moved = client.moved;
    }

    /// @dev Opens the next round if it can. Whoever calls with too little gas for it leaves it to `openRound`.
    function _openNext() internal {
        _delegate(abi.encodeCall(Lists.openRound, ()));
    }

    function _toLists() private {
        if (_delegate(msg.data)) return;
        assembly ("memory-safe") {
            let reason := mload(0x40)
            returndatacopy(reason, 0, returndatasize())
            revert(reason, returndatasize())
        }
    }

    /// @dev The code that this contract created, on this contract's storage: it changes nothing but what `TaskState` has.
    /// None of these calls returns anything.
    function _delegate(bytes memory data) private returns (bool success) {
        address code = lists;
        assembly ("memory-safe") {
            success := delegatecall(gas(), code, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
