"""Models that tasks publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from .content.build import directory_cid
from .content.cid import parse_cid
from .content.read import GetBlock, read_directory_file
from .content.sources import car_blocks, gateway_blocks
from .errors import ContentError, TrainerError
from .round import Weights
from .tensors import read_safetensors

_FILES = ("config.json", "topology.json", "model.safetensors")
_LARGEST_JSON = 32 << 20
_LARGEST_MODEL = 1 << 30


@dataclass(frozen=True)
class Checkpoint:
    """A published model: its tensors, and how to feed it and to read what it says."""

    cid: str | None
    """What the files were checked against; None where nobody said."""
    config: Mapping[str, Any]
    """`config.json`: where the model came from. Its `metrics` are the aggregator's word."""
    model: Mapping[str, Any]
    """The task's description of the model."""
    tensors: Weights
    """float32, by name, in the task's order."""

    @property
    def round(self) -> int:
        """The round that made it; 0 for the model that the task began with."""
        return int(self.config["round"])


def load(source: str | PathLike[str], cid: str | None = None) -> Checkpoint:
    """Loads a checkpoint.

    :param source: a folder, a CAR file, or a gateway's URL, such as http://127.0.0.1:7700
    :param cid: the checkpoint's CID, as the chain and `fl status` have it; a folder may go without, and is then believed
    :raises ContentError: if something is missing or malformed, or is not what the CID names
    """
    read = _reader(str(source), cid)
    config_json, topology_json, safetensors = (
        read(name, _LARGEST_MODEL if name == "model.safetensors" else _LARGEST_JSON) for name in _FILES
    )
    try:
        config = json.loads(config_json)
        topology = json.loads(topology_json)
        tensors, _ = read_safetensors(safetensors)
        named: Weights = {entry["name"]: tensors[entry["name"]] for entry in topology["tensors"]}
        model = topology["model"]
        # What `round` reads later.
        int(config["round"])
    except (ValueError, KeyError, TypeError, RecursionError, TrainerError) as cause:
        raise ContentError(f"{source} holds no checkpoint: {cause!r}") from cause
    return Checkpoint(cid=cid, config=config, model=model, tensors=named)


def _reader(source: str, cid: str | None) -> Callable[[str, int], bytes]:
    """Reads one file of at most so many bytes."""
    if not source.startswith(("http://", "https://")):
        path = Path(source)
        if path.is_dir():
            return _folder_reader(path, cid)
        try:
            data = path.read_bytes()
        except OSError as cause:
            raise ContentError(f"{source} cannot be read: {cause}") from cause
        return _block_reader(source, cid, car_blocks(data))
    return _block_reader(source, cid, gateway_blocks(source))


def _block_reader(source: str, cid: str | None, get: GetBlock) -> Callable[[str, int], bytes]:
    if cid is None:
        raise ContentError(f"what {source} delivers is checked against a CID: name the checkpoint's")
    root = parse_cid(cid)
    return lambda name, most_bytes: read_directory_file(root, name, get, most_bytes)


def _folder_reader(folder: Path, cid: str | None) -> Callable[[str, int], bytes]:
    try:
        if cid is None:
            files = {name: (folder / name).read_bytes() for name in _FILES}
        else:
            files = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
            found = directory_cid(files)
            if found != parse_cid(cid):
                raise ContentError(f"the files in {folder} have the CID {found}, and not {cid}")
        absent = [name for name in _FILES if name not in files]
        if absent:
            raise ContentError(f"{folder} holds no checkpoint: it lacks {', '.join(absent)}")
        return lambda name, _: files[name]
    except OSError as cause:
        raise ContentError(f"{folder} holds no checkpoint: {cause}") from cause
