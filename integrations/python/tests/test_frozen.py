"""Frozen tensors that a task binds by digest."""

from __future__ import annotations

import numpy as np
import pytest

from verisum import Parameter, TrainerError, check_frozen, describe


def bound_round(make_round, tensors):
    model = describe(tensors, frozen=["body"], bind=True)
    parameters = tuple(
        Parameter(entry["name"], tuple(entry["shape"]), entry["name"] != "body", entry.get("sha256"))
        for entry in model["parameters"]
    )
    return model, make_round(parameters)


def test_binds_what_is_frozen_and_refuses_other_values_by_name(make_round):
    tensors = {"body": np.arange(6, dtype=np.float32).reshape(2, 3), "adapter": np.zeros(2, np.float32)}
    model, round = bound_round(make_round, tensors)
    digests = [entry.get("sha256") for entry in model["parameters"]]
    assert digests[0] is not None and len(digests[0]) == 64 and digests[1] is None
    check_frozen(tensors, round)
    # Rows count, not how they lie in memory.
    check_frozen({"body": np.asfortranarray(tensors["body"])}, round)
    with pytest.raises(TrainerError, match="body has other values"):
        check_frozen({"body": tensors["body"] + 1}, round)
    with pytest.raises(TrainerError, match="body has the shape"):
        check_frozen({"body": tensors["body"].T}, round)
    with pytest.raises(TrainerError, match="body, which is not there"):
        check_frozen({}, round)
