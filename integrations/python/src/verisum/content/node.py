"""Blocks as UnixFS nodes: leaves, files that are links alone, and flat directories. Nothing else is published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ContentError
from .cid import RAW, Cid, decode_cid
from .protobuf import bytes_field, fields, number_field

_DIRECTORY = 1
_FILE = 2


@dataclass(frozen=True)
class Link:
    """A child of a node."""

    cid: Cid
    name: str
    total_bytes: int
    """Blocks of the child and of all below it, together."""


@dataclass(frozen=True)
class Leaf:
    content: bytes


@dataclass(frozen=True)
class File:
    links: tuple[Link, ...]
    sizes: tuple[int, ...]
    """Bytes of the file below each link."""


@dataclass(frozen=True)
class Directory:
    links: tuple[Link, ...]


Node = Leaf | File | Directory


def encode_file(links: Sequence[Link], sizes: Sequence[int]) -> bytes:
    data = number_field(1, _FILE) + number_field(3, sum(sizes)) + b"".join(number_field(4, size) for size in sizes)
    return _encode(links, data)


def encode_directory(links: Sequence[Link]) -> bytes:
    return _encode(sorted(links, key=lambda link: link.name.encode()), number_field(1, _DIRECTORY))


def _encode(links: Sequence[Link], data: bytes) -> bytes:
    encoded = (
        bytes_field(1, link.cid.encode()) + bytes_field(2, link.name.encode()) + number_field(3, link.total_bytes)
        for link in links
    )
    return b"".join(bytes_field(2, link) for link in encoded) + bytes_field(1, data)


def decode_node(cid: Cid, block: bytes) -> Node:
    """A block whose CID was checked.

    :raises ContentError: for what is not written exactly as this project writes it
    """
    if cid.codec == RAW:
        return Leaf(block)
    links: list[Link] = []
    data = b""
    for number, value in fields(block):
        if not isinstance(value, bytes) or number not in (1, 2):
            raise ContentError(f"block {cid} is no dag-pb node")
        if number == 2:
            links.append(_decode_link(cid, value))
        else:
            data = value
    node = _decode_unixfs(cid, tuple(links), data)
    again = encode_file(node.links, node.sizes) if isinstance(node, File) else encode_directory(node.links)
    if again != block:
        raise ContentError(f"block {cid} is not written as it is published here")
    return node


def _decode_link(cid: Cid, data: bytes) -> Link:
    found = dict(fields(data))
    target, name, total = found.get(1), found.get(2), found.get(3)
    if not isinstance(target, bytes) or not isinstance(name, bytes) or not isinstance(total, int):
        raise ContentError(f"block {cid} has a malformed link")
    try:
        return Link(decode_cid(target), name.decode("utf-8"), total)
    except UnicodeDecodeError as cause:
        raise ContentError(f"block {cid} has a link whose name is no text") from cause


def _decode_unixfs(cid: Cid, links: tuple[Link, ...], data: bytes) -> File | Directory:
    sizes: list[int] = []
    kind: int | bytes | None = None
    for number, value in fields(data):
        if number == 1:
            kind = value
        elif number == 4 and isinstance(value, int):
            sizes.append(value)
    if kind == _FILE and links and len(links) == len(sizes) and 0 not in sizes:
        return File(links, tuple(sizes))
    if kind == _DIRECTORY:
        names = [link.name for link in links]
        if len(set(names)) < len(names) or any(name in ("", ".", "..") or "/" in name for name in names):
            raise ContentError(f"block {cid} is a directory whose names are empty, repeated or paths")
        return Directory(links)
    raise ContentError(f"block {cid} is neither a file nor a flat directory")
