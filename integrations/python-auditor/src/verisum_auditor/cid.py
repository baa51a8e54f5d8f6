"""CIDs of directories in the profile unixfs-v1-2025 (§11)."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PIECE_BYTES = 1_048_576
MOST_LINKS = 1_024
MOST_DIRECTORY_BYTES = 262_144
RAW = b"\x01\x55\x12\x20"
DAG_PB = b"\x01\x70\x12\x20"


@dataclass(frozen=True)
class Link:
    """A block as a link names it: its CID's 36 bytes, its total size, and how many bytes of a file are under it."""

    cid: bytes
    total: int
    file_bytes: int


def cid_text(digest: bytes) -> str:
    """The text of a directory's CID from its digest of 32 bytes."""
    return "b" + b32encode(DAG_PB + digest).decode("ascii").lower().rstrip("=")


def directory_digest(files: Mapping[str, bytes]) -> bytes:
    """The digest of the directory with these files, 32 bytes. Raises `ValueError` for a directory that the profile does not have."""
    if len(files) > MOST_LINKS:
        raise ValueError(f"{len(files)} files in a directory")
    entries = sorted((name.encode("utf-8"), data) for name, data in files.items())
    links = b"".join(_link(_file(data), name) for name, data in entries)
    block = links + _field(1, b"\x08\x01")
    if len(block) > MOST_DIRECTORY_BYTES:
        raise ValueError(f"a directory's block of {len(block)} bytes")
    return hashlib.sha256(block).digest()


def _file(data: bytes) -> Link:
    pieces = [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)] or [b""]
    level = [Link(RAW + hashlib.sha256(piece).digest(), len(piece), len(piece)) for piece in pieces]
    while len(level) > 1:
        level = [_node(level[at : at + MOST_LINKS]) for at in range(0, len(level), MOST_LINKS)]
    return level[0]


def _node(children: Iterable[Link]) -> Link:
    children = list(children)
    file_bytes = sum(child.file_bytes for child in children)
    sizes = b"".join(b"\x20" + varint(child.file_bytes) for child in children)
    data = b"\x08\x02" + b"\x18" + varint(file_bytes) + sizes
    block = b"".join(_link(child, b"") for child in children) + _field(1, data)
    total = len(block) + sum(child.total for child in children)
    return Link(DAG_PB + hashlib.sha256(block).digest(), total, file_bytes)


def _link(link: Link, name: bytes) -> bytes:
    return _field(2, _field(1, link.cid) + _field(2, name) + b"\x18" + varint(link.total))


def _field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Protobuf's variable-length encoding of an integer."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
