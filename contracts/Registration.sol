// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "./generated/Protocol.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title Who takes part
/// @notice Keeps the committee's seats and keys, and the clients with their weights and bonds.
/// @dev Rounds are Verisum's business; this part learns from it which round is current and in which phase.
abstract contract Registration is IVerisum {
    /// @dev One slot. A weight of zero means not registered.
    struct Client {
        uint16 weight;
        uint64 activeFromRound;
        uint64 lastSubmittedRound;
        uint96 bondWei;
    }

    /// @dev Key masks of this many rounds share a word, so that a batch of keys writes few slots.
    uint256 private constant MASKS_PER_WORD = 8;
    uint256 private constant MASK_BITS = 32;

    /// @inheritdoc IVerisum
    address public immutable operator;
    bool private immutable _uniformWeights;
    bool private immutable _openRegistration;
    uint96 private immutable _bondWei;
    uint8 internal immutable _committeeSize;

    /// @inheritdoc IVerisum
    uint8 public memberCount;
    /// @inheritdoc IVerisum
    uint16 public clientCount;
    /// @inheritdoc IVerisum
    uint16 public registeredWeight;
    /// @inheritdoc IVerisum
    mapping(address member => uint8 seat) public seatOf;
    /// @inheritdoc IVerisum
    mapping(uint8 seat => address member) public memberAt;
    /// @inheritdoc IVerisum
    mapping(uint64 round => mapping(uint8 seat => bytes32 key)) public roundKey;
    /// @inheritdoc IVerisum
    mapping(address client => Client) public clientOf;
    mapping(uint256 word => uint256 masks) private _keyMasks;

    constructor(TaskParameters memory p, address operator_) {
        if (operator_ == address(0)) revert VerisumZeroAddress();
        operator = operator_;
        _uniformWeights = p.uniformWeights;
        _openRegistration = p.openRegistration;
        _bondWei = p.bondWei;
        _committeeSize = p.committeeSize;
    }

    /// @inheritdoc IVerisum
    function registerMember(address member) external {
        _requireOperator();
        _requirePhase(_phaseBit(Phase.Idle));
        if (member == address(0)) revert VerisumZeroAddress();
        if (seatOf[member] != 0) revert VerisumAlreadyRegistered(member);
        if (memberCount == _committeeSize) revert VerisumCommitteeFull(_committeeSize);
        uint8 seat = ++memberCount;
        seatOf[member] = seat;
        memberAt[seat] = member;
        _restartKeyWindow();
        emit MemberRegistered(seat, member);
    }

    /// @inheritdoc IVerisum
    function registerClient(address client, uint16 weight) external {
        _requireOperator();
        if (_openRegistration) revert VerisumRegistrationMode(true);
        if (client == address(0)) revert VerisumZeroAddress();
        if (weight == 0 || (_uniformWeights && weight != 1)) revert VerisumWeightInvalid(weight);
        _addClient(client, weight, 0);
    }

    /// @inheritdoc IVerisum
    function join() external payable {
        if (!_openRegistration) revert VerisumRegistrationMode(false);
        if (msg.value != _bondWei) revert VerisumWrongBond(msg.value, _bondWei);
        Client storage client = clientOf[msg.sender];
        if (client.weight == 0 && client.bondWei != 0) revert VerisumBondPending(client.bondWei);
        _addClient(msg.sender, 1, _bondWei);
    }

    /// @inheritdoc IVerisum
    function unregister() external {
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

    /// @inheritdoc IVerisum
    function withdrawBond() external {
        Client storage client = clientOf[msg.sender];
        uint96 amountWei = client.bondWei;
        if (client.weight != 0 || amountWei == 0) revert VerisumNothingToWithdraw(msg.sender);
        client.bondWei = 0;
        emit BondWithdrawn(msg.sender, amountWei);
        // The state is final before the call: a re-entrant withdrawal finds nothing.
        (bool success, ) = msg.sender.call{value: amountWei}("");
        if (!success) revert VerisumTransferFailed(msg.sender);
    }

    /// @inheritdoc IVerisum
    function registerRoundKeys(uint64 firstRound, bytes32[] calldata keys) external {
        uint8 seat = _requireMember();
        if (keys.length == 0) revert VerisumNoKeys();
        uint64 current = _currentRound();
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

    /// @inheritdoc IVerisum
    function announce(string calldata endpoint) external {
        uint256 length = bytes(endpoint).length;
        if (length > Protocol.MAX_ENDPOINT_BYTES) revert VerisumEndpointTooLong(length, Protocol.MAX_ENDPOINT_BYTES);
        emit EndpointAnnounced(msg.sender, endpoint);
    }

    function _currentRound() internal view virtual returns (uint64);
    function _currentPhase() internal view virtual returns (Phase);
    function _restartKeyWindow() internal virtual;
    function _reserveRecord(uint256 index) internal virtual;

    /// @dev Seats that have a key for the round.
    function _keyMaskOf(uint64 round_) internal view returns (uint32) {
        return uint32(_keyMasks[round_ / MASKS_PER_WORD] >> (MASK_BITS * (round_ % MASKS_PER_WORD)));
    }

    function _requireMember() internal view returns (uint8 seat) {
        seat = seatOf[msg.sender];
        if (seat == 0) revert VerisumNotMember(msg.sender);
    }

    function _requirePhase(uint256 allowed) internal view {
        Phase actual = _currentPhase();
        if (allowed & _phaseBit(actual) == 0) revert VerisumWrongPhase(actual, allowed);
    }

    function _phaseBit(Phase phase) internal pure returns (uint256) {
        return 1 << uint256(phase);
    }

    function _allPhases() internal pure returns (uint256) {
        return (1 << (uint256(type(Phase).max) + 1)) - 1;
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
        uint64 activeFromRound = _currentRound() + 1;
        client.weight = weight;
        client.activeFromRound = activeFromRound;
        client.bondWei = bondWei;
        _reserveRecord(clientCount);
        ++clientCount;
        // Cannot truncate: total <= MAX_TOTAL_WEIGHT < 2^16.
        registeredWeight = uint16(total);
        emit ClientRegistered(account, weight, activeFromRound);
    }
}
