"""A round as a trainer sees it, and what it may answer."""

from __future__ import annotations

import enum
import json
import math
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import TrainerError

Weights: TypeAlias = dict[str, NDArray[np.float32]]
"""Arrays by the names that the task gives them."""

_TRAINER, _EVALUATOR = _FORMATS = ("verisum-trainer-1", "verisum-evaluator-1")

OptionValue: TypeAlias = str | int | float | bool


class _SitOut(enum.Enum):
    SIT_OUT = "sit-out"


SIT_OUT = _SitOut.SIT_OUT
"""Returned by a training function that takes no part in this round. Where a task protects whole clients, decide it
without looking at the data: everybody sees who sat out."""


@dataclass(frozen=True)
class Difference:
    """What training added to the weights, in place of the trained weights."""

    tensors: Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One tensor of the model. A frozen one is in no checkpoint and no update: every trainer has it already."""

    name: str
    shape: tuple[int, ...]
    trained: bool = True
    sha256: str | None = None
    """Of a frozen one whose values the task binds: what `digest_of` gives of them."""


@dataclass(frozen=True)
class Training:
    """What the task's document says of training. A trainer of your own may do otherwise: nobody sees it."""

    learning_rate: float
    momentum: float
    batch_size: int
    local_epochs: int


@dataclass(frozen=True)
class Round:
    """One round of a task."""

    number: int
    base: str
    """Digest of the model that training starts from, in hexadecimal."""
    parameters: tuple[Parameter, ...]
    """All tensors in the task's order, frozen ones included."""
    training: Training
    options: Mapping[str, OptionValue]
    """What the task's document tells its trainers."""
    evaluates: bool = False
    """True where the model is to be measured and not trained."""
    ends: float = math.inf
    """When training must have ended, by `time.monotonic()`."""
    _stop: threading.Event = field(default_factory=threading.Event, repr=False, compare=False)

    @property
    def seconds_left(self) -> float:
        """Seconds until the training is ended from outside; infinite where nothing ends it."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def stopping(self) -> bool:
        """True once the time is over or nobody waits for the update any more."""
        return self._stop.is_set() or self.seconds_left == 0

    def stop(self) -> None:
        """Tells the training function that nobody waits for it."""
        self._stop.set()

    def progress(self, **numbers: float) -> None:
        """Shows numbers such as `loss=0.3` in the client's output. They stay on this machine."""
        print(progress_line(numbers), flush=True)


Result: TypeAlias = Mapping[str, Any] | Difference | _SitOut
"""Trained weights by name, or what training added to them, or word that this client sits the round out."""

Fit: TypeAlias = Callable[[Weights, Round], Result]
"""A training function: from the base's weights (copies, writable) to a result."""

Evaluate: TypeAlias = Callable[[Weights, Round], Mapping[str, float]]
"""Measures a model: finite numbers by any names, such as `{"auc": 0.91}`. They stay on this machine."""


def progress_line(numbers: Mapping[str, float]) -> str:
    """One line of JSON. Values that are no finite numbers are left out, since the client would drop them."""
    return json.dumps({name: float(value) for name, value in numbers.items() if math.isfinite(float(value))})


def parse_round(config: object, metadata: Mapping[str, str], now: float) -> Round:
    """Reads `config.json` beside the metadata of `base.safetensors`.

    :param now: what `time.monotonic()` says
    :raises TrainerError: if the two disagree, or are of a format that this package does not know
    """
    if not isinstance(config, dict) or config.get("format") not in _FORMATS:
        found = config.get("format") if isinstance(config, dict) else None
        raise TrainerError(f"config.json has the format {found!r}, and this package knows {' and '.join(_FORMATS)}")
    try:
        training = config["training"]
        left = config["secondsLeft"]
        round = Round(
            number=int(config["round"]),
            base=str(config["base"]),
            parameters=tuple(
                Parameter(
                    str(entry["name"]),
                    tuple(int(side) for side in entry["shape"]),
                    bool(entry["trained"]),
                    None if entry.get("sha256") is None else str(entry["sha256"]),
                )
                for entry in config["parameters"]
            ),
            training=Training(
                learning_rate=float(training["learningRate"]),
                momentum=float(training["momentum"]),
                batch_size=int(training["batchSize"]),
                local_epochs=int(training["localEpochs"]),
            ),
            options=dict(config["options"]),
            evaluates=config["format"] == _EVALUATOR,
            ends=math.inf if left is None else now + float(left),
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise TrainerError(f"config.json is malformed: {cause!r}") from cause
    if metadata.get("round") != config["round"] or metadata.get("base") != round.base:
        raise TrainerError(
            f"base.safetensors is of round {metadata.get('round')} from {metadata.get('base')}, "
            f"and config.json of round {config['round']} from {round.base}"
        )
    return round


_said: set[str] = set()


def say_once(text: str) -> None:
    """A line for people in the round's log (standard error), once in this process."""
    if text not in _said:
        _said.add(text)
        print(f"verisum: {text}", file=sys.stderr, flush=True)
