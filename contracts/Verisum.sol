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
import {TaskLayout} from "./libraries/TaskLayout.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {G1Point, ModelRecord, Phase, Release, RoundResult, RoundState, TaskParameters} from "./types/VerisumTypes.sol";

/// @title A task and its rounds
/// @notice Ends rounds with results, and records models (docs/protocol.md, section 6).
contract Verisum is Submissions, Settling {
    /// @notice Fixes the task for good: parameters, verification keys and operator.
    /// @param encoded `abi.encode` of the task's `TaskParameters`, which are hashed and kept as they come.
    /// @param keysBlob The verification keys as protocol/verification-key.ts encodes them.
    /// @param operator_ Who fills the seats and the allow-list.
    /// @dev Reverts: ParameterInvalid, KeysHashMismatch, KeysRefused, PointInvalid, ZeroAddress.
    constructor(
        bytes memory encoded,
        bytes memory keysBlob,
        address operator_
    ) RoundBase(encoded, TaskLayout.decode(encoded)[0], keysBlob, operator_) Settling(TaskLayout.decode(encoded)[0]) {
        _ledger.keyWindowStart = _now();
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
        _checkSignatures(round_, Signatures.ofResult(domain, round_, settlement, result), signers, signatures);
        if (evaluation >= Protocol.FIELD_ORDER) revert VerisumNotCanonical("evaluation", evaluation);
        uint256 z = Transcript.resultPoint(deployment, round_, settlement, result.aggregateDigest, result.modelDigest);
        if (!ISubmissionVerifier(verifier).opens(_sum, z, evaluation, opening)) revert VerisumOpeningInvalid();

        _modelCid = result.modelCid;
        emit Finalised(round_, settlement, result, evaluation, opening, releases, signers, signatures);
        _close(header, result.modelDigest);
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
        return ModelRecord(_ledger.modelRound, _modelCid, _modelDigestOf(_ledger.finalisedRounds));
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

    /// @dev Counts a result, and opens the next round where it can.
    function _close(RoundHeader memory header, bytes32 modelDigest) private {
        TaskLedger memory ledger = _ledger;
        ledger.modelRound = header.number;
        ledger.finalisedRounds += 1;
        _ledger = ledger;
        _setModelDigest(ledger.finalisedRounds, modelDigest);
        _header.phase = Phase.Finalised;
        _openNext();
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
            if (!Signatures.isBy(_memberIn(header.number, seat), digest, item.signature)) {
                revert VerisumReleaseInvalid(seat);
            }
        }
    }

    function _checkSignatures(
        uint64 round_,
        bytes32 digest,
        uint32 signers,
        bytes32[2][] calldata signatures
    ) private view {
        uint256 count = _countBits(signers);
        if (count < _threshold) revert VerisumTooFewSignatures(count, _threshold);
        _requireLength("signatures", signatures.length, count);
        uint256 next;
        // Each bit names one seat, so no member counts twice; a bit without a member fails as its signer is zero.
        for (uint8 seat = 1; next < count; ++seat) {
            if (signers & _seatBit(seat) == 0) continue;
            if (!Signatures.isBy(_memberIn(round_, seat), digest, signatures[next]))
                revert VerisumSignatureInvalid(seat);
            ++next;
        }
    }
}
