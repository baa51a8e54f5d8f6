// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {TaskState} from "./TaskState.sol";
import {Protocol} from "./generated/Protocol.sol";
import {ILists} from "./interfaces/ILists.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title Who takes part
/// @notice Keeps the committee's seats and keys, and the clients with their weights and bonds.
/// @dev Code of `Verisum`, which creates this contract and delegates these calls to it: storage, balance, sender and
/// events are `Verisum`'s. What a submission reads of a client stays in that contract, where a call to another one would
/// cost every submission.
contract Lists is TaskState {
    address private immutable _self;
    bool private immutable _uniformWeights;
    bool private immutable _openRegistration;
    uint96 private immutable _bondWei;

    /// @dev Called by itself it would keep lists, and bonds, of no task.
    modifier delegated() {
        if (address(this) == _self) revert VerisumNotDelegated();
        _;
    }

    constructor(TaskParameters memory p, address operator_) TaskState(p, operator_) {
        _self = address(this);
        _uniformWeights = p.uniformWeights;
        _openRegistration = p.openRegistration;
        _bondWei = p.bondWei;
    }

    /// @inheritdoc ILists
    function registerMember(address member) external delegated {
        _requireOperator();
        _requirePhase(_phaseBit(Phase.Idle));
        if (member == address(0)) revert VerisumZeroAddress();
        if (seatOf[member] != 0) revert VerisumAlreadyRegistered(member);
        if (memberCount == _committeeSize) revert VerisumCommitteeFull(_committeeSize);
        uint8 seat = ++memberCount;
        seatOf[member] = seat;
        memberAt[seat] = member;
        _ledger.keyWindowStart = _now();
        emit MemberRegistered(seat, member);
    }

    /// @inheritdoc ILists
    function registerClient(address client, uint16 weight) external delegated {
        _requireOperator();
        if (_openRegistration) revert VerisumRegistrationMode(true);
        if (client == address(0)) revert VerisumZeroAddress();
        if (weight == 0 || (_uniformWeights && weight != 1)) revert VerisumWeightInvalid(weight);
        _addClient(client, weight, 0);
    }

    /// @inheritdoc ILists
    function join() external payable delegated {
        if (!_openRegistration) revert VerisumRegistrationMode(false);
        if (msg.value != _bondWei) revert VerisumWrongBond(msg.value, _bondWei);
        Client storage client = clientOf[msg.sender];
        if (client.weight == 0 && client.bondWei != 0) revert VerisumBondPending(client.bondWei);
        _addClient(msg.sender, 1, _bondWei);
    }

    /// @inheritdoc ILists
    function unregister() external delegated {
        _requirePhase(~_phaseBit(Phase.Collecting) & _allPhases());
        Client storage client = clientOf[msg.sender];
        uint16 weight = client.weight;
        if (weight == 0) revert VerisumNotActiveClient(msg.sender, 0);
        client.weight = 0;
        client.activeFromRound = 0;
        --clientCount;
        registeredWeight -= weight;
        emit ClientLeft(msg.sender);
    }

    /// @inheritdoc ILists
    function withdrawBond() external delegated {
        Client storage client = clientOf[msg.sender];
        uint96 amountWei = client.bondWei;
        if (client.weight != 0 || amountWei == 0) revert VerisumNothingToWithdraw(msg.sender);
        client.bondWei = 0;
        emit BondWithdrawn(msg.sender, amountWei);
        // The state is final before the call: a re-entrant withdrawal finds nothing.
        (bool success, ) = msg.sender.call{value: amountWei}("");
        if (!success) revert VerisumTransferFailed(msg.sender);
    }

    /// @inheritdoc ILists
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external delegated {
        uint8 seat = _requireMember();
        if (keys.length == 0) revert VerisumNoKeys();
        uint64 current = _header.number;
        if (firstRound <= current) revert VerisumRoundAlreadyOpened(firstRound, current);
        for (uint256 i = 0; i < keys.length; ++i) {
            uint64 target = firstRound + uint64(i);
            if (keys[i] == 0) revert VerisumZeroKey(i);
            if (roundKey[target][seat] != 0) revert VerisumKeyExists(target, seat);
            roundKey[target][seat] = keys[i];
            _keyMasks[target / MASKS_PER_WORD] |= 1 << (MASK_BITS * (target % MASKS_PER_WORD) + seat - 1);
        }
        emit RoundKeysRegistered(seat, firstRound, keys);
    }

    /// @inheritdoc ILists
    function announce(string calldata endpoint) external delegated {
        uint256 length = bytes(endpoint).length;
        if (length > Protocol.MAX_ENDPOINT_BYTES) revert VerisumEndpointTooLong(length, Protocol.MAX_ENDPOINT_BYTES);
        emit EndpointAnnounced(msg.sender, endpoint);
    }

    function _requireMember() internal view returns (uint8 seat) {
        seat = seatOf[msg.sender];
        if (seat == 0) revert VerisumNotMember(msg.sender);
    }

    function _requireOperator() private view {
        if (msg.sender != operator) revert VerisumNotOperator(msg.sender);
    }

    function _addClient(address account, uint16 weight, uint96 bondWei) private {
        Client storage client = clientOf[account];
        if (client.weight != 0) revert VerisumAlreadyRegistered(account);
        if (clientCount == Protocol.MAX_COHORT) revert VerisumCohortFull(Protocol.MAX_COHORT);
        uint256 total = uint256(registeredWeight) + weight;
        if (total > Protocol.MAX_TOTAL_WEIGHT) revert VerisumWeightLimit(total, Protocol.MAX_TOTAL_WEIGHT);
        uint64 activeFromRound = _header.number + 1;
        client.weight = weight;
        client.activeFromRound = activeFromRound;
        client.bondWei = bondWei;
        // Whoever registers pays for the slot that a submission overwrites each round: the first round costs what later
        // ones do.
        if (_records[clientCount] == 0) _records[clientCount] = bytes32(uint256(1));
        ++clientCount;
        // Cannot truncate: total <= MAX_TOTAL_WEIGHT < 2^16.
        registeredWeight = uint16(total);
        emit ClientRegistered(account, weight, activeFromRound);
    }
}
