"""A contract's parameters and the layout of its vectors (§4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from verisum_auditor.faults import Unreadable
from verisum_auditor.words import WORD_BYTES, Words

BYTES32 = 0
"""In `FIELDS`, the width of a field that is 32 bytes and no integer."""

FIELDS: Sequence[tuple[str, int]] = (
    ("taskCid", BYTES32),
    ("genesisCid", BYTES32),
    ("genesisDigest", BYTES32),
    ("keysHash", BYTES32),
    ("coordinateBits", 8),
    ("dimension", 32),
    ("normBoundSquared", 64),
    ("committeeSize", 8),
    ("threshold", 8),
    ("quorum", 8),
    ("minClients", 16),
    ("minHonest", 16),
    ("maxCorrupt", 16),
    ("uniformWeights", 1),
    ("maxWeight", 16),
    ("bufferGoal", 16),
    ("maxStaleness", 8),
    ("minSeparation", 16),
    ("minCollectSeconds", 32),
    ("openRegistration", 1),
    ("bondWei", 96),
    ("maxRefusals", 8),
    ("keyWindowSeconds", 32),
    ("collectSeconds", 32),
    ("attestSeconds", 32),
    ("aggregateSeconds", 32),
    ("maxRounds", 32),
    ("maxRoundsPerClient", 16),
    ("privacyCostPerRound", 64),
    ("privacyBudget", 64),
)
"""The fields before `chunkKinds`, in order, with their bits."""

SLOTS_PER_ELEMENT = 12
MASKS_PER_CHUNK = 3
MAX_CHUNKS = 1200
MAX_COMMITTEE = 32

PRESETS: dict[int, tuple[str, Sequence[int]]] = {
    8: ("tiny", (588, 2472)),
    12: ("standard", (2676, 10212, 55416)),
}
"""By `coordinateBits`: a preset's name, and the coordinates of its kinds of chunks."""


@dataclass(frozen=True)
class Chunk:
    """A chunk's kind, where it begins, and how long it is."""

    kind: int
    first_coordinate: int
    first_element: int
    coordinates: int

    @property
    def packed(self) -> int:
        """Its elements without the masks."""
        return self.coordinates // SLOTS_PER_ELEMENT

    @property
    def elements(self) -> int:
        """Its elements with the masks."""
        return self.packed + MASKS_PER_CHUNK


@dataclass(frozen=True)
class Parameters:
    """What `parameters()` says. `digests` and `numbers` are by the names of `FIELDS`."""

    digests: dict[str, bytes]
    numbers: dict[str, int]
    chunk_kinds: bytes
    preset: str
    chunks: Sequence[Chunk]

    @property
    def element_count(self) -> int:
        """`M`, the elements of a vector."""
        return self.chunks[-1].first_element + self.chunks[-1].elements


def read_parameters(answer: bytes) -> Parameters:
    """Decodes the answer of `parameters()`. Raises `Unreadable` where it is none, or its layout breaks a rule of §4."""
    words = Words(answer, "parameters()")
    words.offset(WORD_BYTES)
    digests: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    for name, bits in FIELDS:
        if bits == BYTES32:
            digests[name] = words.bytes32()
        else:
            numbers[name] = words.uint(bits)
    words.offset((len(FIELDS) + 1) * WORD_BYTES)
    count = words.uint()
    padded = words.rest()
    kinds = padded[:count]
    if len(padded) != -(-count // WORD_BYTES) * WORD_BYTES or any(padded[count:]):
        raise Unreadable("parameters(): chunkKinds is not padded with zeros to whole words")
    preset, chunks = _layout(numbers["coordinateBits"], numbers["dimension"], kinds)
    if not 1 <= numbers["threshold"] <= numbers["committeeSize"] <= MAX_COMMITTEE:
        raise Unreadable("parameters(): threshold and committeeSize do not fit each other")
    return Parameters(digests, numbers, kinds, preset, chunks)


def _layout(coordinate_bits: int, dimension: int, kinds: bytes) -> tuple[str, list[Chunk]]:
    if coordinate_bits not in PRESETS:
        raise Unreadable(f"no preset has coordinateBits {coordinate_bits}")
    preset, sizes = PRESETS[coordinate_bits]
    if not 1 <= len(kinds) <= MAX_CHUNKS:
        raise Unreadable(f"{len(kinds)} chunks")
    if any(kind >= len(sizes) for kind in kinds):
        raise Unreadable(f"a chunk's kind is none of the preset {preset}")
    if list(kinds) != sorted(kinds, reverse=True):
        raise Unreadable("kinds of chunks ascend")
    lengths = [sizes[kind] for kind in kinds]
    if not sum(lengths[:-1]) < dimension <= sum(lengths):
        raise Unreadable(f"{dimension} coordinates do not fit the chunks")
    coordinates = [0, *accumulate(lengths)]
    elements = [0, *accumulate(length // SLOTS_PER_ELEMENT + MASKS_PER_CHUNK for length in lengths)]
    chunks = [Chunk(kind, c, e, n) for kind, c, e, n in zip(kinds, coordinates, elements, lengths)]
    return preset, chunks
