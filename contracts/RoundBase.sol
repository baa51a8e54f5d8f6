// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ListCalls} from "./ListCalls.sol";
import {SubmissionVerifier} from "./SubmissionVerifier.sol";
import {TaskState} from "./TaskState.sol";
import {Protocol} from "./generated/Protocol.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {ChunkKinds, TaskLayout} from "./libraries/TaskLayout.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {Verification} from "./libraries/Verification.sol";
import {VerificationKeys} from "./libraries/VerificationKeys.sol";
import {ClientRecord, G1Point, Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title A task's constants and its current round
/// @notice Holds what submissions and the other phases share.
/// @dev Everything but the header is valid only as far as the header says so (a record below `submitted`, the intake once
/// something was submitted, U once a proposal exists). Nothing is reset, which keeps every round but the first at the
/// price of non-zero slots.
abstract contract RoundBase is TaskState, ListCalls {
    /// @inheritdoc IVerisum
    bytes32 public immutable parametersHash;
    /// @inheritdoc IVerisum
    bytes32 public immutable deployment;
    /// @inheritdoc IVerisum
    address public immutable keysPointer;
    /// @inheritdoc IVerisum
    address public immutable verifier;
    /// @inheritdoc IVerisum
    uint32 public immutable vectorLength;
    uint256 internal immutable _chunkCount;
    uint256 internal immutable _threshold;

    G1Point internal _sum;
    /// @dev The intake until the round settles, then the settlement.
    bytes32 internal _roundHash;
    bytes32 internal _modelDigest;

    constructor(
        TaskParameters memory p,
        bytes memory keysBlob,
        address operator_
    ) TaskState(p, operator_) ListCalls(p, operator_) {
        TaskLayout.checkRules(p);
        bytes32 actualHash = keccak256(keysBlob);
        if (actualHash != p.keysHash) revert VerisumKeysHashMismatch(p.keysHash, actualHash);
        (ChunkKinds kinds, uint256 keyKinds, uint256 vectorLength_) = TaskLayout.pack(p, keysBlob.length);
        keysPointer = DataContract.store(keysBlob);
        VerificationKeys.check(DataContract.load(keysPointer, 0, keysBlob.length / 32));
        uint256 kindCoordinates = Protocol.kindCoordinates(p.coordinateBits);
        verifier = address(
            new SubmissionVerifier(
                Verification.Task(
                    keysPointer,
                    kinds,
                    kindCoordinates,
                    keyKinds,
                    p.chunkKinds.length,
                    p.normBoundSquared
                )
            )
        );
        bytes32 hash = keccak256(abi.encode(p));
        parametersHash = hash;
        deployment = Transcript.deployment(hash);
        // Cannot truncate: N K 2^(2(bits-1)) < 2^48 was checked, and a chunk's masks are fewer than its coordinates.
        vectorLength = uint32(vectorLength_);
        _chunkCount = p.chunkKinds.length;
        _threshold = p.threshold;
        _modelDigest = p.genesisDigest;
        // Never read: the first submission of a round overwrites both, and non-zero slots are cheaper to overwrite.
        _sum = G1Point(1, 2);
        _roundHash = bytes32(uint256(1));
    }

    /// @dev The current round, if it is `round_` and in `phase`.
    function _headerIn(uint64 round_, Phase phase) internal view returns (RoundHeader memory header) {
        header = _headerOf(round_);
        if (header.phase != phase) revert VerisumWrongPhase(header.phase, _phaseBit(phase));
    }

    /// @dev The same if its deadline lies ahead as well.
    function _activeHeader(uint64 round_, Phase phase) internal view returns (RoundHeader memory header) {
        header = _headerIn(round_, phase);
        if (block.timestamp >= header.deadline) revert VerisumDeadlinePassed(header.deadline, _now());
    }

    function _headerOf(uint64 round_) internal view returns (RoundHeader memory header) {
        header = _current();
        if (header.number != round_) revert VerisumWrongRound(header.number, round_);
    }

    /// @dev Seats of signed statements ascend, so that no member counts twice, and have a key, so that they hold shares.
    function _requireSeat(uint32 keyMask, uint8 previous, uint8 seat) internal pure {
        if (seat <= previous) revert VerisumSeatOrder(previous, seat);
        if (keyMask & _seatBit(seat) == 0) revert VerisumNoRoundKey(seat);
    }

    function _requireLength(bytes32 field, uint256 actual, uint256 expected) internal pure {
        if (actual != expected) revert VerisumWrongLength(field, actual, expected);
    }

    function _enter(RoundHeader memory header, Phase phase, uint32 lengthSeconds) internal view {
        header.phase = phase;
        header.deadline = _now() + lengthSeconds;
    }

    function _recordHash(uint64 round_, ClientRecord memory record) internal pure returns (bytes32) {
        return keccak256(abi.encode(round_, record));
    }

    /// @dev Zero for seats beyond the mask.
    function _seatBit(uint8 seat) internal pure returns (uint32) {
        return uint32(1) << (seat - 1);
    }

    function _countBits(uint256 word) internal pure returns (uint256 count) {
        for (; word != 0; word &= word - 1) ++count;
    }
}
