"""The aggregate, published or from releases, and the sums in it (§9)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from verisum_auditor.cid import cid_text
from verisum_auditor.content import Content, only_file
from verisum_auditor.events import Finalised
from verisum_auditor.faults import Fault, Missing, require
from verisum_auditor.parameters import SLOTS_PER_ELEMENT, Parameters
from verisum_auditor.words import FIELD_ORDER, WORD_BYTES, evaluate, leaf_digest, read_elements, word

SLOT_BITS = 21
OFFSET = sum(1 << (SLOT_BITS - 1 + SLOT_BITS * slot) for slot in range(SLOTS_PER_ELEMENT))
"""`2^20` in every slot."""

AGGREGATE_FILE = "aggregate.bin"
RELEASE_FILE = "share-sum.bin"


def find_aggregate(content: Content, result: Finalised, point: int, parameters: Parameters) -> tuple[list[int], str]:
    """The check `aggregate`: the `M` elements, and where they are from. Raises `Fault`."""
    count = parameters.element_count
    if AGGREGATE_FILE not in content.directory(result.aggregate_cid):
        return _from_releases(content, result, point, parameters)
    data = only_file(content, result.aggregate_cid, AGGREGATE_FILE)
    _check_aggregate(data, result, point, count)
    return read_elements(data, count), f"{count} elements at {cid_text(result.aggregate_cid)} open the sum"


def _check_aggregate(data: bytes, result: Finalised, point: int, count: int) -> None:
    elements = read_elements(data, count)
    require(leaf_digest("aggregate", data) == result.aggregate_digest, "the aggregate has not aggregateDigest")
    require(evaluate(elements, point) == result.evaluation, "the aggregate has another value at z' than y'")


def _from_releases(content: Content, result: Finalised, point: int, parameters: Parameters) -> tuple[list[int], str]:
    count = parameters.element_count
    sums: dict[int, list[int]] = {}
    for release in result.releases:
        try:
            sums[release.seat] = read_elements(only_file(content, release.cid, RELEASE_FILE), count)
        except Fault:
            continue
    for seats in combinations(sorted(sums), parameters.numbers["threshold"]):
        elements = interpolate({seat: sums[seat] for seat in seats})
        try:
            _check_aggregate(b"".join(map(word, elements)), result, point, count)
        except Fault:
            continue
        return elements, f"{count} elements from the releases of seats {', '.join(map(str, seats))} open the sum"
    raise Missing(f"nobody has {cid_text(result.aggregate_cid)}/{AGGREGATE_FILE}, and no releases give it")


def interpolate(shares: dict[int, list[int]]) -> list[int]:
    """The values at 0 of the polynomials through the shares, by seat, element by element (Shamir, over the field of order `r`)."""
    coefficients = {seat: lagrange(seat, list(shares)) for seat in shares}
    columns = zip(*([coefficients[seat] * value for value in values] for seat, values in shares.items()))
    return [sum(column) % FIELD_ORDER for column in columns]


def lagrange(seat: int, seats: Sequence[int]) -> int:
    """`λ_j = Π k/(k − j) mod r` over the other seats `k`."""
    result = 1
    for other in seats:
        if other != seat:
            result = result * other * pow(other - seat, -1, FIELD_ORDER) % FIELD_ORDER
    return result


def decode_sums(elements: Sequence[int], parameters: Parameters) -> list[int]:
    """The `d` signed sums in an aggregate. Raises `Fault` for an element that is no sum of slots."""
    sums: list[int] = []
    for chunk in parameters.chunks:
        for element in elements[chunk.first_element : chunk.first_element + chunk.packed]:
            signed = element if element <= (FIELD_ORDER - 1) // 2 else element - FIELD_ORDER
            shifted = signed + OFFSET
            require(
                0 <= shifted < 1 << (SLOT_BITS * SLOTS_PER_ELEMENT), "an element of the aggregate is no sum of slots"
            )
            sums += [
                (shifted >> (SLOT_BITS * slot)) % (1 << SLOT_BITS) - (1 << (SLOT_BITS - 1))
                for slot in range(SLOTS_PER_ELEMENT)
            ]
    return sums[: parameters.numbers["dimension"]]


def aggregate_bytes(elements: Sequence[int]) -> bytes:
    """`aggregate.bin`."""
    data = b"".join(map(word, elements))
    assert len(data) == WORD_BYTES * len(elements)
    return data
