"""Files of a published directory, from blocks that anybody may serve: each is hashed before it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..errors import ContentError
from .cid import Cid
from .node import Directory, File, Leaf, decode_node

GetBlock = Callable[[Cid], bytes]
"""Delivers a block, unchecked. :raises ContentError: if it cannot"""

LARGEST_BLOCK = 2 << 20
_DEEPEST = 6


def read_directory_file(root: Cid, name: str, get: GetBlock, most_bytes: int) -> bytes:
    """The content of one entry of a published directory.

    :raises ContentError: if a block is missing, has other bytes than its CID names, or the file is longer than allowed
    """
    directory = decode_node(root, _verified(root, get))
    if not isinstance(directory, Directory):
        raise ContentError(f"{root} is no directory")
    for link in directory.links:
        if link.name == name:
            return b"".join(_content(link.cid, get, _Budget(most_bytes), 0))
    raise ContentError(f"{root} has no entry {name}")


class _Budget:
    def __init__(self, most_bytes: int) -> None:
        self.left = most_bytes


def _content(cid: Cid, get: GetBlock, budget: _Budget, depth: int, claimed: int | None = None) -> Iterator[bytes]:
    node = decode_node(cid, _verified(cid, get))
    if isinstance(node, Leaf):
        budget.left -= len(node.content)
        if budget.left < 0:
            raise ContentError(f"the file with block {cid} is longer than allowed")
        if claimed not in (None, len(node.content)):
            raise ContentError(f"block {cid} has {len(node.content)} bytes, and its parent claims {claimed}")
        yield node.content
        return
    if not isinstance(node, File) or depth >= _DEEPEST:
        raise ContentError(f"block {cid} is no part of a file")
    if claimed not in (None, sum(node.sizes)):
        raise ContentError(f"block {cid} has {sum(node.sizes)} bytes, and its parent claims {claimed}")
    if sum(node.sizes) > budget.left:
        raise ContentError(f"the file with block {cid} is longer than allowed")
    for link, size in zip(node.links, node.sizes, strict=True):
        yield from _content(link.cid, get, budget, depth + 1, size)


def _verified(cid: Cid, get: GetBlock) -> bytes:
    block = get(cid)
    if len(block) > LARGEST_BLOCK:
        raise ContentError(f"block {cid} has {len(block)} bytes, more than {LARGEST_BLOCK}")
    if not cid.names(block):
        raise ContentError(f"block {cid} has other bytes than its CID names")
    return block
