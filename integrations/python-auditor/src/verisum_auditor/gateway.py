"""Published files from trustless gateways: every block is compared with its CID (§3, §11)."""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from verisum_auditor.cid import DAG_PB, RAW
from verisum_auditor.faults import Missing, Unreadable
from verisum_auditor.transfer import Unanswered, fetch, shown

MOST_BLOCK_BYTES = 1_048_576
"""The longest block of the profile: a piece of a file."""
MOST_FILE_BYTES = (1 << 30) + (1 << 20)
"""A file of 1 GiB, and the blocks over its pieces. A short block counts as `LEAST_BLOCK_BYTES`, so that there cannot be too many."""
LEAST_BLOCK_BYTES = 256
MOST_LEVELS = 4
"""Blocks on the way from a file to a piece."""
CID_BYTES = 36

DIRECTORY, FILE = b"\x08\x01", b"\x08\x02"


@dataclass(frozen=True)
class Named:
    """A link of a block: what it is called there, and the CID's 36 bytes."""

    name: str
    cid: bytes


class Gateways:
    """Directories from gateways, the first one that has a block. The latest directory is kept: checks ask again for the same one."""

    def __init__(self, urls: Sequence[str], tell: Callable[[str], None]) -> None:
        self._urls = urls
        self._tell = tell
        self._latest: tuple[bytes, Mapping[str, bytes]] = (b"", {})
        self._left = 0

    def directory(self, digest: bytes) -> Mapping[str, bytes]:
        """The files of a directory that could be had. Raises `Unreadable` for a block that is none of the profile."""
        if self._latest[0] != digest:
            self._latest = digest, dict(self._read_directory(DAG_PB + digest))
        return self._latest[1]

    def digests(self) -> list[bytes]:
        """None: every block was compared already."""
        return []

    def _read_directory(self, cid: bytes) -> Iterator[tuple[str, bytes]]:
        self._left = MOST_FILE_BYTES
        try:
            links, data = read_node(self._block(cid))
        except Missing as fault:
            return self._tell(str(fault))
        if data != DIRECTORY:
            raise Unreadable(f"{text_of(cid)} is no directory")
        for link in links:
            self._left = MOST_FILE_BYTES
            try:
                yield link.name, b"".join(self._pieces(link.cid, MOST_LEVELS))
            except Missing as fault:
                self._tell(f"{link.name}: {fault}")

    def _pieces(self, cid: bytes, levels: int) -> Iterator[bytes]:
        block = self._block(cid)
        if cid.startswith(RAW):
            yield block
            return
        links, data = read_node(block)
        if not data.startswith(FILE) or levels == 0:
            raise Unreadable(f"{text_of(cid)} is no file")
        for link in links:
            yield from self._pieces(link.cid, levels - 1)

    def _block(self, cid: bytes) -> bytes:
        """A block with this CID. Raises `Missing` where no gateway gives it."""
        text, reasons = text_of(cid), []
        for url in self._urls:
            try:
                data = fetch(
                    f"{url}/ipfs/{text}?format=raw", MOST_BLOCK_BYTES, {"Accept": "application/vnd.ipld.raw"}
                )
            except Unanswered as fault:
                reasons.append(str(fault))
                continue
            if hashlib.sha256(data).digest() == cid[len(RAW) :]:
                self._left -= max(len(data), LEAST_BLOCK_BYTES)
                if self._left < 0:
                    raise Unreadable("a file of more than 1 GiB")
                return data
            reasons.append(f"{shown(url)}: {len(data)} bytes that have another digest")
        raise Missing(f"no gateway gives the block {text} ({'; '.join(reasons)})")


def text_of(cid: bytes) -> str:
    """The text of a CID from its 36 bytes."""
    return "b" + b32encode(cid).decode("ascii").lower().rstrip("=")


def read_node(block: bytes) -> tuple[list[Named], bytes]:
    """Links and data of a block in dag-pb: links first, then data, once (§11). Raises `Unreadable`."""
    links: list[Named] = []
    data: bytes | None = None
    for number, value in _fields(block):
        if number == 2 and data is None and isinstance(value, bytes):
            links.append(_read_link(value))
        elif number == 1 and data is None and isinstance(value, bytes):
            data = value
        else:
            raise Unreadable("a block has another field than links, and data behind them")
    if len({link.name for link in links if link.name}) != sum(bool(link.name) for link in links):
        raise Unreadable("a directory has a name twice")
    return links, data or b""


def _read_link(encoded: bytes) -> Named:
    fields = list(_fields(encoded))
    match fields:
        case [(1, bytes(cid)), (2, bytes(name)), (3, int())]:
            if len(cid) != CID_BYTES or not cid.startswith((RAW, DAG_PB)):
                raise Unreadable("a link's CID is none of the profile")
            return Named(_name(name), cid)
        case _:
            raise Unreadable("a link has other fields than CID, name and size")


def _name(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("a link's name is no UTF-8") from error


def _fields(encoded: bytes) -> Iterator[tuple[int, bytes | int]]:
    """The fields of a protobuf message: numbers, and bytes with their length before them."""
    at = 0
    while at < len(encoded):
        key, at = _varint(encoded, at)
        value, at = _varint(encoded, at)
        if key & 7 == 0:
            yield key >> 3, value
        elif key & 7 == 2 and at + value <= len(encoded):
            yield key >> 3, encoded[at : at + value]
            at += value
        else:
            raise Unreadable("a block is no protobuf of the profile")


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        if at + place >= len(encoded):
            break
        value |= (encoded[at + place] & 0x7F) << (7 * place)
        if encoded[at + place] < 0x80:
            return value, at + place + 1
    raise Unreadable("a block ends within a number")
