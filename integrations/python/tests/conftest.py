"""A round's files, as the client writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from verisum.round import Parameter, Round, Training

BASE = "0x" + "ab" * 32
WEIGHTS = {
    "hidden.weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    "hidden.bias": np.array([0.5, -1.0], dtype=np.float32),
}
PARAMETERS = (
    Parameter("hidden.weight", (3, 2)),
    Parameter("hidden.bias", (2,)),
)


def make_config(parameters: Sequence[Parameter] = PARAMETERS, **changes: Any) -> dict[str, Any]:
    return {
        "format": "verisum-trainer-1",
        "round": "7",
        "base": BASE,
        "deadline": None,
        "secondsLeft": None,
        "training": {"learningRate": 0.1, "momentum": 0, "batchSize": 8, "localEpochs": 2},
        "parameters": [{"name": p.name, "shape": list(p.shape), "trained": p.trained} for p in parameters],
        "options": {"lr": 0.01},
        **changes,
    }


def base_bytes(weights: Mapping[str, Any] = WEIGHTS, **metadata: str) -> bytes:
    return save(dict(weights), {"round": "7", "base": BASE, **metadata})


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a round's folder; what is given changes config.json."""

    def make(**changes: Any) -> Path:
        folder = tmp_path / "round"
        folder.mkdir()
        (folder / "base.safetensors").write_bytes(base_bytes())
        (folder / "config.json").write_text(json.dumps(make_config(**changes)))
        return folder

    return make


@pytest.fixture
def make_round() -> Callable[..., Round]:
    def make(parameters: Sequence[Parameter] = PARAMETERS, options: Mapping[str, Any] | None = None) -> Round:
        return Round(7, BASE, tuple(parameters), Training(0.1, 0.0, 8, 2), options or {})

    return make
