"""CIDs as Verisum publishes by them: version 1, SHA-256, raw or dag-pb, in base32."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from ..errors import ContentError

RAW = 0x55
DAG_PB = 0x70
CID_BYTES = 36
_VERSION = 1
_SHA2_256 = 0x12
_DIGEST_BYTES = 32
_LONGEST_SHOWN = 128


@dataclass(frozen=True)
class Cid:
    """The name of a block: how to read it, and its SHA-256."""

    codec: int
    digest: bytes

    def __str__(self) -> str:
        return "b" + base64.b32encode(self.encode()).decode().rstrip("=").lower()

    def encode(self) -> bytes:
        """The 36 bytes that stand in a link or a CAR."""
        return bytes((_VERSION, self.codec, _SHA2_256, _DIGEST_BYTES)) + self.digest

    def names(self, block: bytes) -> bool:
        """True if the block is the one that this CID names."""
        return hashlib.sha256(block).digest() == self.digest


def cid_of(codec: int, block: bytes) -> Cid:
    return Cid(codec, hashlib.sha256(block).digest())


def decode_cid(data: bytes) -> Cid:
    """:raises ContentError: for another version, codec or hash, and for leftover bytes"""
    if len(data) != CID_BYTES or data[0] != _VERSION or data[2] != _SHA2_256 or data[3] != _DIGEST_BYTES:
        raise ContentError(f"{data[:CID_BYTES].hex()} is no CID of version 1 with a SHA-256 digest")
    if data[1] not in (RAW, DAG_PB):
        raise ContentError(f"a CID has the codec {data[1]:#x}, and only raw and dag-pb are used here")
    return Cid(data[1], data[4:])


def parse_cid(text: str) -> Cid:
    """A CID from its text, in base32 as it is published.

    :raises ContentError: for any other text
    """
    body = text[1:]
    padded = body.upper() + "=" * (-len(body) % 8)
    try:
        cid = decode_cid(base64.b32decode(padded) if text.startswith("b") else b"")
    except (ValueError, ContentError) as cause:
        raise ContentError(f"{text[:_LONGEST_SHOWN]!r} is no CID of version 1 in base32") from cause
    if str(cid) != text:
        raise ContentError(f"{text[:_LONGEST_SHOWN]!r} is not the canonical text of its CID")
    return cid
