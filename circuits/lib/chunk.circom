// SPDX-License-Identifier: GPL-3.0-or-later
pragma circom 2.2.0;

include "../generated/parameters.circom";
include "./lookup.circom";
include "./norm.circom";
include "./norm-chain.circom";
include "./pack.circom";

/**
 * @title Norm proof of one chunk of an update (docs/protocol.md, section 5)
 * @notice Public signals in order: y, h, alpha, z, bound, hPrevious.
 *         Committed wires, the first private ones in order: row, count, mask, blinder. The verification key holds their
 *         bases over sigma, and the proof's D fixes them before alpha and z exist. Nothing else is committed.
 * @param n coordinates of the chunk, padding included
 * @param bits bits of one signed coordinate; row = coordinate + 2^(bits − 1)
 * @input alpha, z challenges derived from D and from the commitment to the whole vector (the verifier's to ensure)
 * @input bound largest accumulated squared norm, below 2^NORM_ACCUMULATOR_BITS (the verifier's to ensure)
 * @input hPrevious the previous chunk's h, Poseidon(0, 0) for the first
 * @input inverse, weighted see Lookup
 * @output y value at z of the chunk's block of elements and masks
 * @output h Poseidon(accumulated squared norm, salt)
 */
template Chunk(n, bits) {
    var size = 1 << bits;
    var offset = 1 << (bits - 1);

    signal output y;
    signal output h;
    signal input alpha;
    signal input z;
    signal input bound;
    signal input hPrevious;
    signal input row[n];
    signal input count[size];
    signal input mask[MASKS_PER_CHUNK()];
    signal input blinder;
    signal input accumulatedBefore;
    signal input saltBefore;
    signal input salt;
    signal input inverse[n];
    signal input weighted[size];

    // 1. Every row is in the table and count is the histogram.
    component lookup = Lookup(n, size, SUM_RUN());
    lookup.alpha <== alpha;
    lookup.row <== row;
    lookup.count <== count;
    lookup.inverse <== inverse;
    lookup.weighted <== weighted;

    // 2. The norm follows from the histogram and stays within the bound.
    component norm = SquaredNorm(size, offset, SUM_RUN());
    norm.count <== count;
    component chain = NormChain(NORM_ACCUMULATOR_BITS());
    chain.before <== accumulatedBefore;
    chain.saltBefore <== saltBefore;
    chain.hashBefore <== hPrevious;
    chain.norm <== norm.out;
    chain.bound <== bound;
    chain.salt <== salt;
    h <== chain.hashAfter;

    // 3. The block's value at z.
    component block = PackedEvaluation(n, offset, SLOTS_PER_ELEMENT(), SLOT_BITS(), MASKS_PER_CHUNK());
    block.z <== z;
    block.row <== row;
    block.mask <== mask;
    y <== block.out;

    // 4. The blinder has a row of its own, so that its base is not infinity and D hides the other wires.
    signal blinderSquared <== blinder * blinder;
}
