"""The published vector, read once."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from verisum_auditor import audit, submission

VECTORS = Path(__file__).resolve().parents[3] / "test" / "vectors"
ROUND = VECTORS / "round"


def load(path: Path) -> Any:
    """A JSON file of the vectors."""
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def original() -> dict[str, Any]:
    """`chain.json`, which no test changes."""
    chain: dict[str, Any] = load(ROUND / "chain.json")
    return chain


@pytest.fixture()
def chain(original: dict[str, Any]) -> dict[str, Any]:
    """A copy of `chain.json` that a test may change."""
    return copy.deepcopy(original)


@pytest.fixture(scope="session", autouse=True)
def submissions_once() -> Iterator[None]:
    """Checks the same submissions once: most tests change something else, and pairings take seconds."""
    check: Callable[..., list[str]] = submission.check_submissions
    known: dict[str, list[str]] = {}

    def once(*arguments: object) -> list[str]:
        key = repr(arguments)
        if key not in known:
            known[key] = check(*arguments)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "check_submissions", once)
        yield
