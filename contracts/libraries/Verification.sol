// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";
import {ChunkProof, G1Point, Submission} from "../types/VerisumTypes.sol";
import {Bn254} from "./Bn254.sol";
import {DataContract} from "./DataContract.sol";
import {ChunkKinds, TaskLayout} from "./TaskLayout.sol";
import {Transcript} from "./Transcript.sol";
import {VerificationKeys} from "./VerificationKeys.sol";

/// @title One pairing product for all chunks of a submission and its KZG opening (docs/protocol.md, section 5).
/// @dev For chunk j of kind k the equation is
///   e(A_j, B_j) e(alpha, -beta) e(X_j, -G2) e(D_j, -sigma_k) e(C_j, -delta_k) = 1,  X_j = sum_i input_{j,i} IC_{k,i},
/// for the opening e(C - y G1 + z Q, -G2) e(Q, tau) = 1. Equation j is raised to s^j, the opening to s^K, with s from the
/// hash of the whole call, and all are multiplied: a false equation survives with probability at most K / r.
/// Terms over the same G2 point are added first, which leaves K + 5 pairs for one kind and two more for each further kind.
library Verification {
    using Bn254 for G1Point;

    /// @dev Fixed pairs after the chunks' own: (alpha, -beta), (X, -G2), (Q, tau).
    uint256 private constant FIXED_PAIRS = 3;

    /// @notice The task's constants that a submission is checked against.
    struct Task {
        address keysPointer;
        ChunkKinds kinds;
        uint256 kindCoordinates;
        uint256 kindCount;
        uint256 chunkCount;
        uint256 normBoundSquared;
    }

    /// @dev Running sums over the chunks of one kind.
    struct KindSums {
        bool used;
        uint256 shift; // z^(elements of a block)
        uint256 weight; // sum of s^j
        uint256 y; // sum of s^j y_j
        uint256 h; // sum of s^j h_j
        uint256 bound; // sum of s^j bound_j
        uint256 hPrevious; // sum of s^j h_{j-1}
        G1Point d; // sum of s^j D_j
        G1Point c; // sum of s^j C_j
    }

    /// @dev What the loop over the chunks leaves for the fixed pairs.
    struct Totals {
        uint256 s;
        uint256 power; // the next power of s
        uint256 weight; // sum of s^j over all chunks
        uint256 y; // sum of z^offset_j y_j
        uint256 zOffset;
    }

    /// @notice Reverts unless every chunk's proof and the opening hold for this challenge.
    /// @dev The caller has checked the array lengths. Relies on gamma_2 being the G2 generator.
    function checkSubmission(Task memory task, Submission calldata submission, bytes32 challenge) internal view {
        (uint256 alpha, uint256 z) = Transcript.points(challenge);
        uint256[] memory keys = DataContract.load(task.keysPointer, 0, VerificationKeys.wordsOf(task.kindCount));
        KindSums[] memory sums = new KindSums[](task.kindCount);
        Totals memory totals = Totals(Transcript.combinationBase(challenge), 1, 0, 0, 1);
        uint256[] memory pairs = _gatherChunks(task, submission, z, sums, totals);

        uint256 position = task.chunkCount + FIXED_PAIRS;
        G1Point memory inputs; // X
        for (uint256 kind = 0; kind < sums.length; ++kind) {
            if (!sums[kind].used) continue;
            uint256 key = VerificationKeys.HEAD_WORDS + kind * VerificationKeys.KIND_WORDS;
            Bn254.setPair(pairs, position++, sums[kind].c, keys, key);
            Bn254.setPair(pairs, position++, sums[kind].d, keys, key + VerificationKeys.SIGMA_OFFSET);
            _addInputs(inputs, keys, key + VerificationKeys.BASES_OFFSET, sums[kind], alpha, z);
        }
        _setFixedPairs(pairs, task.chunkCount, submission, keys, inputs, totals, z);
        // The array was sized for all kinds; the pairs of unused ones are cut off.
        assembly ("memory-safe") {
            mstore(pairs, mul(position, 6))
        }
        if (!Bn254.pairingIsOne(pairs)) revert IVerisum.VerisumProofInvalid();
    }

    /// @notice True if `commitment` opens at z to y, with proof `opening`. Reverts on invalid points.
    function checkOpening(address keysPointer, G1Point memory commitment, uint256 z, uint256 y, G1Point calldata opening)
        internal
        view
        returns (bool)
    {
        uint256[] memory tau = DataContract.load(keysPointer, VerificationKeys.TAU, Bn254.G2_WORDS);
        uint256[] memory pairs = new uint256[](2 * Bn254.PAIR_WORDS);
        G1Point memory left = G1Point(commitment.x, commitment.y);
        left.addScaled(1, 2, _negate(y));
        left.addScaled(opening.x, opening.y, z);
        Bn254.setPairWithNegatedGenerator(pairs, 0, left);
        Bn254.setPair(pairs, 1, opening, tau, 0);
        return Bn254.pairingIsOne(pairs);
    }

    /// @dev Checks each chunk's form, adds it to its kind's sums and writes its pair (s^j A_j, B_j).
    function _gatherChunks(
        Task memory task,
        Submission calldata submission,
        uint256 z,
        KindSums[] memory sums,
        Totals memory totals
    ) private view returns (uint256[] memory pairs) {
        pairs = new uint256[](Bn254.PAIR_WORDS * (task.chunkCount + FIXED_PAIRS + 2 * sums.length));
        uint256 hPrevious = Protocol.EMPTY_NORM_HASH;
        for (uint256 j = 0; j < task.chunkCount; ++j) {
            ChunkProof calldata chunk = submission.chunks[j];
            _checkForm(chunk);
            uint256 kind = task.kinds.kindOf(j);
            KindSums memory sum = sums[kind];
            if (!sum.used) {
                sum.used = true;
                sum.shift = _power(z, TaskLayout.elementsOf(task.kindCoordinates, kind));
            }
            uint256 power = totals.power;
            uint256 bound = j + 1 == task.chunkCount ? task.normBoundSquared : Protocol.NORM_ACCUMULATOR_BOUND;
            sum.weight = _add(sum.weight, power);
            sum.y = _addProduct(sum.y, power, chunk.y);
            sum.h = _addProduct(sum.h, power, chunk.h);
            sum.bound = _addProduct(sum.bound, power, bound);
            sum.hPrevious = _addProduct(sum.hPrevious, power, hPrevious);
            sum.d.addScaled(chunk.d.x, chunk.d.y, power);
            sum.c.addScaled(chunk.c.x, chunk.c.y, power);
            Bn254.setPair(pairs, j, Bn254.scale(chunk.a.x, chunk.a.y, power), chunk.b);

            totals.weight = _add(totals.weight, power);
            totals.y = _addProduct(totals.y, totals.zOffset, chunk.y);
            totals.zOffset = mulmod(totals.zOffset, sum.shift, Protocol.FIELD_ORDER);
            totals.power = mulmod(power, totals.s, Protocol.FIELD_ORDER);
            hPrevious = chunk.h;
        }
    }

    function _checkForm(ChunkProof calldata chunk) private pure {
        if (chunk.y >= Protocol.FIELD_ORDER) revert IVerisum.VerisumNotCanonical("y", chunk.y);
        if (chunk.h >= Protocol.FIELD_ORDER) revert IVerisum.VerisumNotCanonical("h", chunk.h);
        if (chunk.d.x | chunk.d.y == 0) revert IVerisum.VerisumPointInfinity("d");
        if (chunk.a.x | chunk.a.y == 0) revert IVerisum.VerisumPointInfinity("a");
        if (chunk.b[0] | chunk.b[1] | chunk.b[2] | chunk.b[3] == 0) revert IVerisum.VerisumPointInfinity("b");
    }

    /// @dev X += sum over the kind's chunks of s^j (IC_0 + y IC_1 + h IC_2 + alpha IC_3 + z IC_4 + bound IC_5 + hPrevious IC_6).
    function _addInputs(
        G1Point memory inputs,
        uint256[] memory keys,
        uint256 bases,
        KindSums memory sum,
        uint256 alpha,
        uint256 z
    ) private view {
        uint256[7] memory scalars = [
            sum.weight,
            sum.y,
            sum.h,
            mulmod(sum.weight, alpha, Protocol.FIELD_ORDER),
            mulmod(sum.weight, z, Protocol.FIELD_ORDER),
            sum.bound,
            sum.hPrevious
        ];
        for (uint256 i = 0; i < VerificationKeys.BASES; ++i) {
            inputs.addScaled(keys[bases + 2 * i], keys[bases + 2 * i + 1], scalars[i]);
        }
    }

    /// @dev The three pairs that exist once: alpha, the public inputs with the opening's left side, and tau.
    function _setFixedPairs(
        uint256[] memory pairs,
        uint256 position,
        Submission calldata submission,
        uint256[] memory keys,
        G1Point memory inputs,
        Totals memory totals,
        uint256 z
    ) private view {
        Bn254.setPair(pairs, position, Bn254.scale(keys[0], keys[1], totals.weight), keys, VerificationKeys.BETA);
        G1Point memory opening = Bn254.scale(submission.opening.x, submission.opening.y, totals.power);
        inputs.addScaled(submission.commitment.x, submission.commitment.y, totals.power);
        inputs.addScaled(1, 2, _negate(mulmod(totals.power, totals.y, Protocol.FIELD_ORDER)));
        inputs.addScaled(opening.x, opening.y, z);
        Bn254.setPairWithNegatedGenerator(pairs, position + 1, inputs);
        Bn254.setPair(pairs, position + 2, opening, keys, VerificationKeys.TAU);
    }

    function _add(uint256 a, uint256 b) private pure returns (uint256) {
        return addmod(a, b, Protocol.FIELD_ORDER);
    }

    function _addProduct(uint256 sum, uint256 a, uint256 b) private pure returns (uint256) {
        return addmod(sum, mulmod(a, b, Protocol.FIELD_ORDER), Protocol.FIELD_ORDER);
    }

    function _negate(uint256 value) private pure returns (uint256) {
        return value == 0 ? 0 : Protocol.FIELD_ORDER - value;
    }

    function _power(uint256 base, uint256 exponent) private pure returns (uint256 result) {
        result = 1;
        for (; exponent != 0; exponent >>= 1) {
            if (exponent & 1 != 0) result = mulmod(result, base, Protocol.FIELD_ORDER);
            base = mulmod(base, base, Protocol.FIELD_ORDER);
        }
    }
}
