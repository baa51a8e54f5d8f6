"""The rules that make the next model, on the published examples."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import VECTORS, load

from verisum_auditor.document import Document, read_quantisation, read_server
from verisum_auditor.model import Model, next_model

CASES: list[dict[str, Any]] = load(VECTORS / "next-models.json")


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_next_models(case: dict[str, Any]) -> None:
    step = case["step"]
    quantisation = {"stepBits": step["stepBits"], "clipSteps": 0}
    if "adaptiveClip" in step:
        quantisation["adaptive"] = step["adaptiveClip"]
    document = Document("", None, read_quantisation(quantisation), read_server(step), private=False)
    before, after = (Model(case[key]["weights"], case[key]["kept"]) for key in ("before", "after"))
    assert next_model(before, case["sums"], case["totalWeight"], document) == after
