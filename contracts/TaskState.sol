// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ILists} from "./interfaces/ILists.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title What lists and rounds both know
/// @notice The seats, the clients, and which round is current. `Verisum` keeps it; `Lists` works on the same slots, in
/// calls that `Verisum` delegates to it.
/// @dev Both contracts inherit this one first, so that a variable has the same slot in both. Storage is reused from round
/// to round: `_header` is overwritten when a round opens.
abstract contract TaskState is ILists {
    /// @dev One slot. A weight of zero means not registered.
    struct Client {
        uint16 weight;
        uint64 activeFromRound;
        uint64 lastSubmittedRound;
        uint96 bondWei;
    }

    /// @dev One slot, 168 bits. Collecting stays here when its time is over: `_current` says what it is then.
    struct RoundHeader {
        uint40 number;
        Phase phase;
        uint40 deadline;
        uint16 expected;
        uint16 submitted;
        uint16 totalWeight;
        uint32 keyMask;
    }

    /// @dev One slot, 208 bits: what outlives a round, and T of the standing proposal or the settlement (zero: none).
    struct TaskLedger {
        uint40 modelRound;
        uint32 finalisedRounds;
        uint64 privacySpent;
        uint40 keyWindowStart;
        uint32 proposedMembers;
    }

    /// @dev Key masks of this many rounds share a word, so that a batch of keys writes few slots.
    uint256 internal constant MASKS_PER_WORD = 8;
    uint256 internal constant MASK_BITS = 32;

    /// @inheritdoc ILists
    address public immutable operator;
    uint8 internal immutable _committeeSize;
    uint16 internal immutable _minClients;
    uint32 internal immutable _attestSeconds;

    /// @inheritdoc ILists
    uint8 public memberCount;
    /// @inheritdoc ILists
    uint16 public clientCount;
    /// @inheritdoc ILists
    uint16 public registeredWeight;
    /// @inheritdoc ILists
    mapping(address member => uint8 seat) public seatOf;
    /// @inheritdoc ILists
    mapping(uint8 seat => address member) public memberAt;
    /// @inheritdoc ILists
    mapping(uint64 round => mapping(uint8 seat => bytes32 key)) public roundKey;
    /// @inheritdoc ILists
    mapping(address client => Client) public clientOf;
    mapping(uint256 word => uint256 masks) internal _keyMasks;
    RoundHeader internal _header;
    TaskLedger internal _ledger;
    mapping(uint256 index => bytes32 recordHash) internal _records;

    constructor(TaskParameters memory p, address operator_) {
        if (operator_ == address(0)) revert VerisumZeroAddress();
        operator = operator_;
        _committeeSize = p.committeeSize;
        _minClients = p.minClients;
        _attestSeconds = p.attestSeconds;
    }

    /// @dev The round as of this block's time: where enough clients are in at its deadline, Collecting has become
    /// Attesting at that moment. No call stands between the two.
    function _current() internal view returns (RoundHeader memory header) {
        header = _header;
        bool collected =
            header.phase == Phase.Collecting && block.timestamp >= header.deadline && header.submitted >= _minClients;
        if (!collected) return header;
        header.phase = Phase.Attesting;
        header.deadline += _attestSeconds;
    }

    /// @dev Cannot truncate before the year 36,812.
    function _now() internal view returns (uint40) {
        return uint40(block.timestamp);
    }

    /// @dev Seats that have a key for the round.
    function _keyMaskOf(uint64 round_) internal view returns (uint32) {
        return uint32(_keyMasks[round_ / MASKS_PER_WORD] >> (MASK_BITS * (round_ % MASKS_PER_WORD)));
    }

    function _requirePhase(uint256 allowed) internal view {
        Phase actual = _current().phase;
        if (allowed & _phaseBit(actual) == 0) revert IVerisum.VerisumWrongPhase(actual, allowed);
    }

    function _phaseBit(Phase phase) internal pure returns (uint256) {
        return 1 << uint256(phase);
    }

    function _allPhases() internal pure returns (uint256) {
        return (1 << (uint256(type(Phase).max) + 1)) - 1;
    }
}
