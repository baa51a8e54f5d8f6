// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RoundBase} from "./RoundBase.sol";
import {Settling} from "./Settling.sol";
import {Submissions} from "./Submissions.sol";
import {Protocol} from "./generated/Protocol.sol";
import {ISubmissionVerifier} from "./interfaces/ISubmissionVerifier.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {G1Point, ModelRecord, Phase, Release, RoundResult, RoundState, TaskParameters} from "./types/VerisumTypes.sol";

/// @title A task and its rounds
/// @notice Opens and ends rounds, and records models (docs/protocol.md, section 6).
contract Verisum is Submissions, Settling {
    /// @dev abi.encode of the parameters, in a data contract like the keys: only `parameters()` reads all of them.
    address private immutable _parametersPointer;
    uint256 private immutable _parametersWords;

    uint32 private immutable _keyWindowSeconds;
    uint32 private immutable _collectSeconds;
    uint32 private immutable _maxRounds;
    uint64 private immutable _privacyBudget;

    /// @dev Phases that a round can be aborted from.
    uint256 private constant ACTIVE =
        (1 << uint256(Phase.Collecting)) | (1 << uint256(Phase.Attesting)) | (1 << uint256(Phase.Aggregating));

    bytes32 private _modelCid;

    /// @notice Fixes the task for good: parameters, verification keys and operator.
    /// @param p The task's parameters.
    /// @param keysBlob The verification keys as protocol/verification-key.ts encodes them.
    /// @param operator_ Who fills the seats and the allow-list.
    /// @dev Reverts: ParameterInvalid, KeysHashMismatch, KeysRefused, PointInvalid, ZeroAddress.
    constructor(
        TaskParameters memory p,
        bytes memory keysBlob,
        address operator_
    ) RoundBase(p, keysBlob, operator_) Settling(p) {
        bytes memory encoded = abi.encode(p);
        _parametersPointer = DataContract.store(encoded);
        _parametersWords = encoded.length / 32;
        _keyWindowSeconds = p.keyWindowSeconds;
        _collectSeconds = p.collectSeconds;
        _maxRounds = p.maxRounds;
        _privacyBudget = p.privacyBudget;
        _modelCid = p.genesisCid;
        _ledger.keyWindowStart = _now();
    }

    /// @inheritdoc IVerisum
    function openRound() external returns (uint64) {
        RoundHeader memory header = _current();
        if (_phaseBit(header.phase) & ACTIVE != 0) {
            if (block.timestamp < header.deadline) revert VerisumWrongPhase(header.phase, ~ACTIVE & _allPhases());
            _abort(header);
        }
        uint40 number = header.number + 1;
        TaskLedger memory ledger = _ledger;
        uint32 keyMask = _keyMaskOf(number);
        bytes memory obstacle = _obstacle(ledger, keyMask);
        if (obstacle.length != 0) {
            assembly ("memory-safe") {
                revert(add(obstacle, 0x20), mload(obstacle))
            }
        }
        _open(number, ledger, keyMask);
        return number;
    }

    /// @inheritdoc IVerisum
    function abort(uint64 round_) external {
        RoundHeader memory header = _headerOf(round_);
        _requirePhase(ACTIVE);
        if (block.timestamp < header.deadline) revert VerisumDeadlineNotReached(header.deadline, _now());
        _abort(header);
    }

    /// @inheritdoc IVerisum
    function finalize(
        uint64 round_,
        RoundResult calldata result,
        uint256 evaluation,
        G1Point calldata opening,
        Release[] calldata releases,
        uint32 signers,
        bytes32[2][] calldata signatures
    ) external {
        RoundHeader memory header = _headerIn(round_, Phase.Aggregating);
        bytes32 settlement = _roundHash;
        bytes32 domain = Signatures.domainOf(deployment);
        _checkReleases(domain, header, settlement, releases);
        _checkSignatures(Signatures.ofResult(domain, round_, settlement, result), signers, signatures);
        if (evaluation >= Protocol.FIELD_ORDER) revert VerisumNotCanonical("evaluation", evaluation);
        uint256 z = Transcript.resultPoint(deployment, round_, settlement, result.aggregateDigest, result.modelDigest);
        if (!ISubmissionVerifier(verifier).opens(_sum, z, evaluation, opening)) revert VerisumOpeningInvalid();

        _modelCid = result.modelCid;
        _modelDigest = result.modelDigest;
        emit Finalised(round_, settlement, result, evaluation, opening, releases, signers, signatures);
        _close(header);
    }

    // ------------------------------------------------------------------ state

    /// @inheritdoc IVerisum
    function parameters() external view returns (TaskParameters memory) {
        uint256[] memory words = DataContract.load(_parametersPointer, 0, _parametersWords);
        // They were stored as the ABI encodes them: decoding them to encode them again took 1,200 bytes of code.
        assembly ("memory-safe") {
            return(add(words, 0x20), mul(mload(words), 0x20))
        }
    }

    /// @inheritdoc IVerisum
    function round() external view returns (RoundState memory state) {
        RoundHeader memory header = _current();
        uint32 proposedMembers = _ledger.proposedMembers;
        state.number = header.number;
        state.phase = header.phase;
        state.deadline = header.deadline;
        state.expected = header.expected;
        state.submitted = header.submitted;
        state.keyMask = header.keyMask;
        state.totalWeight = header.totalWeight;
        state.proposedMembers = proposedMembers;
        if (proposedMembers != 0) state.included = _included;
        if (header.submitted == 0) return state;
        state.sum = _sum;
        uint256 phase = _phaseBit(header.phase);
        if (phase & (_phaseBit(Phase.Collecting) | _phaseBit(Phase.Attesting)) != 0) state.intake = _roundHash;
        if (phase & (_phaseBit(Phase.Aggregating) | _phaseBit(Phase.Finalised)) != 0) state.settlement = _roundHash;
    }

    /// @inheritdoc IVerisum
    function latestModel() external view returns (ModelRecord memory) {
        return ModelRecord(_ledger.modelRound, _modelCid, _modelDigest);
    }

    /// @inheritdoc IVerisum
    function finalisedRounds() external view returns (uint32) {
        return _ledger.finalisedRounds;
    }

    /// @inheritdoc IVerisum
    function privacySpent() external view returns (uint64) {
        return _ledger.privacySpent;
    }

    /// @inheritdoc IVerisum
    function recordOf(uint8 index) external view returns (bytes32) {
        return index < _header.submitted ? _records[index] : bytes32(0);
    }

    // ------------------------------------------------------------------ internals

    /// @dev Ends an active round whose deadline has passed.
    function _abort(RoundHeader memory header) private {
        if (header.phase == Phase.Attesting && _ledger.proposedMembers != 0) revert VerisumProposalStands();
        emit Aborted(header.number, header.phase);
        header.phase = Phase.Aborted;
        _header = header;
    }

    /// @dev Counts a result, and opens the next round where it can.
    function _close(RoundHeader memory header) private {
        TaskLedger memory ledger = _ledger;
        ledger.modelRound = header.number;
        ledger.finalisedRounds += 1;
        uint40 number = header.number + 1;
        uint32 keyMask = _keyMaskOf(number);
        if (_obstacle(ledger, keyMask).length == 0) return _open(number, ledger, keyMask);
        _ledger = ledger;
        _header.phase = Phase.Finalised;
    }

    function _open(uint40 number, TaskLedger memory ledger, uint32 keyMask) private {
        ledger.keyWindowStart = _now();
        ledger.proposedMembers = 0;
        _ledger = ledger;
        uint40 deadline = _now() + _collectSeconds;
        _header = RoundHeader(number, Phase.Collecting, deadline, clientCount, 0, 0, keyMask);
        emit RoundOpened(number, _modelCid, _modelDigest, deadline, keyMask);
    }

    /// @dev Why no round can open now, as the error's encoding; empty if one can.
    function _obstacle(TaskLedger memory ledger, uint32 keyMask) private view returns (bytes memory) {
        if (memberCount != _committeeSize) {
            return abi.encodeWithSelector(VerisumCommitteeIncomplete.selector, memberCount, _committeeSize);
        }
        if (clientCount < _minClients) {
            return abi.encodeWithSelector(VerisumTooFewClients.selector, clientCount, _minClients);
        }
        if (_maxRounds != 0 && ledger.finalisedRounds >= _maxRounds) {
            return abi.encodeWithSelector(VerisumRoundsExhausted.selector, _maxRounds);
        }
        if (_privacyBudget != 0 && uint256(ledger.privacySpent) + _privacyCostPerRound > _privacyBudget) {
            return
                abi.encodeWithSelector(
                    VerisumBudgetExhausted.selector,
                    ledger.privacySpent,
                    _privacyCostPerRound,
                    _privacyBudget
                );
        }
        uint256 keys = _countBits(keyMask);
        uint40 waitUntil = ledger.keyWindowStart + _keyWindowSeconds;
        uint256 required = block.timestamp < waitUntil ? _committeeSize : _quorum;
        if (keys < required) return abi.encodeWithSelector(VerisumTooFewKeys.selector, keys, required, waitUntil);
        return "";
    }

    function _checkReleases(
        bytes32 domain,
        RoundHeader memory header,
        bytes32 settlement,
        Release[] calldata releases
    ) private view {
        if (releases.length < _threshold) revert VerisumTooFewReleases(releases.length, _threshold);
        uint8 previous;
        for (uint256 i = 0; i < releases.length; ++i) {
            Release calldata item = releases[i];
            uint8 seat = item.seat;
            _requireSeat(header.keyMask, previous, seat);
            previous = seat;
            bytes32 digest = Signatures.ofRelease(domain, header.number, settlement, item.releaseCid);
            if (!Signatures.isBy(memberAt[seat], digest, item.signature)) revert VerisumReleaseInvalid(seat);
        }
    }

    function _checkSignatures(bytes32 digest, uint32 signers, bytes32[2][] calldata signatures) private view {
        uint256 count = _countBits(signers);
        if (count < _threshold) revert VerisumTooFewSignatures(count, _threshold);
        _requireLength("signatures", signatures.length, count);
        uint256 next;
        // Each bit names one seat, so no member counts twice; a bit without a member fails as its signer is zero.
        for (uint8 seat = 1; next < count; ++seat) {
            if (signers & _seatBit(seat) == 0) continue;
            if (!Signatures.isBy(memberAt[seat], digest, signatures[next])) revert VerisumSignatureInvalid(seat);
            ++next;
        }
    }
}
