"""The next model, in exact integers (§10)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from verisum_auditor.document import Adaptive, Document, Dyadic, Server, ceil_sqrt
from verisum_auditor.faults import Unreadable, require

LIMIT = 2**31 - 1
MANTISSAS = (65536, 77936, 92682, 110218)
LEVEL_BITS = 16
"""A level counts in `2^−16` octaves."""


@dataclass(frozen=True)
class Model:
    """`d` weights (the last one the level of an adaptive clip norm), and as many numbers in each kept vector."""

    weights: list[int]
    kept: list[list[int]]


def read_model(data: bytes, dimension: int, kept: int) -> Model:
    """Decodes `state.bin`. Raises `Unreadable` for another length."""
    if len(data) != 4 * dimension * (1 + kept):
        raise Unreadable(f"state.bin has {len(data)} bytes and not {4 * dimension * (1 + kept)}")
    numbers = struct.unpack(f"<{dimension * (1 + kept)}i", data)
    vectors = [list(numbers[at : at + dimension]) for at in range(0, len(numbers), dimension)]
    return Model(vectors[0], vectors[1:])


def model_bytes(model: Model) -> bytes:
    """`state.bin`."""
    return b"".join(struct.pack(f"<{len(vector)}i", *vector) for vector in [model.weights, *model.kept])


def rounded(value: Fraction) -> int:
    """To nearest, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def next_model(base: Model, sums: Sequence[int], total_weight: int, document: Document) -> Model:
    """The model that follows from a base model, the sums and their weight. Raises `Fault` for a number outside of 32 bits."""
    adaptive = document.quantisation.adaptive
    shift = document.server.fractional_bits - document.quantisation.step_bits
    mantissa = 1
    if adaptive:
        octaves, mantissa = clip_level(base.weights[-1], adaptive)
        shift += octaves - LEVEL_BITS
    scale = Fraction(mantissa * 2 ** max(shift, 0), total_weight * 2 ** max(-shift, 0))
    count = len(base.weights) - (1 if adaptive else 0)
    rule = _fedadam if document.server.rule == "fedadam" else _fedavgm
    rows = [
        rule(base.weights[i], [vector[i] for vector in base.kept], sums[i] * scale, document.server)
        for i in range(count)
    ]
    if adaptive:
        rows.append([next_level(base.weights[-1], sums[-1], total_weight, adaptive), *(0 for _ in base.kept)])
    vectors = [list(column) for column in zip(*rows)]
    require(
        all(abs(number) <= LIMIT for vector in vectors for number in vector), "a number of the model leaves 32 bits"
    )
    return Model(vectors[0], vectors[1:])


def _fraction(value: Dyadic) -> Fraction:
    return Fraction(value.numerator, 2**value.bits)


def _fedavgm(weight: int, kept: Sequence[int], mean: Fraction, server: Server) -> list[int]:
    step = rounded(mean * _fraction(server.numbers["learningRate"]))
    momentum = rounded(_fraction(server.numbers["momentum"]) * kept[0])
    return [weight + step + momentum, step + momentum]


def _fedadam(weight: int, kept: Sequence[int], mean: Fraction, server: Server) -> list[int]:
    rate, beta1, beta2 = (_fraction(server.numbers[name]) for name in ("learningRate", "beta1", "beta2"))
    update = rounded(16 * mean)
    first = rounded(beta1 * kept[0] + (1 - beta1) * update)
    square = beta2 * kept[1] ** 2 + (1 - beta2) * update**2
    root = ceil_sqrt(-(-square.numerator // square.denominator))
    tau = 2 ** max(0, server.fractional_bits + 4 - server.tau_bits)
    return [weight + rounded(rate * 2**server.fractional_bits * first / (root + tau)), first, root]


def _limited(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


def clip_level(level: int, adaptive: Adaptive) -> tuple[int, int]:
    """`octaves` and `mantissa` of a level."""
    quarters = _limited(level, adaptive.max_octaves << LEVEL_BITS) >> (LEVEL_BITS - 2)
    return quarters // 4, MANTISSAS[quarters % 4]


def next_level(level: int, votes: int, total_weight: int, adaptive: Adaptive) -> int:
    """The level after a round in which the votes added up to `votes`."""
    limit = adaptive.max_octaves << LEVEL_BITS
    counted = _limited(level, limit)
    most = adaptive.vote_steps * total_weight
    total = _limited(votes, most)
    excess = ((total + most) << adaptive.quantile.bits) - 2 * most * adaptive.quantile.numerator
    denominator = 2 * most << (adaptive.quantile.bits + adaptive.octaves_per_round.bits)
    move = rounded(Fraction(-excess * (adaptive.octaves_per_round.numerator << LEVEL_BITS), denominator))
    return _limited(counted + move, limit)
