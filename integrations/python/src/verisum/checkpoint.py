"""Models that tasks publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from os import PathLike
from pathlib import Path
from stat import S_ISREG
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .content.build import directory_cid
from .content.cid import parse_cid
from .content.read import GetBlock, read_directory_file
from .content.sources import car_blocks, gateway_blocks
from .errors import ContentError, TrainerError
from .preprocessing import Preprocessing
from .round import Weights
from .tensors import read_safetensors

_FORMAT = "verisum-checkpoint-2"
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
    """float32, by name, in the task's order, each of the shape that `topology.json` says."""

    @property
    def round(self) -> int:
        """The round that made it; 0 for the model that the task began with."""
        return int(self.config["round"])

    @property
    def preprocessing(self) -> Preprocessing | None:
        """How stored values become inputs; None where the task does not say so, or has a table (`table`)."""
        said = self.config["inputs"]["preprocessing"]
        return None if said is None else Preprocessing.of(said)

    @property
    def table(self) -> Mapping[str, Any] | None:
        """Of a task on tables: columns in the order of the inputs, categories, missing values, scaling."""
        table: Mapping[str, Any] | None = self.config["inputs"]["table"]
        return table

    @property
    def class_names(self) -> Sequence[str] | None:
        """In the order of the model's scores; None where the task names none."""
        outputs = self.config["outputs"]
        if outputs is not None and outputs["kind"] == "classes":
            return None if outputs["names"] is None else tuple(outputs["names"])
        named = self.config["inputs"]["preprocessing"] or self.config["inputs"]["table"]
        classes = None if named is None else named.get("classes")
        return None if classes is None else tuple(classes)

    @property
    def layers(self) -> Sequence[Mapping[str, Any]] | None:
        """First to last, each with its `kind`, its options and its `tensors`; None for a model of your own."""
        layers: Sequence[Mapping[str, Any]] | None = self.config["layers"]
        return layers

    @property
    def metrics(self) -> Mapping[str, float] | None:
        """What the aggregator says of the model, on its own data; nobody checked it."""
        metrics: Mapping[str, float] | None = self.config["metrics"]
        return metrics


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
        config = json.loads(config_json, object_pairs_hook=_once_each)
        topology = json.loads(topology_json, object_pairs_hook=_once_each)
        found, _ = read_safetensors(safetensors)
        named = _tensors_of(topology["tensors"], found)
        checkpoint = Checkpoint(cid=cid, config=config, model=topology["model"], tensors=named)
        _read_once(checkpoint)
    except (ValueError, KeyError, TypeError, RecursionError, TrainerError) as cause:
        raise ContentError(f"{source} holds no checkpoint: {cause!r}") from cause
    return checkpoint


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Of two equal keys one reader keeps the first and another the last.

    :raises ContentError: naming the key that is there twice
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ContentError(f"the checkpoint's JSON has the key {twice} twice in one object")
    return found


def _tensors_of(stated: Sequence[Mapping[str, Any]], found: Mapping[str, NDArray[Any]]) -> Weights:
    """:raises ContentError: naming the tensor that is missing, not stated, or of another shape or type"""
    tensors: Weights = {}
    for entry in stated:
        name, shape = str(entry["name"]), tuple(entry["shape"])
        if name not in found:
            raise ContentError(f"model.safetensors lacks the tensor {name}, which topology.json states")
        tensor = found[name]
        if tensor.dtype != np.float32:
            raise ContentError(f"tensor {name} is {tensor.dtype} in model.safetensors, and checkpoints are float32")
        if tensor.shape != shape:
            raise ContentError(f"tensor {name} has the shape {tensor.shape}, and topology.json states {shape}")
        if not np.isfinite(tensor).all():
            raise ContentError(f"tensor {name} is not finite")
        tensors[name] = tensor
    strangers = [name for name in found if name not in tensors]
    if strangers:
        raise ContentError(f"model.safetensors has the tensor {strangers[0]}, which topology.json does not state")
    return tensors


def _read_once(checkpoint: Checkpoint) -> None:
    """What somebody wrote wrong is found now, and not when it is used.

    :raises ContentError: for layers that name tensors that the checkpoint lacks; what malformed JSON raises
    """
    if checkpoint.config["format"] != _FORMAT:
        raise ContentError(f"config.json has the format {checkpoint.config['format']}, and {_FORMAT} is read")
    _ = (checkpoint.round, checkpoint.preprocessing, checkpoint.table, checkpoint.class_names, checkpoint.metrics)
    outputs, names = checkpoint.config["outputs"], checkpoint.class_names
    if names is not None and len(set(names)) < len(names):
        raise ContentError("config.json gives two classes the same name")
    if outputs is not None and outputs["kind"] == "classes" and names is not None and len(names) != outputs["count"]:
        raise ContentError(f"config.json has {outputs['count']} classes, and names {len(names)}")
    layers = checkpoint.layers
    if layers is None:
        return
    named = [name for layer in layers for name in layer["tensors"]]
    for named_one, stated in zip_longest(named, checkpoint.tensors):
        if named_one != stated:
            raise ContentError(f"the layers of config.json name the tensor {named_one} where topology.json has {stated}")


def _reader(source: str, cid: str | None) -> Callable[[str, int], bytes]:
    """Reads one file of at most so many bytes."""
    if not source.startswith(("http://", "https://")):
        path = Path(source)
        if path.is_dir():
            return _folder_reader(path, cid)
        try:
            data = _ordinary(path)
        except OSError as cause:
            raise ContentError(f"{source} cannot be read: {cause}") from cause
        return _block_reader(source, cid, car_blocks(data))
    return _block_reader(source, cid, gateway_blocks(source))


def _block_reader(source: str, cid: str | None, get: GetBlock) -> Callable[[str, int], bytes]:
    if cid is None:
        raise ContentError(f"what {source} delivers is checked against a CID: name the checkpoint's")
    root = parse_cid(cid)
    return lambda name, most_bytes: read_directory_file(root, name, get, most_bytes)


def _ordinary(path: Path) -> bytes:
    """:raises ContentError: for a pipe, which would not end, a device, or a file that is too long; OSError as reading does"""
    status = path.stat()
    if not S_ISREG(status.st_mode):
        raise ContentError(f"{path} is no ordinary file")
    most = _LARGEST_JSON if path.suffix == ".json" else _LARGEST_MODEL
    if status.st_size > most:
        raise ContentError(f"{path} has {status.st_size} bytes, and {most} are the most that is read")
    return path.read_bytes()


def _folder_reader(folder: Path, cid: str | None) -> Callable[[str, int], bytes]:
    try:
        if cid is None:
            files = {name: _ordinary(folder / name) for name in _FILES}
        else:
            files = {entry.name: _ordinary(entry) for entry in folder.iterdir()}
            found = directory_cid(files)
            if found != parse_cid(cid):
                raise ContentError(f"the files in {folder} have the CID {found}, and not {cid}")
        absent = [name for name in _FILES if name not in files]
        if absent:
            raise ContentError(f"{folder} holds no checkpoint: it lacks {', '.join(absent)}")
        return lambda name, _: files[name]
    except OSError as cause:
        raise ContentError(f"{folder} holds no checkpoint: {cause}") from cause
