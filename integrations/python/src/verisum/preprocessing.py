"""How stored values become a model's inputs, as a task states it for all of its clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import ContentError


@dataclass(frozen=True)
class Preprocessing:
    """Constants of a task on data that is no table."""

    divisor: float
    """Stored values are divided by it first: 255 for bytes."""
    mean: NDArray[np.float64] | None
    """Subtracted then; one number, or one for each column or channel. None with `features`."""
    std_dev: NDArray[np.float64] | None
    """What divides the difference; of the same form."""
    features: str | None
    """What is computed in place of scaling, such as `hog`: docs/data.md says how."""

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Preprocessing:
        """:raises KeyError, TypeError, ValueError: if it is malformed"""
        mean, std_dev = (None if said.get(key) is None else np.asarray(said[key], dtype=np.float64) for key in ("mean", "stdDev"))
        divisor = float(said["divisor"])
        if divisor <= 0 or (mean is None) != (std_dev is None) or (std_dev is not None and not (std_dev > 0).all()):
            raise ValueError(f"the preprocessing {dict(said)} is none")
        return cls(divisor=divisor, mean=mean, std_dev=std_dev, features=said.get("features"))

    def __call__(self, values: ArrayLike) -> NDArray[np.float32]:
        """Stored values, examples first, as the model takes them.

        :raises ContentError: if the task computes features, which this package does not
        """
        if self.features is not None:
            raise ContentError(f"the model takes {self.features} features of the values, which docs/data.md describes")
        quotients = np.asarray(values, dtype=np.float64) / self.divisor
        if self.mean is None or self.std_dev is None:
            return quotients.astype(np.float32)
        return ((quotients - self.mean) / self.std_dev).astype(np.float32)
