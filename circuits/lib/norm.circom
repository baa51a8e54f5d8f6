// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/**
 * @title Squared norm from a histogram
 * @notice Σ_t count_t·(t − offset)². Linear in the histogram, so it costs nothing per coordinate.
 * @param size number of entries of the table
 * @param offset the entry that stands for zero
 * @param run largest run of a sum
 * @input count[size] a histogram; that it is one is the caller's to prove
 * @output out the squared norm mod r; exact as long as n·offset² < r
 * Constraints: ceil(size / run) + 1, all linear.
 */
template SquaredNorm(size, offset, run) {
    signal input count[size];
    signal output out;

    var runs = (size + run - 1) \ run;
    signal partial[runs];

    // 1. Each run's share.
    for (var k = 0; k < runs; k++) {
        var terms = 0;
        for (var t = k * run; t < size && t < (k + 1) * run; t++) {
            terms += count[t] * ((t - offset) * (t - offset));
        }
        partial[k] <== terms;
    }

    // 2. The sum of the runs.
    var total = 0;
    for (var k = 0; k < runs; k++) {
        total += partial[k];
    }
    out <== total;
}
