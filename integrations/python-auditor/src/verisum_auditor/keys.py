"""Verification keys (§5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verisum_auditor.curve import G1, G2, GENERATOR2, affine, affine2, is_infinity, read_g1, read_g2
from verisum_auditor.faults import Unreadable, require
from verisum_auditor.parameters import PRESETS, Parameters
from verisum_auditor.words import BASE_FIELD_ORDER, WORD_BYTES, Words, keccak

SHARED_WORDS = 10
KIND_WORDS = 22
PUBLIC_BASES = 7


@dataclass(frozen=True)
class KindKey:
    """The key of one kind of chunks, not negated. `bases` are `IC_0 … IC_6`."""

    delta: G2
    sigma: G2
    bases: Sequence[G1]


@dataclass(frozen=True)
class Keys:
    """All keys of a contract, not negated. γ is `G₂`."""

    alpha: G1
    beta: G2
    tau: G2
    kinds: Sequence[KindKey]


def read_keys(code: bytes, parameters: Parameters) -> Keys:
    """Decodes the code at `keysPointer()`. Raises `Fault` for another hash than `keysHash`, or keys that §5 refuses."""
    require(code[:1] == b"\0", "the code of the keys does not begin with a zero byte")
    encoded = code[1:]
    require(keccak(encoded) == parameters.digests["keysHash"], "the hash of the keys is not keysHash")
    words = Words(encoded, "keys")
    count, rest = divmod(len(encoded) // WORD_BYTES - SHARED_WORDS, KIND_WORDS)
    most = len(PRESETS[parameters.numbers["coordinateBits"]][1])
    if rest or not 1 <= count <= most:
        raise Unreadable(f"keys of {len(encoded)} bytes are not those of 1 to {most} kinds")
    require(max(parameters.chunk_kinds) < count, "a chunk's kind has no key")
    alpha, beta, tau = read_g1(words), read_g2(words, negated=True), read_g2(words)
    kinds = [
        KindKey(
            read_g2(words, negated=True), read_g2(words, negated=True), [read_g1(words) for _ in range(PUBLIC_BASES)]
        )
        for _ in range(count)
    ]
    keys = Keys(alpha, beta, tau, kinds)
    _refuse_degenerate(keys)
    return keys


def _refuse_degenerate(keys: Keys) -> None:
    second = [keys.beta, keys.tau, *(point for kind in keys.kinds for point in (kind.delta, kind.sigma))]
    first = [keys.alpha, *(base for kind in keys.kinds for base in kind.bases)]
    require(not any(is_infinity(point) for point in first), "a key of G1 is infinity")
    require(not any(is_infinity(point) for point in second), "a key of G2 is infinity")
    signless = [_up_to_sign(point) for point in [GENERATOR2, *second]]
    require(len(set(signless)) == len(signless), "two keys of G2 are equal up to sign, or one is ±G₂")
    require(affine(keys.alpha)[0] != 1, "alpha is ±G")
    for kind in keys.kinds:
        require(
            len({affine(base)[0] for base in kind.bases}) == PUBLIC_BASES,
            "two public bases of a kind are equal up to sign",
        )


def _up_to_sign(point: G2) -> tuple[int, int, int, int]:
    x0, x1, y0, y1 = affine2(point)
    opposite = -y0 % BASE_FIELD_ORDER, -y1 % BASE_FIELD_ORDER
    return (x0, x1, *min((y0, y1), opposite))
