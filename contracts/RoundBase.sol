// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {ListCalls} from "./ListCalls.sol";
import {SubmissionVerifier} from "./SubmissionVerifier.sol";
import {ISubmissionVerifier} from "./interfaces/ISubmissionVerifier.sol";
import {IVerisum} from "./interfaces/IVerisum.sol";
import {DataContract} from "./libraries/DataContract.sol";
import {ChunkKinds, TaskLayout} from "./libraries/TaskLayout.sol";
import {Transcript} from "./libraries/Transcript.sol";
import {Verification} from "./libraries/Verification.sol";
import {ClientRecord, G1Point, Phase, TaskParameters} from "./types/VerisumTypes.sol";

/// @title A task's constants and its current round
/// @notice Holds what submissions and the other phases share.
/// @dev Everything but the header is valid only as far as the header says so (a record below `submitted`, the intake once
/// something was submitted, U once a proposal exists). Nothing is reset, which keeps every round but the first at the
/// price of non-zero slots.
abstract contract RoundBase is ListCalls {
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
    /// @dev abi.encode of the parameters, in a data contract like the keys: only `parameters()` reads all of them.
    address internal immutable _parametersPointer;
    uint256 internal immutable _parametersWords;
    uint256 internal immutable _chunkCount;
    uint256 internal immutable _threshold;
    uint32 internal immutable _minCollectSeconds;

    G1Point internal _sum;
    /// @dev The intake until the round settles, then the settlement.
    bytes32 internal _roundHash;

    constructor(
        bytes memory encoded,
        TaskParameters memory p,
        bytes memory keysBlob,
        address operator_
    ) ListCalls(encoded, p, operator_) {
        TaskLayout.Layout memory vector = TaskLayout.check(encoded, p, keysBlob.length);
        bytes32 actualHash = keccak256(keysBlob);
        if (actualHash != p.keysHash) revert VerisumKeysHashMismatch(p.keysHash, actualHash);
        keysPointer = DataContract.store(keysBlob);
        verifier = address(
            new SubmissionVerifier(
                Verification.Task(
                    keysPointer,
                    ChunkKinds.wrap(vector.kinds),
                    vector.kindCoordinates,
                    vector.keyKinds,
                    p.chunkKinds.length,
                    p.normBoundSquared
                )
            )
        );
        ISubmissionVerifier(verifier).checkKeys();
        _parametersPointer = DataContract.store(encoded);
        _parametersWords = encoded.length / 32;
        bytes32 hash = keccak256(encoded);
        parametersHash = hash;
        deployment = Transcript.deployment(hash);
        // Cannot truncate: N K 2^(2(bits-1)) < 2^48 was checked, and a chunk's masks are fewer than its coordinates.
        vectorLength = uint32(vector.length);
        _chunkCount = p.chunkKinds.length;
        _threshold = p.threshold;
        _minCollectSeconds = p.minCollectSeconds;
        _modelCid = p.genesisCid;
        _setModelDigest(0, p.genesisDigest);
        // Never read: the first submission of a round overwrites both, and non-zero slots are cheaper to overwrite.
        _sum = G1Point(1, 2);
        _roundHash = bytes32(uint256(1));
    }

    /// @dev The current round, if it is `round_` and in `phase`.
    function _headerIn(uint64 round_, Phase phase) internal view returns (RoundHeader memory header) {
        header = _headerOf(round_);
        _requirePhaseOf(header, _phaseBit(phase));
    }

    /// @dev The same if it takes submissions.
    function _collecting(uint64 round_) internal view returns (RoundHeader memory header) {
        header = _headerIn(round_, Phase.Collecting);
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
}
