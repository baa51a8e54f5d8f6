"""From logs to events (§6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from verisum_auditor.events import (
    Aborted,
    ChunksProven,
    ClientLeft,
    ClientRegistered,
    Event,
    Finalised,
    MemberRegistered,
    Release,
    RoundOpened,
    Settled,
    Submitted,
    expect,
    pair,
    read_chunks,
    read_list,
    read_offsets,
)
from verisum_auditor.faults import Unreadable
from verisum_auditor.words import Words, keccak


@dataclass(frozen=True)
class Log:
    """One log of the contract: its topics of 32 bytes and its data."""

    topics: Sequence[bytes]
    data: bytes


_PROOF = "((uint256,uint256),(uint256,uint256),uint256[4],(uint256,uint256),uint256,uint256)[]"


def _round_opened(topics: Words, data: Words) -> Event:
    event = RoundOpened(topics.uint(64), data.uint(32), data.bytes32(), data.bytes32())
    data.uint(64)
    data.uint(32)
    return event


def _submitted(topics: Words, data: Words) -> Event:
    round_, client = topics.uint(64), topics.address()
    index, weight = data.uint(8), data.uint(16)
    data.offset(96)
    start = data.position
    base, commitment, shares_cid = data.uint(32), pair(data), data.bytes32()
    hashes_at, chunks_at, evaluations_at = read_offsets(data, start, 3)
    opening = pair(data)
    expect(data, hashes_at, "shareHashes")
    share_hashes = read_list(data)
    expect(data, chunks_at, "chunks")
    chunks = read_chunks(data)
    expect(data, evaluations_at, "shareEvaluations")
    evaluations = [int.from_bytes(value, "big") for value in read_list(data)]
    return Submitted(
        round_, client, index, weight, base, commitment, shares_cid, opening, share_hashes, chunks, evaluations
    )


def _chunks_proven(topics: Words, data: Words) -> Event:
    round_, client = topics.uint(64), topics.address()
    for _ in range(6):
        data.bytes32()
    count = data.uint()
    for _ in range(4):
        data.bytes32()
    (chunks_at,) = read_offsets(data, 0, 1)
    expect(data, chunks_at, "chunks")
    return ChunksProven(round_, client, count, read_chunks(data))


def _settled(topics: Words, data: Words) -> Event:
    settlement, intake = data.bytes32(), data.bytes32()
    return Settled(topics.uint(64), settlement, intake, data.uint(), data.uint(32), data.uint(32), pair(data))


def _finalised(topics: Words, data: Words) -> Event:
    settlement = data.bytes32()
    aggregate_cid, aggregate_digest, model_cid, model_digest = (data.bytes32() for _ in range(4))
    evaluation, opening = data.uint(), pair(data)
    (releases_at,) = read_offsets(data, 0, 1)
    signers = data.uint(32)
    (signatures_at,) = read_offsets(data, 0, 1)
    expect(data, releases_at, "releases")
    count = data.uint()
    if count > data.left:
        raise Unreadable(f"a list of {count} releases")
    releases = [Release(data.uint(8), data.bytes32(), pair(data)) for _ in range(count)]
    expect(data, signatures_at, "signatures")
    count = data.uint()
    if count > data.left:
        raise Unreadable(f"a list of {count} signatures")
    signatures = [pair(data) for _ in range(count)]
    return Finalised(
        topics.uint(64),
        settlement,
        aggregate_cid,
        aggregate_digest,
        model_cid,
        model_digest,
        evaluation,
        opening,
        signers,
        releases,
        signatures,
    )


def _aborted(topics: Words, data: Words) -> Event:
    data.uint(8)
    return Aborted(topics.uint(64))


def _member_registered(topics: Words, data: Words) -> Event:
    return MemberRegistered(topics.uint(8), topics.address(), data.uint(64))


def _client_registered(topics: Words, data: Words) -> Event:
    return ClientRegistered(topics.address(), data.uint(16), data.uint(64))


def _client_left(topics: Words, data: Words) -> Event:
    return ClientLeft(topics.address(), data.uint(64))


SIGNATURES: dict[str, Callable[[Words, Words], Event]] = {
    "RoundOpened(uint64,uint32,bytes32,bytes32,uint64,uint32)": _round_opened,
    f"Submitted(uint64,address,uint8,uint16,(uint32,(uint256,uint256),bytes32,bytes32[],{_PROOF},uint256[],(uint256,uint256)))": _submitted,
    "ChunksProven(uint64,address,(uint32,(uint256,uint256),bytes32,bytes32,bytes32),(uint256,bytes32,uint256,uint256,uint256),"
    f"{_PROOF})": _chunks_proven,
    "Settled(uint64,bytes32,bytes32,uint256,uint32,uint32,(uint256,uint256))": _settled,
    "Finalised(uint64,bytes32,(bytes32,bytes32,bytes32,bytes32),uint256,(uint256,uint256),(uint8,bytes32,bytes32[2])[],uint32,bytes32[2][])": _finalised,
    "Aborted(uint64,uint8)": _aborted,
    "MemberRegistered(uint8,address,uint64)": _member_registered,
    "ClientRegistered(address,uint16,uint64)": _client_registered,
    "ClientLeft(address,uint64)": _client_left,
}
"""The events of an audit, by signature."""

DECODERS = {keccak(signature.encode("ascii")): (signature, decoder) for signature, decoder in SIGNATURES.items()}


def decode_log(log: Log) -> Event | None:
    """A log's event; None for one of no use to an audit. Raises `Unreadable` where its data are not of the event's type."""
    signature, decoder = DECODERS.get(log.topics[0] if log.topics else b"", (None, None))
    if signature is None or decoder is None:
        return None
    name = signature.partition("(")[0]
    topics, data = Words(b"".join(log.topics[1:]), name), Words(log.data, name)
    event = decoder(topics, data)
    topics.end()
    data.end()
    return event
