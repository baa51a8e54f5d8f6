"""Published files, by the CID of their directory (§11)."""

from __future__ import annotations

from base64 import b32decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from verisum_auditor.cid import DAG_PB, cid_text, directory_digest
from verisum_auditor.faults import Fault, Missing


class Content(Protocol):
    """Where directories come from. What it gives has to be compared with the CID by whoever uses it."""

    def directory(self, digest: bytes) -> Mapping[str, bytes]:
        """The files of a directory that could be had, by name."""

    def digests(self) -> Sequence[bytes]:
        """The directories that can be compared with their CIDs as wholes; none where every block was compared already."""


class Folder:
    """Content that lies in a folder, as `<CID>/<file>`."""

    def __init__(self, path: Path, missing: frozenset[str] = frozenset()) -> None:
        self._path = path
        self._missing = missing

    def directory(self, digest: bytes) -> Mapping[str, bytes]:
        """The files of a directory that are there."""
        name = cid_text(digest)
        folder = self._path / name
        if not folder.is_dir():
            return {}
        files = sorted(file for file in folder.iterdir() if f"{name}/{file.name}" not in self._missing)
        return {file.name: file.read_bytes() for file in files}

    def digests(self) -> list[bytes]:
        """The directories that are there and not empty, by their digests."""
        away = {file.partition("/")[0] for file in self._missing}
        folders = [folder for folder in self._path.iterdir() if folder.is_dir() and any(folder.iterdir())]
        names = sorted(folder.name for folder in folders if folder.name not in away)
        decoded = [b32decode(name[1:].upper() + "=" * (-(len(name) - 1) % 8)) for name in names]
        return [cid[len(DAG_PB) :] for cid in decoded if cid.startswith(DAG_PB)]


def check_directories(content: Content) -> str:
    """Compares all directories with their CIDs. Raises `Fault` for one that has something else in it.

    Directories with files that `missing` leaves out are left out themselves.
    """
    digests = content.digests()
    for digest in digests:
        if directory_digest(content.directory(digest)) != digest:
            raise Fault(f"what lies at {cid_text(digest)} is not what the CID names")
    return f"{len(digests)} directories are what their CIDs name"


def only_file(content: Content, digest: bytes, name: str) -> bytes:
    """The one file of a directory, compared with the CID. Raises `Missing` where nobody has it, `Fault` where something else lies there."""
    files = content.directory(digest)
    if name not in files:
        raise Missing(f"nobody has {cid_text(digest)}/{name}")
    if directory_digest({name: files[name]}) != digest:
        raise Fault(f"what lies at {cid_text(digest)}/{name} is not what the CID names")
    return files[name]
