"""A contract's events, decoded (§6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verisum_auditor.curve import G1, G2, read_g1, read_g2
from verisum_auditor.faults import Unreadable
from verisum_auditor.words import WORD_BYTES, Words


@dataclass(frozen=True)
class ChunkProof:
    """What a submission has for one chunk. Points are read when they are checked (`proof_points`), so a wrong one is the submission's fault."""

    d: bytes
    proof: bytes
    y: int
    h: int

    def points(self) -> tuple[G1, G1, G2, G1]:
        """`D`, `A`, `B` and `C_π`. Raises `Unreadable` for what is no point."""
        d = read_g1(Words(self.d, "D"))
        words = Words(self.proof, "proof")
        return d, read_g1(words), read_g2(words), read_g1(words)


@dataclass(frozen=True)
class RoundOpened:
    """A round begins. `base_model` is the latest model's number."""

    round: int
    base_model: int
    base_cid: bytes
    base_digest: bytes


@dataclass(frozen=True)
class Submitted:
    """A submission; `base` is the number of the model that it starts from, `commitment` and `opening` are the two words of a point."""

    round: int
    client: bytes
    index: int
    weight: int
    base: int
    commitment: bytes
    shares_cid: bytes
    opening: bytes
    share_hashes: Sequence[bytes]
    chunks: Sequence[ChunkProof]
    evaluations: Sequence[int]


@dataclass(frozen=True)
class ChunksProven:
    """A step of a submission that takes several transactions."""

    round: int
    client: bytes
    count: int
    chunks: Sequence[ChunkProof]


@dataclass(frozen=True)
class Settled:
    """A round's set is fixed. `included` and `members` are sets of bits."""

    round: int
    settlement: bytes
    intake: bytes
    included: int
    members: int
    total_weight: int
    sum: bytes


@dataclass(frozen=True)
class Release:
    """Where a seat's sum of shares is, and its signature `(r, vs)`."""

    seat: int
    cid: bytes
    signature: bytes


@dataclass(frozen=True)
class Finalised:
    """A round's result, as it is signed."""

    round: int
    settlement: bytes
    aggregate_cid: bytes
    aggregate_digest: bytes
    model_cid: bytes
    model_digest: bytes
    evaluation: int
    opening: bytes
    signers: int
    releases: Sequence[Release]
    signatures: Sequence[bytes]


@dataclass(frozen=True)
class Aborted:
    """A round ends without a result."""

    round: int


@dataclass(frozen=True)
class MemberRegistered:
    """A seat's member from a round on."""

    seat: int
    member: bytes
    from_round: int


@dataclass(frozen=True)
class ClientRegistered:
    """A client's term begins."""

    client: bytes
    weight: int
    from_round: int


@dataclass(frozen=True)
class ClientLeft:
    """A client's last term ends."""

    client: bytes
    until_round: int


Event = (
    RoundOpened
    | Submitted
    | ChunksProven
    | Settled
    | Finalised
    | Aborted
    | MemberRegistered
    | ClientRegistered
    | ClientLeft
)


def pair(words: Words) -> bytes:
    """Two words as they are: a point of G1 or a signature."""
    return words.bytes32() + words.bytes32()


def read_chunks(words: Words) -> list[ChunkProof]:
    """A list of chunks, its number first."""
    count = words.uint()
    if count > words.left:
        raise Unreadable(f"a list of {count} chunks")
    return [_chunk(words) for _ in range(count)]


def _chunk(words: Words) -> ChunkProof:
    d = pair(words)
    proof = b"".join(words.bytes32() for _ in range(8))
    return ChunkProof(d, proof, words.uint(), words.uint())


def read_list(words: Words) -> list[bytes]:
    """A list of words, its number first."""
    count = words.uint()
    if count > words.left:
        raise Unreadable(f"a list of {count} words")
    return [words.bytes32() for _ in range(count)]


def read_offsets(words: Words, start: int, count: int) -> list[int]:
    """Offsets of dynamic parts, counted from the word `start`; the result is their places in words."""
    places = []
    for _ in range(count):
        offset = words.uint(64)
        if offset % WORD_BYTES:
            raise Unreadable(f"the offset {offset} is not of whole words")
        places.append(start + offset // WORD_BYTES)
    return places


def expect(words: Words, place: int, what: str) -> None:
    """Refuses a dynamic part that does not begin right behind the one before it."""
    if words.position != place:
        raise Unreadable(f"{what} begins at word {place} and not {words.position}")
