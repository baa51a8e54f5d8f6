"""Points of BN254 and equations of pairings (§1, §8)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from py_ecc import optimized_bn128 as bn

from verisum_auditor.faults import Unreadable
from verisum_auditor.words import BASE_FIELD_ORDER, FIELD_ORDER, Words

G1 = tuple[bn.FQ, bn.FQ, bn.FQ]
G2 = tuple[bn.FQ2, bn.FQ2, bn.FQ2]
AnyPoint = G1 | G2
Pair = tuple[G1, G2]
"""A pairing's arguments, `e(P, Q)`."""

GENERATOR: G1 = bn.G1
GENERATOR2: G2 = bn.G2
EXPONENT_BITS = 128


def read_g1(words: Words) -> G1:
    """A point of G1 of two words. Raises `Unreadable` if there is none with these coordinates."""
    x, y = _coordinate(words), _coordinate(words)
    if x == 0 and y == 0:
        return bn.Z1
    point = (bn.FQ(x), bn.FQ(y), bn.FQ(1))
    if not bn.is_on_curve(point, bn.b):
        raise Unreadable("a point is not on G1")
    return point


def read_g2(words: Words, negated: bool = False) -> G2:
    """A point of G2 of four words, the imaginary parts first; minus it where `negated`. Raises `Unreadable` outside the subgroup."""
    x1, x0, y1, y0 = (_coordinate(words) for _ in range(4))
    if x0 == x1 == y0 == y1 == 0:
        return bn.Z2
    point = (bn.FQ2([x0, x1]), bn.FQ2([y0, y1]), bn.FQ2.one())
    if not bn.is_on_curve(point, bn.b2):
        raise Unreadable("a point is not on the curve of G2")
    if not bn.is_inf(bn.multiply(point, FIELD_ORDER)):
        raise Unreadable("a point is not in the subgroup G2")
    return bn.neg(point) if negated else point


def _coordinate(words: Words) -> int:
    value = words.uint()
    if value >= BASE_FIELD_ORDER:
        raise Unreadable("a coordinate is not below p")
    return value


def is_infinity(point: AnyPoint) -> bool:
    """Whether the point is the group's neutral element."""
    return bool(point[2] == point[2].zero())


def affine(point: G1) -> tuple[int, int]:
    """The coordinates `(x, y)` of a point of G1; (0, 0) of infinity."""
    if is_infinity(point):
        return 0, 0
    x, y = bn.normalize(point)
    return int(x), int(y)


def affine2(point: G2) -> tuple[int, int, int, int]:
    """`x.c0, x.c1, y.c0, y.c1` of a point of G2 that is not infinity."""
    x, y = bn.normalize(point)
    return int(x.coeffs[0]), int(x.coeffs[1]), int(y.coeffs[0]), int(y.coeffs[1])


def combine(terms: Iterable[tuple[int, G1]]) -> G1:
    """`Σ k·P` of scalars and points."""
    total: G1 = bn.Z1
    for scalar, point in terms:
        total = bn.add(total, bn.multiply(point, scalar % FIELD_ORDER))
    return total


def negate(point: G1) -> G1:
    """`−P`."""
    return bn.neg(point)


@dataclass(frozen=True)
class Equation:
    """ "A product of pairings is 1"."""

    pairs: Sequence[Pair]


def opening_equation(commitment: G1, point: int, value: int, proof: G1, tau: G2) -> Equation:
    """`e(C − value·G + point·π, G₂) = e(π, tau)`: the commitment opens at the point to the value (KZG)."""
    left = combine([(1, commitment), (-value, GENERATOR), (point, proof)])
    return Equation([(left, GENERATOR2), (negate(proof), tau)])


def all_hold(equations: Sequence[Equation]) -> bool:
    """Whether all equations hold; if one does not, this is false but with probability `2^−128` (§8)."""
    if len(equations) == 1:
        return _product_is_one(equations[0].pairs)
    merged: dict[tuple[int, int, int, int], Pair] = {}
    for equation in equations:
        exponent = secrets.randbits(EXPONENT_BITS)
        for p, q in equation.pairs:
            key = affine2(q)
            total = merged[key][0] if key in merged else bn.Z1
            merged[key] = (bn.add(total, bn.multiply(p, exponent)), q)
    return _product_is_one(list(merged.values()))


def _product_is_one(pairs: Sequence[Pair]) -> bool:
    product = bn.FQ12.one()
    for p, q in pairs:
        product *= bn.pairing(q, p, final_exponentiate=False)
    return bool(bn.final_exponentiate(product) == bn.FQ12.one())
