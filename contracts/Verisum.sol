// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {RoundBase} from "./RoundBase.sol";
import {Submissions} from "./Submissions.sol";
import {Protocol} from "./generated/Protocol.sol";
import {ISubmissionVerifier} from "./interfaces/ISubmissionVerifier.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {
    ClientRecord,
    ExcludedClient,
    G1Point,
    ModelRecord,
    Phase,
    RoundResult,
    RoundState,
    TaskParameters
} from "./types/VerisumTypes.sol";

/// @title A task and its rounds
/// @notice Opens rounds, takes votes, settles, collects releases and records models (docs/protocol.md, section 6).
contract Verisum is Submissions {
    using Bn254 for G1Point;

    /// @dev One slot, 208 bits: what outlives a round, and the members of the best proposal (zero: none).
    struct TaskLedger {
        uint40 modelRound;
        uint32 finalisedRounds;
        uint64 privacySpent;
        uint40 keyWindowStart;
        uint32 proposedMembers;
    }

    /// @dev abi.encode of the parameters, in a data contract like the keys: only `parameters()` reads all of them.
    address private immutable _parametersPointer;
    uint256 private immutable _parametersWords;

    uint8 private immutable _quorum;
    uint16 private immutable _minClients;
    uint16 private immutable _maxCorrupt;
    uint32 private immutable _keyWindowSeconds;
    uint32 private immutable _collectSeconds;
    uint32 private immutable _aggregateSeconds;
    uint32 private immutable _maxRounds;
    uint64 private immutable _privacyCostPerRound;
    uint64 private immutable _privacyBudget;

    TaskLedger private _ledger;
    uint256 private _included;
    bytes32 private _modelCid;
    mapping(uint256 seat => uint256 bitmap) private _attestations;

    /// @notice Fixes the task for good: parameters, verification keys and operator.
    /// @param p The task's parameters.
    /// @param keysBlob The verification keys as protocol/verification-key.ts encodes them.
    /// @param operator_ Who fills the seats and the allow-list.
    /// @dev Reverts: ParameterInvalid, KeysHashMismatch, KeysRefused, PointInvalid, ZeroAddress.
    constructor(TaskParameters memory p, bytes memory keysBlob, address operator_) RoundBase(p, keysBlob, operator_) {
        bytes memory encoded = abi.encode(p);
        _parametersPointer = DataContract.store(encoded);
        _parametersWords = encoded.length / 32;
        _quorum = p.quorum;
        _minClients = p.minClients;
        _maxCorrupt = p.maxCorrupt;
        _keyWindowSeconds = p.keyWindowSeconds;
        _collectSeconds = p.collectSeconds;
        _aggregateSeconds = p.aggregateSeconds;
        _maxRounds = p.maxRounds;
        _privacyCostPerRound = p.privacyCostPerRound;
        _privacyBudget = p.privacyBudget;
        _modelCid = p.genesisCid;
        _restartKeyWindow();
    }

    /// @inheritdoc IVerisum
    function openRound() external returns (uint64) {
        _requirePhase(_phaseBit(Phase.Idle) | _phaseBit(Phase.Finalised) | _phaseBit(Phase.Aborted));
        TaskLedger memory ledger = _ledger;
        if (memberCount != _committeeSize) revert VerisumCommitteeIncomplete(memberCount, _committeeSize);
        if (clientCount < _minClients) revert VerisumTooFewClients(clientCount, _minClients);
        if (_maxRounds != 0 && ledger.finalisedRounds >= _maxRounds) revert VerisumRoundsExhausted(_maxRounds);
        if (_privacyBudget != 0 && uint256(ledger.privacySpent) + _privacyCostPerRound > _privacyBudget) {
            revert VerisumBudgetExhausted(ledger.privacySpent, _privacyCostPerRound, _privacyBudget);
        }
        uint40 number = _header.number + 1;
        uint32 keyMask = _keyMaskOf(number);
        _requireKeys(keyMask, ledger.keyWindowStart);

        if (ledger.proposedMembers != 0) _ledger.proposedMembers = 0;
        uint40 deadline = _now() + _collectSeconds;
        _header = RoundHeader(number, Phase.Collecting, deadline, clientCount, 0, 0, keyMask, 0, 0);
        emit RoundOpened(number, _modelCid, _modelDigest, deadline, keyMask);
        return number;
    }

    /// @inheritdoc IVerisum
    function advance(uint64 round_) external {
        RoundHeader memory header = _headerOf(round_);
        Phase phase = header.phase;
        _requirePhase(_phaseBit(Phase.Collecting) | _phaseBit(Phase.Attesting) | _phaseBit(Phase.Aggregating));
        _requireReached(header.deadline);
        if (phase == Phase.Collecting && header.submitted >= _minClients) {
            _enter(header, Phase.Attesting, _attestSeconds);
            _header = header;
            emit PhaseChanged(round_, Phase.Attesting, header.deadline);
            return;
        }
        if (phase == Phase.Attesting && _ledger.proposedMembers != 0) revert VerisumProposalStands();
        header.phase = Phase.Aborted;
        _header = header;
        _restartKeyWindow();
        emit Aborted(round_, phase);
    }

    /// @inheritdoc IVerisum
    function attest(uint64 round_, uint256 bitmap) external {
        RoundHeader memory header = _activeHeader(round_, Phase.Attesting);
        uint8 seat = _requireMember();
        uint32 seatBit = _seatBit(seat);
        if (header.keyMask & seatBit == 0) revert VerisumNoRoundKey(seat);
        if (bitmap & ~_allOf(header.submitted) != 0) revert VerisumUnknownClients(bitmap, header.submitted);
        uint256 before = _attested(header, seat);
        uint256 united = before | bitmap;
        if (united == before) revert VerisumNothingNew(seat);
        _attestations[seat] = united;
        if (before == 0) _header.attestedMask = header.attestedMask | seatBit;
        emit Attested(round_, seat, united);
    }

    /// @inheritdoc IVerisum
    function propose(uint64 round_, uint32 members) external {
        RoundHeader memory header = _activeHeader(round_, Phase.Attesting);
        if (members & ~header.attestedMask != 0) revert VerisumNotAttested(members, header.attestedMask);
        uint256 memberBits = _countBits(members);
        if (memberBits < _quorum) revert VerisumNoQuorum(memberBits, _quorum);
        uint256 common = type(uint256).max;
        for (uint8 seat = 1; seat <= _committeeSize; ++seat) {
            if (members & _seatBit(seat) != 0) common &= _attestations[seat];
        }
        uint256 clients = _countBits(common);
        uint256 required = _smallestInclusion(header.submitted);
        if (clients < required) revert VerisumTooFewIncluded(clients, required);
        uint32 standing = _ledger.proposedMembers;
        if (standing != 0) {
            uint256 standingClients = _countBits(_included);
            if (clients < standingClients || (clients == standingClients && memberBits <= _countBits(standing))) {
                revert VerisumProposalNotBetter(standingClients, _countBits(standing));
            }
        }
        _included = common;
        _ledger.proposedMembers = members;
        emit Proposed(round_, members, common);
    }

    /// @inheritdoc IVerisum
    function settle(uint64 round_, ExcludedClient[] calldata excluded) external {
        RoundHeader memory header = _headerOf(round_);
        _requirePhase(_phaseBit(Phase.Attesting));
        TaskLedger memory ledger = _ledger;
        if (ledger.proposedMembers == 0) revert VerisumNoProposal();
        uint256 included = _included;
        uint256 missing = _allOf(header.submitted) & ~included;
        if (missing != 0) _requireReached(header.deadline);

        G1Point memory sum = _sum;
        for (uint256 i = 0; i < excluded.length; ++i) {
            uint8 index = excluded[i].index;
            ClientRecord calldata record = excluded[i].record;
            if (missing & (1 << index) == 0) revert VerisumNotExcluded(index);
            if (_recordHash(round_, record) != _records[index]) revert VerisumRecordMismatch(index);
            missing ^= 1 << index;
            // An accepted commitment is never infinity and its y is below p, so the negation is (x, p - y).
            sum.addScaled(record.commitment.x, Protocol.BASE_FIELD_ORDER - record.commitment.y, record.weight);
            header.totalWeight -= record.weight;
        }
        if (missing != 0) revert VerisumExcludedMissing(missing);

        if (excluded.length != 0) _sum = sum;
        ledger.privacySpent += _privacyCostPerRound;
        _ledger = ledger;
        _enter(header, Phase.Aggregating, _aggregateSeconds);
        _header = header;
        emit Settled(round_, included, ledger.proposedMembers, header.totalWeight, sum);
        emit PhaseChanged(round_, Phase.Aggregating, header.deadline);
    }

    /// @inheritdoc IVerisum
    function release(uint64 round_, bytes32 releaseCid) external {
        RoundHeader memory header = _activeHeader(round_, Phase.Aggregating);
        uint8 seat = _requireMember();
        if (header.releaseMask & _seatBit(seat) != 0) revert VerisumAlreadyReleased(seat);
        uint256 missing = _included & ~_attested(header, seat);
        if (missing != 0) revert VerisumReleaseNotAttested(seat, missing);
        _header.releaseMask = header.releaseMask | _seatBit(seat);
        emit Released(round_, seat, releaseCid);
    }

    /// @inheritdoc IVerisum
    function finalize(
        uint64 round_,
        RoundResult calldata result,
        uint256 evaluation,
        G1Point calldata opening,
        uint32 signers,
        bytes32[2][] calldata signatures
    ) external {
        RoundHeader memory header = _activeHeader(round_, Phase.Aggregating);
        G1Point memory sum = _sum;
        uint256 included = _included;
        _checkSignatures(
            Signatures.ofResult(deployment, round_, included, header.totalWeight, sum, result),
            signers,
            signatures
        );
        if (evaluation >= Protocol.FIELD_ORDER) revert VerisumNotCanonical("evaluation", evaluation);
        uint256 z = Transcript.resultPoint(
            deployment,
            round_,
            included,
            header.totalWeight,
            sum,
            result.aggregateDigest,
            result.modelDigest
        );
        if (!ISubmissionVerifier(verifier).opens(sum, z, evaluation, opening)) revert VerisumOpeningInvalid();

        _header.phase = Phase.Finalised;
        _modelCid = result.modelCid;
        _modelDigest = result.modelDigest;
        TaskLedger memory ledger = _ledger;
        ledger.modelRound = header.number;
        ledger.finalisedRounds += 1;
        ledger.keyWindowStart = _now();
        _ledger = ledger;
        emit Finalised(round_, result, evaluation, opening, signers, signatures);
    }

    // ------------------------------------------------------------------ state

    /// @inheritdoc IVerisum
    function parameters() external view returns (TaskParameters memory) {
        uint256[] memory words = DataContract.load(_parametersPointer, 0, _parametersWords);
        return abi.decode(abi.encodePacked(words), (TaskParameters));
    }

    /// @inheritdoc IVerisum
    function round() external view returns (RoundState memory state) {
        RoundHeader memory header = _header;
        uint32 proposedMembers = _ledger.proposedMembers;
        state.number = header.number;
        state.phase = header.phase;
        state.deadline = header.deadline;
        state.expected = header.expected;
        state.submitted = header.submitted;
        state.keyMask = header.keyMask;
        state.releaseMask = header.releaseMask;
        state.totalWeight = header.totalWeight;
        state.proposedMembers = proposedMembers;
        if (proposedMembers != 0) state.included = _included;
        if (header.submitted != 0) state.sum = _sum;
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
    function attestation(uint8 seat) external view returns (uint256) {
        return seat == 0 || seat > _committeeSize ? 0 : _attested(_header, seat);
    }

    /// @inheritdoc IVerisum
    function recordOf(uint8 index) external view returns (bytes32) {
        return index < _header.submitted ? _records[index] : bytes32(0);
    }

    // ------------------------------------------------------------------ internals

    function _restartKeyWindow() internal override {
        _ledger.keyWindowStart = _now();
    }

    function _requireReached(uint40 deadline) private view {
        if (block.timestamp < deadline) revert VerisumDeadlineNotReached(deadline, _now());
    }

    function _requireKeys(uint32 keyMask, uint40 windowStart) private view {
        uint256 keys = _countBits(keyMask);
        uint40 waitUntil = windowStart + _keyWindowSeconds;
        uint256 required = block.timestamp < waitUntil ? _committeeSize : _quorum;
        if (keys < required) revert VerisumTooFewKeys(keys, required, waitUntil);
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

    /// @dev What the seat attested in the header's round; older bitmaps are not in `attestedMask`.
    function _attested(RoundHeader memory header, uint8 seat) private view returns (uint256) {
        return header.attestedMask & _seatBit(seat) == 0 ? 0 : _attestations[seat];
    }

    /// @dev max(minClients, submitted - maxCorrupt).
    function _smallestInclusion(uint16 submitted) private view returns (uint256) {
        uint256 reached = uint256(_minClients) + _maxCorrupt;
        return submitted > reached ? submitted - _maxCorrupt : _minClients;
    }

    /// @dev Bits 0 .. count-1; count is at most 256.
    function _allOf(uint256 count) private pure returns (uint256) {
        return count == 256 ? type(uint256).max : (1 << count) - 1;
    }

    function _seatBit(uint8 seat) private pure returns (uint32) {
        return uint32(1) << (seat - 1);
    }

    function _countBits(uint256 word) private pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) ++count;
    }
}
