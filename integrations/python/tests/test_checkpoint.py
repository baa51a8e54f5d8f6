"""Checkpoints: how to feed them, and what a lying one is refused for."""

from __future__ import annotations

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save

from verisum import Checkpoint, ContentError, Preprocessing, load

FIXTURES = os.environ.get("VERISUM_PUBLISHED")
FASHION = Path("/usr/share/datasets/fashion-mnist")

published = pytest.mark.skipif(FIXTURES is None, reason="VERISUM_PUBLISHED names no folder with published checkpoints")


def scores_of(checkpoint: Checkpoint, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network of dense layers, as its config.json describes it."""
    assert checkpoint.layers is not None
    for layer in checkpoint.layers:
        if layer["kind"] == "flatten":
            values = values.reshape(len(values), -1)
            continue
        assert layer["kind"] == "dense"
        kernel, bias = (checkpoint.tensors[name] for name in layer["tensors"])
        values = values @ kernel + bias
        if "activation" in layer:
            values = {"relu": lambda x: np.maximum(x, 0), "tanh": np.tanh}[layer["activation"]](values)
    return values


def accuracy_of(checkpoint: Checkpoint, stored: NDArray[Any], labels: NDArray[Any]) -> float:
    assert checkpoint.preprocessing is not None
    return float(np.mean(scores_of(checkpoint, checkpoint.preprocessing(stored)).argmax(axis=1) == labels))


def from_fixtures(name: str) -> Checkpoint:
    folder = Path(FIXTURES or "") / name
    return load(folder, (folder.parent / f"{name}.txt").read_text().strip())


@published
def test_reproduces_the_reported_accuracy_of_the_digits_to_the_sample():
    checkpoint = from_fixtures("digits")
    with gzip.open(Path(os.environ["VERISUM_DIGITS"]), "rt") as file:
        rows = np.array([[int(cell) for cell in row] for row in csv.reader(file)])[::5]
    assert checkpoint.metrics is not None and len(rows) == checkpoint.metrics["samples"]
    assert accuracy_of(checkpoint, rows[:, :-1], rows[:, -1]) == checkpoint.metrics["accuracy"]
    assert checkpoint.class_names == tuple("0123456789")
    # Without the scaling that the task states it is another model's accuracy.
    raw = scores_of(checkpoint, rows[:, :-1].astype(np.float32)).argmax(axis=1)
    assert float(np.mean(raw == rows[:, -1])) != checkpoint.metrics["accuracy"]


@published
@pytest.mark.skipif(not FASHION.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_reproduces_the_reported_accuracy_of_fashion_mnist_to_the_sample():
    checkpoint = from_fixtures("fashion")
    images = np.frombuffer(gzip.open(FASHION / "t10k-images-idx3-ubyte.gz").read(), np.uint8, offset=16)
    labels = np.frombuffer(gzip.open(FASHION / "t10k-labels-idx1-ubyte.gz").read(), np.uint8, offset=8)
    assert checkpoint.metrics is not None and len(labels) == checkpoint.metrics["samples"]
    assert accuracy_of(checkpoint, images.reshape(-1, 28, 28, 1), labels) == checkpoint.metrics["accuracy"]
    assert checkpoint.class_names is not None and checkpoint.class_names[9] == "Ankle boot"


@published
def test_reads_a_table_that_is_answered_with_numbers(tmp_path):
    folder = Path(FIXTURES or "") / "digits"
    for entry in folder.iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    config = json.loads((tmp_path / "config.json").read_bytes())
    table = {"columns": [{"name": "age", "type": "number"}], "target": {"name": "days"}}
    inputs = {**config["inputs"], "preprocessing": None, "table": table}
    outputs = {"kind": "numbers", "count": 1}
    (tmp_path / "config.json").write_text(json.dumps({**config, "inputs": inputs, "outputs": outputs}))
    checkpoint = load(tmp_path)
    assert checkpoint.class_names is None
    assert checkpoint.table == table


@published
def test_refuses_a_checkpoint_that_lies_by_the_name_of_what_is_wrong(tmp_path):
    folder = Path(FIXTURES or "") / "digits"
    files = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
    tensors = load_tensors(files["model.safetensors"])
    kernel = "dense_1.kernel"

    def altered(name: str, content: bytes, complaint: str) -> None:
        for file, data in {**files, name: content}.items():
            (tmp_path / file).write_bytes(data)
        with pytest.raises(ContentError, match=complaint):
            load(tmp_path)

    def with_kernel(array: NDArray[Any]) -> bytes:
        return save({**tensors, kernel: np.ascontiguousarray(array)})

    altered("model.safetensors", with_kernel(tensors[kernel].T), r"dense_1.kernel has the shape \(32, 64\)")
    altered("model.safetensors", with_kernel(tensors[kernel].astype(np.float64)), "dense_1.kernel is float64")
    altered("model.safetensors", with_kernel(tensors[kernel] * np.nan), "dense_1.kernel is not finite")
    rest = {name: tensor for name, tensor in tensors.items() if name != kernel}
    altered("model.safetensors", save(rest), "lacks the tensor dense_1.kernel")
    altered("model.safetensors", save({**tensors, "more": tensors[kernel]}), "has the tensor more")

    config = json.loads(files["config.json"])

    def with_config(**parts: object) -> bytes:
        return json.dumps({**config, **parts}).encode()

    turned = [{**layer, "tensors": layer["tensors"][::-1]} for layer in config["layers"]]
    altered("config.json", with_config(layers=turned), "name the tensor dense_1.bias where topology.json has dense_1.kernel")
    altered("config.json", with_config(layers=config["layers"][:-1]), "name the tensor None where")
    altered("config.json", with_config(format="verisum-checkpoint-1"), "has the format verisum-checkpoint-1")
    for wrong in ({"divisor": 0}, {"stdDev": None}, {"stdDev": -1}, {"mean": "much"}):
        inputs = {**config["inputs"], "preprocessing": {**config["inputs"]["preprocessing"], **wrong}}
        altered("config.json", with_config(inputs=inputs), "holds no checkpoint")
    for names, complaint in ((["one"] * 10, "same name"), (["one", "two"], "has 10 classes, and names 2")):
        altered("config.json", with_config(outputs={**config["outputs"], "names": names}), complaint)


def test_refuses_json_that_two_readers_may_understand_differently(tmp_path):
    for name in ("config.json", "topology.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "topology.json").write_text('{"model": {"kind": "mlp"}, "model": {"kind": "cnn"}}')
    with pytest.raises(ContentError, match="the key model twice"):
        load(tmp_path)


def test_refuses_a_pipe_a_device_and_a_file_that_is_too_long_without_waiting(tmp_path):
    for name in ("config.json", "topology.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    os.mkfifo(tmp_path / "more")
    with pytest.raises(ContentError, match="more is no ordinary file"):
        load(tmp_path, "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi")
    with pytest.raises(ContentError, match="no ordinary file"):
        load("/dev/zero", "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi")
    (tmp_path / "config.json").unlink()
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ContentError, match="config.json is no ordinary file"):
        load(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").touch()
    os.truncate(tmp_path / "config.json", (32 << 20) + 1)
    with pytest.raises(ContentError, match="are the most that is read"):
        load(tmp_path)


def test_scales_by_one_constant_or_by_one_for_each_column_and_leaves_features_to_others():
    by_column = Preprocessing.of({"divisor": 2, "mean": [1, 0], "stdDev": [1, 4], "classes": ["a", "b"]})
    assert by_column([[4, 8], [2, 0]]).tolist() == [[1, 1], [0, 0]]
    assert Preprocessing.of({"divisor": 4, "classes": []})([2]).tolist() == [0.5]
    with pytest.raises(ContentError, match="hog features"):
        Preprocessing.of({"divisor": 255, "features": "hog", "classes": []})([[1]])
