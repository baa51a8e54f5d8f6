"""What is refused is refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import PARAMETERS, WEIGHTS, base_bytes

from verisum import Difference, Parameter, TrainerError, describe, task
from verisum.tensors import base_weights, encode_update, read_safetensors


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"hidden.bias": np.zeros(3, np.float32)}, r"hidden\.bias has the shape \(3,\)"),
        ({"hidden.bias": np.zeros(2, np.float16)}, r"hidden\.bias is float16"),
        ({"hidden.bias": np.zeros(2, np.int64)}, r"hidden\.bias is int64"),
        ({"hidden.bias": np.array([0, np.inf], np.float32)}, r"value 1 of tensor hidden\.bias is not finite"),
        ({"head": np.zeros(2, np.float32)}, "no tensor head"),
        ({"hidden.bias": None}, r"hidden\.bias"),
    ],
)
def test_refuses_an_update(changes, named, make_round):
    with pytest.raises(TrainerError, match=named):
        encode_update({**WEIGHTS, **changes}, make_round())
    with pytest.raises(TrainerError, match=named):
        encode_update(Difference({**WEIGHTS, **changes}), make_round())


def test_refuses_a_result_that_is_no_model(make_round):
    with pytest.raises(TrainerError, match="NoneType"):
        encode_update(None, make_round())
    with pytest.raises(TrainerError, match=r"lacks hidden\.bias"):
        encode_update({"hidden.weight": WEIGHTS["hidden.weight"]}, make_round())


def test_leaves_frozen_tensors_out_of_an_update(make_round):
    round = make_round([*PARAMETERS, Parameter("batches", (), trained=False)])
    tensors, _ = read_safetensors(encode_update({**WEIGHTS, "batches": np.array(3)}, round))
    assert sorted(tensors) == ["hidden.bias", "hidden.weight"]


def test_gives_the_base_in_the_tasks_order_as_copies(make_round):
    weights = base_weights(read_safetensors(base_bytes())[0], make_round())
    assert list(weights) == ["hidden.weight", "hidden.bias"]
    weights["hidden.bias"] += 1
    with pytest.raises(TrainerError, match=r"lacks the tensor hidden\.bias"):
        base_weights({"hidden.weight": WEIGHTS["hidden.weight"]}, make_round())


def test_takes_whatever_holds_numbers_as_pytorchs_tensors_do(make_round):
    class Tensor:
        """As much of a tensor on another device, with a gradient, as is asked for."""

        def detach(self):
            return self

        def cpu(self):
            return np.ones(2, np.float32)

    tensors, _ = read_safetensors(encode_update({**WEIGHTS, "hidden.bias": Tensor()}, make_round()))
    assert (tensors["hidden.bias"] == 1).all()


def test_refuses_what_is_no_safetensors_file():
    for data in (b"", b"not safetensors", base_bytes()[:-1]):
        with pytest.raises(TrainerError, match="not safetensors"):
            read_safetensors(data)


def test_describes_a_model_with_its_counters_as_frozen(tmp_path):
    model = {**WEIGHTS, "norm.num_batches_tracked": np.array(4), "embedding": np.zeros((9, 2), np.float16)}
    described = describe(model, frozen=["embedding"], options={"lr": 0.1}, initial=tmp_path / "first.safetensors")
    assert described == {
        "kind": "external",
        "parameters": [
            {"name": "hidden.weight", "shape": [3, 2]},
            {"name": "hidden.bias", "shape": [2]},
            {"name": "norm.num_batches_tracked", "shape": []},
            {"name": "embedding", "shape": [9, 2]},
        ],
        "trainable": ["hidden.weight", "hidden.bias"],
        "options": {"lr": 0.1},
    }
    written, _ = read_safetensors((tmp_path / "first.safetensors").read_bytes())
    assert written["norm.num_batches_tracked"] == 4 and written["embedding"].dtype == np.float16
    assert describe(WEIGHTS) == {"kind": "external", "parameters": described["parameters"][:2]}


def test_refuses_to_describe_what_would_silently_not_be_trained():
    with pytest.raises(TrainerError, match="half is float16"):
        describe({**WEIGHTS, "half": np.zeros(2, np.float16)})
    with pytest.raises(TrainerError, match="frozen names head"):
        describe(WEIGHTS, frozen=["head"])
    with pytest.raises(TrainerError, match="no tensor that is trained"):
        describe({"batches": np.array(1)})
    with pytest.raises(TrainerError, match=r"empty has the shape \(0,\)"):
        describe({**WEIGHTS, "empty": np.zeros(0, np.float32)})


def test_writes_a_tasks_specification_with_the_clip_norm_in_steps():
    specification = task("mine", describe(WEIGHTS), clip_norm=2.5, step_bits=8, rounds=3)
    document = specification["document"]
    assert document["quantisation"] == {"stepBits": 8, "clipSteps": 640}
    assert document["model"]["kind"] == "external" and specification["maxRounds"] == 3
    assert "privacy" not in document["training"]
    private = task("mine", describe(WEIGHTS), clip_norm=1, privacy={"unit": "client", "delta": 1e-5})
    assert private["document"]["training"]["privacy"] == {"unit": "client", "delta": 1e-5}
