// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "../../node_modules/circomlib/circuits/bitify.circom";
include "../../node_modules/circomlib/circuits/poseidon.circom";

/**
 * @title One link of the chain of hidden partial norms
 * @notice Opens the previous link, adds this chunk's squared norm, checks the bound and closes the next link.
 *         Exact by induction: the first link is Poseidon(0, 0), every link leaves a value below 2^bits, norm is below
 *         2^bits (the caller's to ensure, as is bound < 2^bits), so neither the sum nor the difference wraps mod r.
 * @param bits width of the accumulator, at most 252
 * @input before, saltBefore opening of hashBefore
 * @input hashBefore the previous link
 * @input norm this chunk's squared norm, an integer in [0, 2^bits)
 * @input bound largest accumulated value allowed, in [0, 2^bits)
 * @input salt blinds the next link; must be fresh and uniform for hiding
 * @output hashAfter Poseidon(before + norm, salt)
 */
template NormChain(bits) {
    assert(bits <= 252);
    signal input before;
    signal input saltBefore;
    signal input hashBefore;
    signal input norm;
    signal input bound;
    signal input salt;
    signal output hashAfter;

    // 1. The previous link opens to `before`.
    component opened = Poseidon(2);
    opened.inputs[0] <== before;
    opened.inputs[1] <== saltBefore;
    opened.out === hashBefore;

    // 2. The accumulated norm is an integer in [0, 2^bits).
    signal after <== before + norm;
    component afterBits = Num2Bits(bits);
    afterBits.in <== after;

    // 3. It does not exceed the bound.
    component slackBits = Num2Bits(bits);
    slackBits.in <== bound - after;

    // 4. The next link.
    component closed = Poseidon(2);
    closed.inputs[0] <== after;
    closed.inputs[1] <== salt;
    hashAfter <== closed.out;
}
