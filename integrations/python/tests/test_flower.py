"""Flower apps take part as they are. Flower itself is needed for the apps that are called with messages."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import PARAMETERS, WEIGHTS, base_bytes, make_config

from verisum import Parameter, TrainerError, from_flower
from verisum.flower.__main__ import parse_config
from verisum.tensors import read_safetensors

COUNTED = [*PARAMETERS, Parameter("norm.num_batches_tracked", (), trained=False)]


class Client:
    """In the shape of a NumPyClient: lists of arrays, whose order is the model's."""

    def __init__(self) -> None:
        self.configs: list[dict[str, object]] = []

    def get_parameters(self, config):
        return [np.zeros((3, 2), np.float32), np.zeros(2, np.float32), np.array(5)]

    def fit(self, parameters, config):
        self.configs.append(config)
        self.seen = [array.dtype for array in parameters], int(parameters[-1].sum())
        return [array + 1 for array in parameters], 120, {"loss": 0.5, "note": "text", "converged": True}

    def evaluate(self, parameters, config):
        return 0.25, 30, {"accuracy": 0.75}


def test_trains_a_numpy_client_and_keeps_what_is_frozen(make_round, capsys):
    client = Client()
    trainer = from_flower(client)
    round = make_round(COUNTED, {"local_epochs": 3, "lr": 0.1})
    for _ in range(2):
        update = trainer(dict(WEIGHTS), round)
        assert sorted(update) == ["hidden.bias", "hidden.weight"]
        assert np.array_equal(update["hidden.bias"], WEIGHTS["hidden.bias"] + 1)
    assert client.seen == ([np.dtype(np.float32), np.dtype(np.float32), np.dtype(np.int64)], 5)
    assert client.configs[0] == {"server_round": 7, "local_epochs": 3, "lr": 0.1}
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ['{"num_examples": 120.0, "loss": 0.5}'] * 2
    assert shown.err.count("num_examples does not change how much this client counts") == 1
    assert shown.err.count("norm.num_batches_tracked is frozen in this task") == 1
    assert trainer.evaluate(dict(WEIGHTS), round) == {"loss": 0.25, "num_examples": 30, "accuracy": 0.75}


def test_names_frozen_tensors_whose_values_nobody_told(make_round):
    class Silent(Client):
        def get_parameters(self, config):
            raise NotImplementedError

    with pytest.raises(TrainerError, match=r"frozen tensors norm\.num_batches_tracked"):
        from_flower(Silent())(dict(WEIGHTS), make_round(COUNTED))
    given = {"norm.num_batches_tracked": np.array(9)}
    client = Silent()
    from_flower(client, frozen=given)(dict(WEIGHTS), make_round(COUNTED))
    assert client.seen[1] == 9
    with pytest.raises(TrainerError, match=r"norm\.num_batches_tracked has the shape \(1,\)"):
        from_flower(Silent(), frozen={"norm.num_batches_tracked": np.zeros(1)})(dict(WEIGHTS), make_round(COUNTED))


def test_refuses_an_app_whose_model_is_not_the_tasks(make_round):
    class Longer(Client):
        def fit(self, parameters, config):
            return [*parameters, np.array(1)], 1, {}

    with pytest.raises(TrainerError, match="returns 3 arrays, and the task has 2"):
        from_flower(Longer())(dict(WEIGHTS), make_round())
    with pytest.raises(TrainerError, match="int is no Flower client"):
        from_flower(3)


def test_reads_a_nodes_configuration_as_flower_writes_it():
    assert parse_config('partition-id=0 num-partitions=2 lr=0.5 on=true name="a" path=data/x.csv') == {
        "partition-id": 0,
        "num-partitions": 2,
        "lr": 0.5,
        "on": True,
        "name": "a",
        "path": "data/x.csv",
    }
    with pytest.raises(TrainerError, match="'partition'"):
        parse_config("partition 3")


LEGACY_APP = """
import numpy as np
from flwr.client import NumPyClient
from flwr.clientapp import ClientApp

class Client(NumPyClient):
    def __init__(self, partition):
        self.partition = partition
    def fit(self, parameters, config):
        return [array + self.partition + config["lr"] for array in parameters], 10, {"loss": 0.5}
    def evaluate(self, parameters, config):
        return 0.25, 10, {"accuracy": 0.75}

def client_fn(context):
    assert context.run_config == {"epochs": 2, "lr": 0.5}
    return Client(context.node_config["partition-id"]).to_client()

app = ClientApp(client_fn=client_fn)
"""
MESSAGE_APP = """
import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()

@app.train()
def train(msg: Message, context: Context):
    config = msg.content["config"]
    assert config["server-round"] == 7 and context.run_config == {"epochs": 2, "lr": 0.5}
    added = context.node_config["partition-id"] + config["lr"]
    arrays = {name: Array(array.numpy() + np.float32(added)) for name, array in msg.content["arrays"].items()}
    metrics = MetricRecord({"train_loss": 0.5, "num-examples": 10})
    return Message(RecordDict({"arrays": ArrayRecord(arrays), "metrics": metrics}), reply_to=msg)

@app.evaluate()
def evaluate(msg: Message, context: Context):
    metrics = MetricRecord({"eval_loss": 0.25, "eval_acc": 0.75, "num-examples": 10})
    return Message(RecordDict({"metrics": metrics}), reply_to=msg)
"""
PROJECT = """
[tool.flwr.app.components]
serverapp = "an_app.server_app:app"
clientapp = "an_app.client_app:app"

[tool.flwr.app.config]
epochs = 2
lr = 0.1
"""


@pytest.fixture
def flower_app(tmp_path: Path) -> Callable[[str], Path]:
    pytest.importorskip("flwr")

    def make(source: str) -> Path:
        folder = tmp_path / "app"
        (folder / "an_app").mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PROJECT)
        (folder / "an_app" / "__init__.py").touch()
        (folder / "an_app" / "client_app.py").write_text(textwrap.dedent(source))
        return folder

    return make


def in_a_round(folder: Path, *arguments: str, **config) -> subprocess.CompletedProcess[str]:
    round = folder / "round"
    round.mkdir(exist_ok=True)
    (round / "base.safetensors").write_bytes(base_bytes())
    (round / "config.json").write_text(json.dumps(make_config(options={"lr": 0.5}, **config)))
    return subprocess.run(
        [sys.executable, "-m", "verisum.flower", *arguments, "--node-config", "partition-id=3", str(round)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", [LEGACY_APP, MESSAGE_APP])
def test_takes_part_with_an_apps_folder(source, flower_app):
    folder = flower_app(source)
    result = in_a_round(folder, str(folder))
    assert result.returncode == 0, result.stderr
    assert "does not change how much this client counts" in result.stderr
    tensors, metadata = read_safetensors((folder / "round" / "update.safetensors").read_bytes())
    assert metadata["kind"] == "weights"
    for name, array in WEIGHTS.items():
        assert np.array_equal(tensors[name], array + np.float32(3.5))
    measured = in_a_round(folder, str(folder), format="verisum-evaluator-1")
    assert measured.returncode == 0 and "0.75" in measured.stdout, measured.stderr


def test_says_what_is_no_app(flower_app):
    folder = flower_app(MESSAGE_APP)
    for name, said in (("absent.module:app", "cannot be imported"), (str(folder / "an_app"), "no Flower client app")):
        result = in_a_round(folder, name)
        assert result.returncode == 2 and said in result.stderr
