"""Words, hashes and leaf digests (§1, §2)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from Crypto.Hash import keccak as _keccak

from verisum_auditor.faults import Unreadable

FIELD_ORDER = 0x30644E72E131A029B85045B68181585D2833E84879B9709143E1F593F0000001
BASE_FIELD_ORDER = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47
WORD_BYTES = 32
DIGEST_LEAF_BYTES = 65536


def keccak(data: bytes) -> bytes:
    """Keccak-256 with the original padding: 32 bytes."""
    return _keccak.new(digest_bits=256, data=data).digest()


def word(value: int | bytes) -> bytes:
    """The word of an integer from 0 to 2^256 − 1, or of at most 32 bytes, filled up with zeros on the left."""
    if isinstance(value, int):
        return value.to_bytes(WORD_BYTES, "big")
    if len(value) > WORD_BYTES:
        raise ValueError(f"{len(value)} bytes are no word")
    return value.rjust(WORD_BYTES, b"\0")


def hash_words(*values: int | bytes) -> bytes:
    """`H(a, b, …)` of §1: Keccak-256 of the words one after the other."""
    return keccak(b"".join(word(value) for value in values))


def tag(label: str) -> bytes:
    """The tag of a label (§1)."""
    return keccak(f"verisum.v1.{label}".encode("ascii"))


def chain(links: Iterable[Sequence[int | bytes]]) -> bytes:
    """A hash chained from 0 (§2): each link's words behind the previous result."""
    result = bytes(WORD_BYTES)
    for link in links:
        result = hash_words(result, *link)
    return result


def reduced(digest: bytes) -> int:
    """A word `mod r`."""
    return int.from_bytes(digest, "big") % FIELD_ORDER


def leaf_digest(label: str, data: bytes) -> bytes:
    """The leaf digest of bytes under a label (§2)."""
    leaves = (
        hashlib.sha256(data[at : at + DIGEST_LEAF_BYTES]).digest() for at in range(0, len(data), DIGEST_LEAF_BYTES)
    )
    return keccak(tag(label) + word(len(data)) + b"".join(leaves))


def read_elements(data: bytes, count: int) -> list[int]:
    """A vector of `count` elements (§1). Raises `Unreadable` for another length or a word that is not below `r`."""
    if len(data) != WORD_BYTES * count:
        raise Unreadable(f"{len(data)} bytes instead of {WORD_BYTES * count}")
    elements = [int.from_bytes(data[at : at + WORD_BYTES], "big") for at in range(0, len(data), WORD_BYTES)]
    for place, element in enumerate(elements):
        if element >= FIELD_ORDER:
            raise Unreadable(f"element {place} is not below r")
    return elements


def evaluate(elements: Sequence[int], point: int) -> int:
    """`Σ_i a_i·point^i mod r`."""
    value = 0
    for element in reversed(elements):
        value = (value * point + element) % FIELD_ORDER
    return value


class Words:
    """Reads the words of ABI-encoded data one after the other, and refuses what does not fit its type.

    Offsets are read with `offset`, so that only the one encoding that Solidity's `abi.encode` gives is accepted.
    """

    def __init__(self, data: bytes, what: str) -> None:
        if len(data) % WORD_BYTES != 0:
            raise Unreadable(f"{what}: {len(data)} bytes are no whole words")
        self._data = data
        self._at = 0
        self._what = what

    @property
    def position(self) -> int:
        """The next word's place."""
        return self._at

    @property
    def left(self) -> int:
        """How many words are left."""
        return len(self._data) // WORD_BYTES - self._at

    def bytes32(self) -> bytes:
        """The next word as it is."""
        if self.left < 1:
            raise Unreadable(f"{self._what}: word {self._at} is missing")
        self._at += 1
        return self._data[(self._at - 1) * WORD_BYTES : self._at * WORD_BYTES]

    def uint(self, bits: int = 256) -> int:
        """The next word as an integer below `2^bits`."""
        value = int.from_bytes(self.bytes32(), "big")
        if value >> bits:
            raise Unreadable(f"{self._what}: word {self._at - 1} has more than {bits} bits")
        return value

    def element(self) -> int:
        """The next word as an integer below `r`."""
        value = self.uint()
        if value >= FIELD_ORDER:
            raise Unreadable(f"{self._what}: word {self._at - 1} is not below r")
        return value

    def address(self) -> bytes:
        """The next word as an address of 20 bytes."""
        return self.uint(160).to_bytes(20, "big")

    def offset(self, expected: int) -> None:
        """The next word, which has to be this offset in bytes."""
        if self.uint() != expected:
            raise Unreadable(f"{self._what}: word {self._at - 1} is not the offset {expected}")

    def rest(self) -> bytes:
        """All that is left."""
        rest = self._data[self._at * WORD_BYTES :]
        self._at = len(self._data) // WORD_BYTES
        return rest

    def end(self) -> None:
        """Refuses words behind the last one."""
        if self.left:
            raise Unreadable(f"{self._what}: {self.left} words too many")
