// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/**
 * @title Evaluation of a packed block at z
 * @notice out = Σ_e z^e·X_e over the block: n/slots packed elements X_e = Σ_l (row_{slots·e+l} −
 *         offset)·2^(slotBits·l), then the masks. Horner's rule from the highest coefficient down; packing itself is
 *         free.
 * @param n number of rows, a multiple of slots
 * @param offset the row that stands for zero
 * @param slots, slotBits layout of one element
 * @param masks number of masks, at least 1
 * @input z the point; must be chosen after row and mask are fixed (not enforced here)
 * @input row[n] rows of the table; that they are in range is the caller's to prove
 * @input mask[masks] uniform elements
 * @output out the block's value at z
 * Constraints: n/slots + masks − 1 quadratic.
 */
template PackedEvaluation(n, offset, slots, slotBits, masks) {
    assert(n % slots == 0);
    assert(slots * slotBits < 253);
    signal input z;
    signal input row[n];
    signal input mask[masks];
    signal output out;

    var elements = n \ slots;
    signal tail[elements + masks];

    // 1. The masks are the highest coefficients.
    tail[elements + masks - 1] <== mask[masks - 1];
    for (var k = masks - 2; k >= 0; k--) {
        tail[elements + k] <== tail[elements + k + 1] * z + mask[k];
    }

    // 2. The packed coordinates, signed.
    for (var e = elements - 1; e >= 0; e--) {
        var packed = 0;
        for (var l = 0; l < slots; l++) {
            packed += (row[slots * e + l] - offset) * (1 << (slotBits * l));
        }
        tail[e] <== tail[e + 1] * z + packed;
    }

    // 3. The value.
    out <== tail[0];
}
