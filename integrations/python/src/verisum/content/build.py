"""The CID of a directory of files, by the profile unixfs-v1-2025: leaves of 1 MiB, 1024 links in a node."""

from __future__ import annotations

from collections.abc import Mapping

from .cid import DAG_PB, RAW, Cid, cid_of
from .node import Link, encode_directory, encode_file

_CHUNK_BYTES = 1 << 20
_MOST_LINKS = 1024


def directory_cid(files: Mapping[str, bytes]) -> Cid:
    """:param files: contents by name"""
    return cid_of(DAG_PB, encode_directory([_file_link(name, content) for name, content in files.items()]))


def _file_link(name: str, content: bytes) -> Link:
    chunks = [content[at : at + _CHUNK_BYTES] for at in range(0, len(content), _CHUNK_BYTES)] or [b""]
    level = [(Link(cid_of(RAW, chunk), "", len(chunk)), len(chunk)) for chunk in chunks]
    while len(level) > 1:
        level = [_parent(level[at : at + _MOST_LINKS]) for at in range(0, len(level), _MOST_LINKS)]
    link, _ = level[0]
    return Link(link.cid, name, link.total_bytes)


def _parent(children: list[tuple[Link, int]]) -> tuple[Link, int]:
    links = [link for link, _ in children]
    sizes = [size for _, size in children]
    block = encode_file(links, sizes)
    total = len(block) + sum(link.total_bytes for link in links)
    return Link(cid_of(DAG_PB, block), "", total), sum(sizes)
