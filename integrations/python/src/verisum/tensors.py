"""Arrays by name: what is accepted as an update, and as bytes."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from .errors import TrainerError
from .round import Difference, Parameter, Round, Weights

TRAINABLE_TYPES = (np.dtype(np.float32), np.dtype(np.float64))
_LENGTH_BYTES = 8


def as_array(name: str, value: Any) -> NDArray[Any]:
    """A NumPy array of whatever holds numbers: an array, a list, a PyTorch tensor on any device, with gradient or not.

    :raises TrainerError: naming the tensor whose type NumPy lacks, such as bfloat16
    """
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        return np.asarray(value)
    except TypeError as cause:
        raise TrainerError(f"tensor {name} is {getattr(value, 'dtype', type(value))}: {cause}") from cause


def digest_of(array: NDArray[Any]) -> str:
    """SHA-256 of an array's values, little-endian, in rows: what a task binds a frozen tensor by."""
    return hashlib.sha256(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()).hexdigest()


def check_frozen(tensors: Mapping[str, Any], round: Round) -> None:
    """Holds a trainer's own frozen tensors to the task's: call it before training.

    :raises TrainerError: naming the tensor that is missing, or of other values or another shape than the task binds
    """
    for parameter in round.parameters:
        if parameter.trained or parameter.sha256 is None:
            continue
        name = parameter.name
        if name not in tensors:
            raise TrainerError(f"the task binds the frozen tensor {name}, which is not there")
        array = as_array(name, tensors[name])
        if array.shape != parameter.shape:
            raise TrainerError(f"the frozen tensor {name} has the shape {array.shape}, and the task's {parameter.shape}")
        if digest_of(array) != parameter.sha256:
            raise TrainerError(f"the frozen tensor {name} has other values than the task binds: take the same model")


def type_name(array: NDArray[Any]) -> str:
    return str(array.dtype)


def read_safetensors(data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Tensors in the file's order of names, and its metadata.

    :raises TrainerError: if it is no safetensors file
    """
    try:
        tensors = load(data)
        (length,) = struct.unpack("<Q", data[:_LENGTH_BYTES])
        header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    except Exception as cause:
        raise TrainerError(f"the file is not safetensors: {cause}") from cause
    metadata = header.get("__metadata__", {})
    return tensors, {str(key): str(value) for key, value in metadata.items()}


def base_weights(tensors: Mapping[str, NDArray[Any]], round: Round) -> Weights:
    """The round's trained tensors, in the task's order.

    :raises TrainerError: naming a tensor that is missing or of another shape
    """
    weights: Weights = {}
    for parameter in round.parameters:
        if not parameter.trained:
            continue
        if parameter.name not in tensors:
            raise TrainerError(f"base.safetensors lacks the tensor {parameter.name}")
        array = tensors[parameter.name]
        if array.shape != parameter.shape:
            raise TrainerError(f"base.safetensors has {parameter.name} of shape {array.shape}, not {parameter.shape}")
        weights[parameter.name] = np.array(array, dtype=np.float32)
    return weights


def encode_update(result: object, round: Round) -> bytes:
    """`update.safetensors` of a training function's result, checked as the client will check it.

    Frozen tensors may be among them, and are left out.

    :raises TrainerError: naming the tensor that is missing, unknown, or of another shape or type, or not finite
    """
    kind = "difference" if isinstance(result, Difference) else "weights"
    given = result.tensors if isinstance(result, Difference) else result
    if not isinstance(given, Mapping):
        raise TrainerError(
            f"a training function returns arrays by name, a Difference or SIT_OUT, not {type(given).__name__}"
        )
    known = {parameter.name: parameter for parameter in round.parameters}
    for name in given:
        if name not in known:
            raise TrainerError(f"the task has no tensor {name}: it has {_listed([*known])}")
    trained = [parameter for parameter in round.parameters if parameter.trained]
    missing = [parameter.name for parameter in trained if parameter.name not in given]
    if missing:
        raise TrainerError(f"the trained model lacks {_listed(missing)}")
    update = {
        parameter.name: checked(as_array(parameter.name, given[parameter.name]), parameter) for parameter in trained
    }
    return save(update, {"kind": kind, "round": str(round.number), "base": round.base})


def checked(array: NDArray[Any], parameter: Parameter) -> NDArray[Any]:
    """The array as it is, in C order.

    :raises TrainerError: if it is of another shape, not float32 or float64, or not finite
    """
    name = parameter.name
    if array.shape != parameter.shape:
        raise TrainerError(f"tensor {name} has the shape {array.shape}, and the task's has {parameter.shape}")
    if array.dtype not in TRAINABLE_TYPES:
        raise TrainerError(
            f"tensor {name} is {type_name(array)}: only float32 and float64 are trained, freeze it or convert it"
        )
    if not np.isfinite(array).all():
        index = int(np.flatnonzero(~np.isfinite(array))[0])
        raise TrainerError(f"value {index} of tensor {name} is not finite")
    return np.ascontiguousarray(array)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
