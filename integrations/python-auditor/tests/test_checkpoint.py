"""What a checkpoint may claim of its model."""

from __future__ import annotations

from typing import Any

import pytest

from verisum_auditor.checkpoint import read_metrics
from verisum_auditor.faults import Fault

CLASSES = {"accuracy": 0.5, "loss": 1, "samples": 8, "recall": [0.5, None]}
NUMBERS = {"rootMeanSquaredError": 1.5, "meanAbsoluteError": 1, "r2": None, "loss": 2, "samples": 8}


@pytest.mark.parametrize("claimed", [None, CLASSES, NUMBERS])
def test_metrics_are_taken(claimed: Any) -> None:
    assert read_metrics(claimed) == claimed


def test_metrics_are_put_in_order() -> None:
    assert list(read_metrics(dict(reversed(CLASSES.items())))) == list(CLASSES)


@pytest.mark.parametrize(
    "claimed",
    [
        [],
        {**CLASSES, "f1": 0.5},
        {**CLASSES, "r2": 0.5},
        {"accuracy": 0.5, "loss": 1},
        {**CLASSES, "accuracy": True},
        {**CLASSES, "loss": float("inf")},
        {**CLASSES, "loss": None},
        {**CLASSES, "samples": 1.5},
        {**CLASSES, "recall": [0.5] * 101},
        {**CLASSES, "recall": ["0.5"]},
    ],
)
def test_metrics_of_another_form_are_refused(claimed: Any) -> None:
    with pytest.raises(Fault):
        read_metrics(claimed)
