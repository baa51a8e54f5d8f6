// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

/**
 * @title Sum of many signals
 * @notice The compiler's work is quadratic in the terms of one linear expression, so the sum is cut into runs.
 * @param n number of terms, at least 1
 * @param run largest number of terms in one run
 * @input in[n] any field elements
 * @output out their sum mod r
 * Constraints: ceil(n / run) + 1, all linear.
 */
template Sum(n, run) {
    signal input in[n];
    signal output out;

    var runs = (n + run - 1) \ run;
    signal partial[runs];

    // 1. Each run's sum.
    for (var k = 0; k < runs; k++) {
        var terms = 0;
        for (var i = k * run; i < n && i < (k + 1) * run; i++) {
            terms += in[i];
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
