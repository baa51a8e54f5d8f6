// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {TaskState} from "./TaskState.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title When rounds open, and end by time
/// @notice Freezes the lists of a round: from then on a change is of the next one.
abstract contract Opening is TaskState {
    uint32 private immutable _keyWindowSeconds;
    uint32 private immutable _collectSeconds;
    uint16 internal immutable _bufferGoal;
    /// @dev Fewer cannot fill every buffer: who was in one of the last minSeparation - 1 may not be in the next.
    uint256 private immutable _goalClients;
    uint32 private immutable _maxRounds;
    uint64 private immutable _privacyBudget;

    constructor(TaskParameters memory p, address operator_) TaskState(p, operator_) {
        _keyWindowSeconds = p.keyWindowSeconds;
        _collectSeconds = p.collectSeconds;
        _bufferGoal = p.bufferGoal;
        _goalClients = uint256(p.bufferGoal) * p.minSeparation;
        _maxRounds = p.maxRounds;
        _privacyBudget = p.privacyBudget;
    }

    /// @dev The abort that is due, if one is, and the next round.
    function _openRound() internal {
        RoundHeader memory header = _current();
        if (_isIn(header, ACTIVE)) {
            if (block.timestamp < header.deadline) {
                revert IVerisum.VerisumWrongPhase(header.phase, ~ACTIVE & _allPhases());
            }
            _end(header);
        }
        uint40 number = header.number + 1;
        TaskLedger memory ledger = _ledger;
        uint32 keyMask = _keyMaskOf(number);
        _requireReady(ledger, keyMask);
        ledger.keyWindowStart = _now();
        ledger.proposedMembers = 0;
        _ledger = ledger;
        uint40 deadline = _now() + _collectSeconds;
        _header = RoundHeader(
            number,
            Phase.Collecting,
            deadline,
            _bufferGoal == 0 ? _clientCount : _bufferGoal,
            0,
            0,
            keyMask,
            ledger.finalisedRounds
        );
        uint32 model = ledger.finalisedRounds;
        emit IVerisum.RoundOpened(number, model, _modelCid, _modelDigestOf(model), deadline, keyMask);
    }

    function _abort(uint64 round_) internal {
        RoundHeader memory header = _current();
        if (header.number != round_) revert IVerisum.VerisumWrongRound(header.number, round_);
        _requirePhaseOf(header, ACTIVE);
        if (block.timestamp < header.deadline) revert IVerisum.VerisumDeadlineNotReached(header.deadline, _now());
        _end(header);
    }

    /// @dev Ends an active round whose deadline has passed.
    function _end(RoundHeader memory header) private {
        if (header.phase == Phase.Attesting && _ledger.proposedMembers != 0) revert IVerisum.VerisumProposalStands();
        emit IVerisum.Aborted(header.number, header.phase);
        _header.phase = Phase.Aborted;
        _header.deadline = header.deadline;
    }

    function _requireReady(TaskLedger memory ledger, uint32 keyMask) private view {
        if (_memberCount != _committeeSize) revert IVerisum.VerisumCommitteeIncomplete(_memberCount, _committeeSize);
        if (_clientCount < _minClients) revert IVerisum.VerisumTooFewClients(_clientCount, _minClients);
        if (_clientCount < _goalClients) revert IVerisum.VerisumGoalUnreachable(_clientCount, _goalClients);
        if (_maxRounds != 0 && ledger.finalisedRounds >= _maxRounds) revert IVerisum.VerisumRoundsExhausted(_maxRounds);
        if (_privacyBudget != 0 && uint256(ledger.privacySpent) + _privacyCostPerRound > _privacyBudget) {
            revert IVerisum.VerisumBudgetExhausted(ledger.privacySpent, _privacyCostPerRound, _privacyBudget);
        }
        uint256 keys = _countBits(keyMask);
        uint40 waitUntil = ledger.keyWindowStart + _keyWindowSeconds;
        uint256 seats = uint256(_committeeSize) - _vacantSeats;
        uint256 required = block.timestamp < waitUntil && seats > _quorum ? seats : _quorum;
        if (keys < required) revert IVerisum.VerisumTooFewKeys(keys, required, waitUntil);
    }
}
