// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Opening} from "./Opening.sol";
import {Protocol} from "./generated/Protocol.sol";
import {IListChanges} from "./interfaces/IListChanges.sol";
import {TaskLayout} from "./libraries/TaskLayout.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title Who takes part
/// @notice Changes the committee's seats and keys, and the clients with their weights and bonds. A change is of the next
/// round that opens and of those after it: the lists of a round that is open stay as they are.
/// @dev Code of `Verisum`, which creates this contract and delegates these calls to it: storage, balance, sender and
/// events are `Verisum`'s. What a submission reads of a client stays in that contract, where a call to another one would
/// cost every submission.
contract Lists is Opening, IListChanges {
    /// @dev One in every mask of a word.
    uint256 private constant EVERY_MASK = 0x0000000100000001000000010000000100000001000000010000000100000001;

    address private immutable _self;
    bool private immutable _openRegistration;
    uint16 private immutable _maxWeight;
    uint8 private immutable _maxRefusals;

    /// @dev Called by itself it would keep lists, and bonds, of no task.
    modifier delegated() {
        _requireDelegated();
        _;
    }

    /// @notice The code of one task.
    /// @param encoded `abi.encode` of the task's parameters, which the creator checks.
    /// @param operator_ The task's operator.
    constructor(bytes memory encoded, address operator_) Opening(TaskLayout.decode(encoded)[0], operator_) {
        TaskParameters memory p = TaskLayout.decode(encoded)[0];
        _self = address(this);
        _openRegistration = p.openRegistration;
        _maxWeight = p.maxWeight;
        _maxRefusals = p.maxRefusals;
    }

    // ------------------------------------------------------------------ rounds

    /// @notice `IVerisum.openRound`.
    function openRound() external delegated {
        _openRound();
    }

    /// @notice `IVerisum.abort`.
    function abort(uint64 round_) external delegated {
        _abort(round_);
    }

    // ------------------------------------------------------------------ members

    /// @inheritdoc IListChanges
    function registerMember(address member) external delegated {
        _requireOperator();
        _requirePhase(_phaseBit(Phase.Idle));
        if (member == address(0)) revert VerisumZeroAddress();
        if (_seatOf[member] != 0) revert VerisumAlreadyRegistered(member);
        if (_memberCount == _committeeSize) revert VerisumCommitteeFull(_committeeSize);
        _ledger.keyWindowStart = _now();
        _seat(++_memberCount, member, 0);
    }

    /// @inheritdoc IListChanges
    function replaceMember(uint8 seat, address member) external delegated {
        uint40 current = _header.number;
        if (seat == 0 || seat > _memberCount) revert VerisumNoSeat(seat, _memberCount);
        Seat storage place = _seats[seat];
        address former = place.member;
        if (msg.sender != _operator && msg.sender != former) revert VerisumNotOperator(msg.sender);
        // Before the first round every seat has to be filled.
        if (member == address(0) && current == 0) revert VerisumZeroAddress();
        if (member == former || _seatOf[member] != 0) revert VerisumAlreadyRegistered(member);
        // Who was to come in the next round, and does not, has never been the seat's member.
        if (place.fromRound <= current) _formerMember[seat] = former;
        if (former == address(0)) --_vacantSeats;
        if (member == address(0)) ++_vacantSeats;
        delete _seatOf[former];
        _dropKeys(seat, current + 1);
        _seat(seat, member, current + 1);
    }

    /// @inheritdoc IListChanges
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external delegated {
        uint8 seat = _seatOf[msg.sender];
        if (seat == 0) revert VerisumNotMember(msg.sender);
        if (keys.length == 0) revert VerisumNoKeys();
        uint64 current = _header.number;
        if (firstRound <= current) revert VerisumRoundAlreadyOpened(firstRound, current);
        uint256 last = firstRound + keys.length - 1;
        if (last > current + Protocol.MAX_KEYS_AHEAD)
            revert VerisumKeysTooFarAhead(last, current + Protocol.MAX_KEYS_AHEAD);
        for (uint256 i = 0; i < keys.length; ++i) {
            uint64 target = firstRound + uint64(i);
            if (keys[i] == 0) revert VerisumZeroKey(i);
            if (_keyMaskOf(target) & _seatBit(seat) != 0) revert VerisumKeyExists(target, seat);
            _roundKeys[target][seat] = keys[i];
            _keyMasks[target / MASKS_PER_WORD] |= uint256(_seatBit(seat)) << (MASK_BITS * (target % MASKS_PER_WORD));
        }
        emit RoundKeysRegistered(seat, firstRound, keys);
    }

    /// @inheritdoc IListChanges
    function announce(string calldata endpoint) external delegated {
        uint256 length = bytes(endpoint).length;
        if (length > Protocol.MAX_ENDPOINT_BYTES) revert VerisumEndpointTooLong(length, Protocol.MAX_ENDPOINT_BYTES);
        emit EndpointAnnounced(msg.sender, endpoint);
    }

    // ------------------------------------------------------------------ clients

    /// @inheritdoc IListChanges
    function registerClient(address client, uint16 weight) external delegated {
        _requireOperator();
        if (_openRegistration) revert VerisumRegistrationMode(true);
        if (client == address(0)) revert VerisumZeroAddress();
        if (weight == 0 || weight > _maxWeight) revert VerisumWeightInvalid(weight, _maxWeight);
        _addClient(client, weight);
    }

    /// @inheritdoc IListChanges
    function join() external payable delegated {
        if (!_openRegistration) revert VerisumRegistrationMode(false);
        if (msg.value != _bondWei) revert VerisumWrongBond(msg.value, _bondWei);
        Client storage client = _clients[msg.sender];
        if (client.bonded && client.untilRound != 0) revert VerisumBondPending(_bondWei);
        _addClient(msg.sender, 1);
        client.bonded = true;
    }

    /// @inheritdoc IListChanges
    function removeClient(address account) external delegated {
        Client storage client = _clients[account];
        _requireListed(account, client);
        bool isUsedUp = _maxRoundsPerClient != 0 && _includedRounds(client) >= _maxRoundsPerClient;
        bool mayBeRemoved = msg.sender == account || msg.sender == _operator || _isBarred(client) || isUsedUp;
        if (!mayBeRemoved) revert VerisumMayNotRemove(msg.sender, account, client.refusals);
        // Where everybody may join, whom the operator takes off could come back at once.
        if (_openRegistration && msg.sender == _operator && account != _operator) client.refusals = type(uint8).max;
        --_clientCount;
        _registeredWeight -= client.weight;
        _remove(account, client);
    }

    /// @inheritdoc IListChanges
    function nameSuccessor(address successor) external delegated {
        _requireListed(msg.sender, _clients[msg.sender]);
        _successorOf[msg.sender] = successor;
        emit SuccessorNamed(msg.sender, successor);
    }

    /// @inheritdoc IListChanges
    function takePlace(address predecessor) external delegated {
        if (_successorOf[predecessor] != msg.sender) revert VerisumNotSuccessor(msg.sender, predecessor);
        Client storage old = _clients[predecessor];
        _requireListed(predecessor, old);
        RoundHeader memory header = _current();
        // What it submits and is counted for is its successor's: it may submit no more once that one is there.
        bool mayStillSubmit = header.phase == Phase.Collecting && old.lastSubmittedRound != header.number;
        if (old.activeFromRound > header.number || mayStillSubmit) revert VerisumPlaceInUse(predecessor, header.number);
        Client storage place = _clients[msg.sender];
        if (place.activeFromRound != 0) revert VerisumAlreadyRegistered(msg.sender);
        _clients[msg.sender] = old;
        place.activeFromRound = header.number + 1;
        (old.moved, old.bonded) = (true, false);
        _remove(predecessor, old);
        _countChange();
        emit ClientRegistered(msg.sender, place.weight, place.activeFromRound);
        emit PlaceTaken(predecessor, msg.sender);
    }

    /// @inheritdoc IListChanges
    function withdrawBond() external delegated {
        Client storage client = _clients[msg.sender];
        uint64 until = client.untilRound;
        if (until == 0 || !client.bonded) revert VerisumNothingToWithdraw(msg.sender);
        RoundHeader memory header = _current();
        if (header.number < until && _isIn(header, ACTIVE)) revert VerisumBondHeld(msg.sender, until);
        client.bonded = false;
        emit BondWithdrawn(msg.sender, _bondWei);
        // The state is final before the call: a re-entrant withdrawal finds nothing.
        (bool success, ) = msg.sender.call{value: _bondWei}("");
        if (!success) revert VerisumTransferFailed(msg.sender);
    }

    // ------------------------------------------------------------------ internals

    function _requireDelegated() private view {
        if (address(this) == _self) revert VerisumNotDelegated();
    }

    function _requireOperator() private view {
        if (msg.sender != _operator) revert VerisumNotOperator(msg.sender);
    }

    function _requireListed(address account, Client storage client) private view {
        if (client.weight == 0 || client.untilRound != 0) {
            revert VerisumNotActiveClient(account, client.activeFromRound, client.untilRound);
        }
    }

    function _isBarred(Client storage client) private view returns (bool) {
        return client.refusals == type(uint8).max || (_maxRefusals != 0 && client.refusals >= _maxRefusals);
    }

    function _seat(uint8 seat, address member, uint40 fromRound) private {
        if (member != address(0)) _seatOf[member] = seat;
        _seats[seat] = Seat(member, fromRound);
        _countChange();
        emit MemberRegistered(seat, member, fromRound);
    }

    /// @dev Keys are good only with the seat's bit, and lie at most MAX_KEYS_AHEAD rounds ahead: a few words.
    function _dropKeys(uint8 seat, uint64 firstRound) private {
        uint256 last = (firstRound + Protocol.MAX_KEYS_AHEAD) / MASKS_PER_WORD;
        uint256 dropped = (uint256(_seatBit(seat)) * EVERY_MASK) << (MASK_BITS * (firstRound % MASKS_PER_WORD));
        for (uint256 place = firstRound / MASKS_PER_WORD; place <= last; ++place) {
            _keyMasks[place] &= ~dropped;
            dropped = uint256(_seatBit(seat)) * EVERY_MASK;
        }
    }

    /// @dev An account that left may come back with what was counted of it, once no round is open that it takes part in.
    function _addClient(address account, uint16 weight) private {
        Client storage client = _clients[account];
        RoundHeader memory header = _current();
        uint64 until = client.untilRound;
        bool isInRound = client.activeFromRound <= header.number && header.number < until && _isIn(header, ACTIVE);
        if (client.weight != 0 && (until == 0 || isInRound)) revert VerisumAlreadyRegistered(account);
        if (client.moved) revert VerisumMovedOn(account, _successorOf[account]);
        if (_isBarred(client)) revert VerisumBarred(account, client.refusals);
        uint16 included = _includedRounds(client);
        if (_maxRoundsPerClient != 0 && included >= _maxRoundsPerClient) revert VerisumRoundsUsedUp(account, included);
        // Not everybody registered is in one buffer: what enters it is counted there.
        uint256 places = _bufferGoal == 0 ? Protocol.MAX_COHORT : type(uint16).max;
        if (_clientCount == places) revert VerisumCohortFull(places);
        // Cannot overflow: fewer than 2^16 clients of less than 2^16 each.
        uint32 total = _registeredWeight + weight;
        if (_bufferGoal == 0 && total > Protocol.MAX_TOTAL_WEIGHT)
            revert VerisumWeightLimit(total, Protocol.MAX_TOTAL_WEIGHT);
        uint40 activeFromRound = header.number + 1;
        (client.weight, client.activeFromRound, client.untilRound) = (weight, activeFromRound, 0);
        // Whoever registers pays for the slot that a submission overwrites each round: the first round costs what later
        // ones do.
        if (_clientCount < Protocol.MAX_COHORT && _records[_clientCount] == 0)
            _records[_clientCount] = bytes32(uint256(1));
        ++_clientCount;
        _registeredWeight = total;
        _countChange();
        emit ClientRegistered(account, weight, activeFromRound);
    }

    function _remove(address account, Client storage client) private {
        uint40 until = _header.number + 1;
        client.untilRound = until;
        _countChange();
        emit ClientLeft(account, until);
    }

    /// @dev One for each event that changes a list, so that whoever reads them knows that none is missing.
    function _countChange() private {
        ++_listChanges;
    }
}
