"""Where blocks come from: a trustless gateway, or a CAR file. Neither is believed."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator

from ..errors import ContentError
from .cid import CID_BYTES, Cid, decode_cid
from .protobuf import decode_varint
from .read import LARGEST_BLOCK, GetBlock

_TIMEOUT_SECONDS = 30


def gateway_blocks(url: str) -> GetBlock:
    """Blocks from `URL/ipfs/CID?format=raw`, such as an aggregator's gateway at http://127.0.0.1:7700."""
    base = url.rstrip("/")

    def get(cid: Cid) -> bytes:
        request = urllib.request.Request(
            f"{base}/ipfs/{cid}?format=raw", headers={"accept": "application/vnd.ipld.raw"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
                block: bytes = response.read(LARGEST_BLOCK + 1)
                return block
        except (urllib.error.URLError, OSError, ValueError) as cause:
            raise ContentError(f"{base} does not deliver block {cid}: {cause}") from cause

    return get


def car_blocks(data: bytes) -> GetBlock:
    """Blocks of a CAR file, version 1. Its header names roots, which nobody here asks for.

    :raises ContentError: if the file is malformed
    """
    held = dict(_sections(data))

    def get(cid: Cid) -> bytes:
        if cid not in held:
            raise ContentError(f"the CAR file lacks block {cid}")
        return held[cid]

    return get


def _sections(data: bytes) -> Iterator[tuple[Cid, bytes]]:
    length, at = decode_varint(data, 0)
    at += length
    while at < len(data):
        length, at = decode_varint(data, at)
        if length < CID_BYTES or at + length > len(data):
            raise ContentError("the CAR file ends inside a block")
        yield decode_cid(data[at : at + CID_BYTES]), data[at + CID_BYTES : at + length]
        at += length
