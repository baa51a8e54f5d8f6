// SPDX-License-Identifier: GPL-3.0-or-later
// All that two contracts share is in one place.
// solhint-disable max-states-count
pragma solidity ^0.8.30;

import {IListChanges} from "./interfaces/IListChanges.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title What lists and rounds both know
/// @notice The seats, the clients, and which round is current. `Verisum` keeps it; `Lists` works on the same slots, in
/// calls that `Verisum` delegates to it.
/// @dev Both contracts inherit this one first, so that a variable has the same slot in both. Storage is reused from round
/// to round: `_header` is overwritten when a round opens.
abstract contract TaskState {
    /// @dev One slot, 184 bits; `ClientState` says what the fields mean. An account stays what it was when it leaves, so that
    /// nobody is rid of a count by registering again.
    struct Client {
        uint16 weight;
        uint40 activeFromRound;
        uint40 untilRound;
        uint40 lastSubmittedRound;
        /// @dev Its bit in that round's bitmaps.
        uint8 lastIndex;
        /// @dev Without that round, which may not have settled when this was written.
        uint16 includedRounds;
        uint8 refusals;
        bool bonded;
        bool moved;
    }

    /// @dev One slot. Before `fromRound` the seat is its former member's.
    struct Seat {
        address member;
        uint40 fromRound;
    }

    /// @dev One slot, 200 bits. Collecting stays here when its time is over: `_current` says what it is then.
    struct RoundHeader {
        uint40 number;
        Phase phase;
        uint40 deadline;
        uint16 expected;
        uint16 submitted;
        uint16 totalWeight;
        uint32 keyMask;
        /// @dev Number of the latest model, which stays while the round is open.
        uint32 model;
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

    /// @dev Phases of a round that is open.
    uint256 internal constant ACTIVE =
        (1 << uint256(Phase.Collecting)) | (1 << uint256(Phase.Attesting)) | (1 << uint256(Phase.Aggregating));

    address internal immutable _operator;
    uint8 internal immutable _committeeSize;
    uint16 internal immutable _minClients;
    uint32 internal immutable _attestSeconds;
    uint16 internal immutable _maxRoundsPerClient;
    uint96 internal immutable _bondWei;
    uint8 internal immutable _quorum;
    uint64 internal immutable _privacyCostPerRound;
    uint16 internal immutable _minSeparation;
    /// @dev Models that a submission may start from: the latest, and the maxStaleness before it.
    uint32 internal immutable _modelCount;

    uint8 internal _memberCount;
    uint16 internal _clientCount;
    uint32 internal _registeredWeight;
    uint8 internal _vacantSeats;
    uint32 internal _listChanges;
    mapping(address member => uint8 seat) internal _seatOf;
    mapping(uint8 seat => Seat) internal _seats;
    mapping(uint8 seat => address member) internal _formerMember;
    /// @dev Valid for seats in the round's key mask.
    mapping(uint64 round => mapping(uint8 seat => bytes32 key)) internal _roundKeys;
    mapping(address client => Client) internal _clients;
    mapping(address client => address successor) internal _successorOf;
    mapping(uint256 word => uint256 masks) internal _keyMasks;
    RoundHeader internal _header;
    TaskLedger internal _ledger;
    bytes32 internal _modelCid;
    /// @dev A ring of the last models: model k is in place k modulo their number.
    mapping(uint256 place => bytes32 digest) private _modelDigests;
    mapping(uint256 index => bytes32 recordHash) internal _records;
    /// @dev U of each settled round, kept only if a client's rounds are limited.
    mapping(uint64 round => uint256 included) internal _settledSets;

    constructor(TaskParameters memory p, address operator_) {
        if (operator_ == address(0)) revert IListChanges.VerisumZeroAddress();
        _operator = operator_;
        _committeeSize = p.committeeSize;
        _minClients = p.minClients;
        _attestSeconds = p.attestSeconds;
        _maxRoundsPerClient = p.maxRoundsPerClient;
        _bondWei = p.bondWei;
        _quorum = p.quorum;
        _privacyCostPerRound = p.privacyCostPerRound;
        _minSeparation = p.minSeparation;
        _modelCount = uint32(p.maxStaleness) + 1;
    }

    function _setModelDigest(uint32 model, bytes32 digest) internal {
        _modelDigests[model % _modelCount] = digest;
    }

    /// @dev Of one of the last models.
    function _modelDigestOf(uint32 model) internal view returns (bytes32) {
        return _modelDigests[model % _modelCount];
    }

    /// @dev The member of a seat in the current round or the next one.
    function _memberIn(uint64 round_, uint8 seat) internal view returns (address) {
        Seat storage place = _seats[seat];
        return place.fromRound <= round_ ? place.member : _formerMember[seat];
    }

    /// @dev Counted when it is asked, not when a round settles, which would cost a slot for each client.
    function _includedRounds(Client storage client) internal view returns (uint16) {
        if (_maxRoundsPerClient == 0 || client.lastSubmittedRound == 0) return client.includedRounds;
        return client.includedRounds + uint16((_settledSets[client.lastSubmittedRound] >> client.lastIndex) & 1);
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
        _requirePhaseOf(_current(), allowed);
    }

    function _requirePhaseOf(RoundHeader memory header, uint256 allowed) internal pure {
        if (!_isIn(header, allowed)) revert IVerisum.VerisumWrongPhase(header.phase, allowed);
    }

    function _isIn(RoundHeader memory header, uint256 phases) internal pure returns (bool) {
        return phases & _phaseBit(header.phase) != 0;
    }

    /// @dev Zero for seats beyond the mask.
    function _seatBit(uint8 seat) internal pure returns (uint32) {
        return uint32(1) << (seat - 1);
    }

    function _countBits(uint256 word) internal pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) ++count;
    }

    function _phaseBit(Phase phase) internal pure returns (uint256) {
        return 1 << uint256(phase);
    }

    function _allPhases() internal pure returns (uint256) {
        return (1 << (uint256(type(Phase).max) + 1)) - 1;
    }
}
