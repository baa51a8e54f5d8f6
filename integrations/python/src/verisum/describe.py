"""What a task's document says of a model that only its trainers know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from .errors import TrainerError
from .round import OptionValue, Training
from .tensors import TRAINABLE_TYPES, as_array, digest_of, type_name


def describe(
    tensors: Mapping[str, Any],
    *,
    frozen: Collection[str] = (),
    bind: bool = False,
    options: Mapping[str, OptionValue] | None = None,
    initial: str | PathLike[str] | None = None,
) -> dict[str, Any]:
    """The `model` of a task's document, from a model's arrays by name, such as PyTorch's `model.state_dict()`.

    Tensors of integers and truth values, such as the counters of BatchNorm, are listed as frozen.

    :param frozen: names of further tensors that are not trained
    :param bind: puts a digest of each tensor that `frozen` names into the task, which `check_frozen` holds trainers to
    :param options: what every trainer is told in every round
    :param initial: writes the arrays to this safetensors file, for `create-task --initial` and for trainers that need
        the values of what is frozen
    :raises TrainerError: naming a tensor of another floating point type, a name in `frozen` that is no tensor, or a
        tensor with a side of zero
    """
    arrays = {name: as_array(name, value) for name, value in tensors.items()}
    for name in frozen:
        if name not in arrays:
            raise TrainerError(f"frozen names {name}, which is no tensor of the model")
    trainable = [name for name, array in arrays.items() if name not in frozen and _is_trained(name, array)]
    if not trainable:
        raise TrainerError("the model has no tensor that is trained")
    for name, array in arrays.items():
        if 0 in array.shape:
            raise TrainerError(f"tensor {name} has the shape {array.shape}: a side is at least 1")
    if initial is not None:
        Path(initial).parent.mkdir(parents=True, exist_ok=True)
        Path(initial).write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
    return {
        "kind": "external",
        "parameters": [
            {
                "name": name,
                "shape": list(array.shape),
                **({"sha256": digest_of(array)} if bind and name in frozen else {}),
            }
            for name, array in arrays.items()
        ],
        **({} if len(trainable) == len(arrays) else {"trainable": trainable}),
        **({} if not options else {"options": dict(options)}),
    }


def _is_trained(name: str, array: np.ndarray[Any, Any]) -> bool:
    if array.dtype in TRAINABLE_TYPES:
        return True
    if array.dtype.kind in "iub":
        return False
    raise TrainerError(
        f"tensor {name} is {type_name(array)}: only float32 and float64 are trained, convert it or list it in frozen"
    )


def task(
    name: str,
    model: Mapping[str, Any],
    *,
    clip_norm: float,
    step_bits: int = 10,
    rounds: int = 5,
    description: str = "",
    training: Training = Training(learning_rate=0.01, momentum=0.9, batch_size=32, local_epochs=1),
    privacy: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A task's specification for `create-task`: plain averaging, and a committee of four of whom any three go on.

    :param model: from `describe`
    :param clip_norm: the length to which an update is shortened, in units of the weights
    :param step_bits: updates are rounded to multiples of 2**-step_bits; no coordinate is beyond 2,047 of them
    :param privacy: of the document's `training`, such as `{"unit": "client", "noiseMultiplier": 1, "delta": 1e-5}`
    """
    return {
        "document": {
            "name": name,
            "description": description,
            "preset": "standard",
            "model": dict(model),
            "training": {
                "learningRate": training.learning_rate,
                "momentum": training.momentum,
                "batchSize": training.batch_size,
                "localEpochs": training.local_epochs,
                **({} if privacy is None else {"privacy": dict(privacy)}),
            },
            "quantisation": {"stepBits": step_bits, "clipSteps": max(1, round(clip_norm * 2**step_bits))},
            "server": {
                "fractionalBits": 20,
                "learningRate": {"numerator": 1, "denominatorBits": 0},
                "momentum": {"numerator": 0, "denominatorBits": 0},
            },
        },
        "committee": {"size": 4, "threshold": 2, "quorum": 3},
        "clients": {"min": 3, "minHonest": 2, "maxCorrupt": 1, "openRegistration": False},
        "windowSeconds": {"key": 10, "collect": 120, "attest": 30, "aggregate": 60},
        "maxRounds": rounds,
    }
