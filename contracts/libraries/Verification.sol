// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.30;

import {Protocol} from "../generated/Protocol.sol";
import {IVerisum} from "../interfaces/IVerisum.sol";
import {ChunkProgress, ChunkProof, G1Point} from "../types/VerisumTypes.sol";
import {Bn254} from "./Bn254.sol";
import {DataContract} from "./DataContract.sol";
import {ChunkKinds, TaskLayout} from "./TaskLayout.sol";
import {Transcript} from "./Transcript.sol";
import {VerificationKeys} from "./VerificationKeys.sol";

/// @title Batched verification
/// @notice Builds one pairing product for all chunks and KZG openings of a call (docs/protocol.md, section 5).
/// @dev For chunk j of kind k the equation is
///   e(A_j, B_j) e(alpha, -beta) e(X_j, -G2) e(D_j, -sigma_k) e(C_j, -delta_k) = 1,  X_j = sum_i input_{j,i} IC_{k,i},
/// for an opening e(C - y G1 + z Q, -G2) e(Q, tau) = 1. The e-th equation of the call, whosever it is, is raised to s^e
/// with s from the hash of the whole call, and all are multiplied: E equations of which one is false pass with
/// probability at most (E - 1) / r. Terms over the same G2 point are added first, which leaves E_chunks + 5 pairs for
/// one kind (one less without an opening) and two more for each further kind.
library Verification {
    using Bn254 for G1Point;

    /// @dev Pairs besides the chunks' own and the kinds': (alpha, -beta), (X, -G2), (sum of Q, tau).
    uint256 private constant FIXED_PAIRS = 3;

    /// @notice The task's constants that submissions are checked against.
    struct Task {
        address keysPointer;
        ChunkKinds kinds;
        uint256 kindCoordinates;
        uint256 kindCount;
        uint256 chunkCount;
        uint256 normBoundSquared;
    }

    /// @dev Running sums over the chunks of one kind; `power` is the weight of each one's equation.
    struct KindSums {
        uint256 shift; // z^(elements of a block) of the present submission; zero: not computed yet
        uint256 weight; // sum of power
        uint256 y; // sum of power * y
        uint256 h; // sum of power * h
        uint256 alpha; // sum of power * alpha
        uint256 z; // sum of power * z
        uint256 bound; // sum of power * bound
        uint256 hPrevious; // sum of power * hPrevious
        bool used;
        G1Point d; // sum of power * D
        G1Point c; // sum of power * C
    }

    /// @dev A pairing product under construction.
    struct Product {
        uint256[] keys;
        KindSums[] kinds;
        uint256[] pairs;
        uint256 pairCount; // pairs written
        uint256 s;
        uint256 power; // weight of the next equation
        uint256 weight; // sum of the weights of all chunks' equations
        uint256 generator; // sum of weight * y over the openings
        G1Point inputs; // X, with the left sides of the openings
        G1Point openings; // sum of weight * Q
        bool opens;
    }

    /// @notice An empty product with room for this many chunks.
    function start(Task memory task, uint256 chunks) internal view returns (Product memory product) {
        product.s = Transcript.combinationBase();
        product.power = 1;
        product.keys = DataContract.load(task.keysPointer, 0, VerificationKeys.wordsOf(task.kindCount));
        product.kinds = new KindSums[](task.kindCount);
        product.pairs = new uint256[](Bn254.PAIR_WORDS * (chunks + FIXED_PAIRS + 2 * task.kindCount));
    }

    /// @notice What precedes a submission's first chunk.
    function firstProgress() internal pure returns (ChunkProgress memory) {
        return ChunkProgress(0, 0, Protocol.EMPTY_NORM_HASH, 0, 1);
    }

    /// @notice Multiplies the equations of consecutive chunks of one submission in, and moves its progress (but
    /// `wires`) on.
    /// @dev Reverts: NotCanonical, PointInfinity, PointInvalid. The caller sees to it that the chunks exist in the
    /// task.
    function addChunks(
        Product memory product,
        Task memory task,
        ChunkProof[] calldata chunks,
        ChunkProgress memory progress,
        uint256 alpha,
        uint256 z
    ) internal view {
        for (uint256 kind = 0; kind < task.kindCount; ++kind) product.kinds[kind].shift = 0;
        for (uint256 j = 0; j < chunks.length; ++j) {
            ChunkProof calldata chunk = chunks[j];
            _checkForm(chunk);
            uint256 kind = task.kinds.kindOf(progress.count, task.kindCount);
            KindSums memory sum = product.kinds[kind];
            sum.used = true;
            if (sum.shift == 0) sum.shift = _power(z, TaskLayout.elementsOf(task.kindCoordinates, kind));
            uint256 power = product.power;
            uint256 bound =
                ++progress.count == task.chunkCount ? task.normBoundSquared : Protocol.NORM_ACCUMULATOR_BOUND;
            sum.weight = _add(sum.weight, power);
            sum.y = _addProduct(sum.y, power, chunk.y);
            sum.h = _addProduct(sum.h, power, chunk.h);
            sum.alpha = _addProduct(sum.alpha, power, alpha);
            sum.z = _addProduct(sum.z, power, z);
            sum.bound = _addProduct(sum.bound, power, bound);
            sum.hPrevious = _addProduct(sum.hPrevious, power, progress.h);
            sum.d.addScaled(chunk.d.x, chunk.d.y, power);
            sum.c.addScaled(chunk.c.x, chunk.c.y, power);
            Bn254.setPair(product.pairs, product.pairCount++, Bn254.scale(chunk.a.x, chunk.a.y, power), chunk.b);

            product.weight = _add(product.weight, power);
            product.power = mulmod(power, product.s, Protocol.FIELD_ORDER);
            progress.y = _addProduct(progress.y, progress.zPower, chunk.y);
            progress.zPower = mulmod(progress.zPower, sum.shift, Protocol.FIELD_ORDER);
            progress.h = chunk.h;
        }
    }

    /// @notice Multiplies the equation "`commitment` opens at z to y, with proof `opening`" in. Reverts: PointInvalid.
    function addOpening(
        Product memory product,
        G1Point calldata commitment,
        G1Point calldata opening,
        uint256 z,
        uint256 y
    ) internal view {
        uint256 power = product.power;
        G1Point memory scaled = Bn254.scale(opening.x, opening.y, power);
        product.openings.addScaled(scaled.x, scaled.y, 1);
        product.inputs.addScaled(commitment.x, commitment.y, power);
        product.inputs.addScaled(scaled.x, scaled.y, z);
        product.generator = _addProduct(product.generator, power, y);
        product.power = mulmod(power, product.s, Protocol.FIELD_ORDER);
        product.opens = true;
    }

    /// @notice True if every equation holds. Relies on gamma_2 being the G2 generator. Reverts: PointInvalid.
    function holds(Product memory product) internal view returns (bool) {
        uint256[] memory keys = product.keys;
        uint256[] memory pairs = product.pairs;
        uint256 position = product.pairCount;
        for (uint256 kind = 0; kind < product.kinds.length; ++kind) {
            KindSums memory sum = product.kinds[kind];
            if (!sum.used) continue;
            uint256 key = VerificationKeys.HEAD_WORDS + kind * VerificationKeys.KIND_WORDS;
            Bn254.setPair(pairs, position++, sum.c, keys, key);
            Bn254.setPair(pairs, position++, sum.d, keys, key + VerificationKeys.SIGMA_OFFSET);
            _addInputs(product.inputs, keys, key + VerificationKeys.BASES_OFFSET, sum);
        }
        Bn254.setPair(pairs, position++, Bn254.scale(keys[0], keys[1], product.weight), keys, VerificationKeys.BETA);
        if (product.opens) {
            product.inputs.addScaled(1, 2, _negate(product.generator));
            Bn254.setPair(pairs, position++, product.openings, keys, VerificationKeys.TAU);
        }
        Bn254.setPairWithNegatedGenerator(pairs, position++, product.inputs);
        // The array was sized for an opening and all kinds: what was not written is cut off.
        assembly ("memory-safe") {
            mstore(pairs, mul(position, 6))
        }
        return Bn254.pairingIsOne(pairs);
    }

    /// @notice True if `commitment` opens at z to y, with proof `opening`. Reverts on invalid points.
    function checkOpening(
        address keysPointer,
        G1Point calldata commitment,
        uint256 z,
        uint256 y,
        G1Point calldata opening
    ) internal view returns (bool) {
        uint256[] memory tau = DataContract.load(keysPointer, VerificationKeys.TAU, Bn254.G2_WORDS);
        uint256[] memory pairs = new uint256[](2 * Bn254.PAIR_WORDS);
        G1Point memory left = G1Point(commitment.x, commitment.y);
        left.addScaled(1, 2, _negate(y));
        left.addScaled(opening.x, opening.y, z);
        Bn254.setPairWithNegatedGenerator(pairs, 0, left);
        Bn254.setPair(pairs, 1, opening, tau, 0);
        return Bn254.pairingIsOne(pairs);
    }

    function _checkForm(ChunkProof calldata chunk) private pure {
        if (chunk.y >= Protocol.FIELD_ORDER) revert IVerisum.VerisumNotCanonical("y", chunk.y);
        if (chunk.h >= Protocol.FIELD_ORDER) revert IVerisum.VerisumNotCanonical("h", chunk.h);
        if (chunk.d.x | chunk.d.y == 0) revert IVerisum.VerisumPointInfinity("d");
        if (chunk.a.x | chunk.a.y == 0) revert IVerisum.VerisumPointInfinity("a");
        if (chunk.b[0] | chunk.b[1] | chunk.b[2] | chunk.b[3] == 0) revert IVerisum.VerisumPointInfinity("b");
    }

    /// @dev X += sum over the kind's chunks of power (IC_0 + y IC_1 + h IC_2 + alpha IC_3 + z IC_4 + bound IC_5 +
    /// hPrevious IC_6).
    function _addInputs(G1Point memory inputs, uint256[] memory keys, uint256 bases, KindSums memory sum) private view {
        uint256[7] memory scalars = [sum.weight, sum.y, sum.h, sum.alpha, sum.z, sum.bound, sum.hPrevious];
        for (uint256 i = 0; i < VerificationKeys.BASES; ++i) {
            inputs.addScaled(keys[bases + 2 * i], keys[bases + 2 * i + 1], scalars[i]);
        }
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
