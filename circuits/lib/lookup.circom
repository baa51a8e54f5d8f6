// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "./sum.circom";

/**
 * @title Table membership with its histogram (LogUp: Haböck, ePrint 2022/1530)
 * @notice Σ_i 1/(alpha + row_i) = Σ_t count_t/(alpha + t) as rational functions of alpha only if every row is one of
 *         0 … size − 1 and count is their histogram. At one alpha it holds otherwise with probability (n + size)/r.
 * @param n number of rows to look up
 * @param size number of entries of the table, which holds 0 … size − 1
 * @param run largest run of a sum
 * @input alpha the challenge; must be uniform and chosen after row and count are fixed (not enforced here)
 * @input row[n] values to look up
 * @input count[size] how often each entry occurs
 * @input inverse[n], weighted[size] 1/(alpha + row_i) and count_t/(alpha + t); inputs because a prover inverts the few
 *        distinct values once, and constrained like any other signal
 * Constraints: n + size quadratic; ceil(n / run) + ceil(size / run) + 3 linear at most.
 */
template Lookup(n, size, run) {
    signal input alpha;
    signal input row[n];
    signal input count[size];
    signal input inverse[n];
    signal input weighted[size];

    component rows = Sum(n, run);
    component entries = Sum(size, run);

    // 1. One inverse per row.
    for (var i = 0; i < n; i++) {
        inverse[i] * (alpha + row[i]) === 1;
        rows.in[i] <== inverse[i];
    }

    // 2. One weighted inverse per entry of the table.
    for (var t = 0; t < size; t++) {
        weighted[t] * (alpha + t) === count[t];
        entries.in[t] <== weighted[t];
    }

    // 3. Both sides agree.
    rows.out === entries.out;
}
