"""Programs as a client starts them: their files, lines, statuses and ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import BASE, WEIGHTS

from verisum.tensors import read_safetensors

Started = subprocess.Popen[str]


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Started]:
    def start(body: str, *arguments: str) -> Started:
        program = tmp_path / "train.py"
        program.write_text("import sys, time\nimport numpy as np\nimport verisum\n" + textwrap.dedent(body))
        return subprocess.Popen(
            [sys.executable, str(program), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def ended(process: Started) -> tuple[int, str, str]:
    # Standard input stays open, as a client keeps it.
    assert process.stdout is not None and process.stderr is not None
    out, err = process.stdout.read(), process.stderr.read()
    return process.wait(30), out, err


def test_writes_the_trained_weights_and_says_progress(start, make_folder):
    folder = make_folder()
    status, out, err = ended(
        start(
            """
            def fit(weights, round):
                round.progress(loss=0.25, epoch=1, nothing=float("nan"))
                assert (round.number, round.training.local_epochs, round.options) == (7, 2, {"lr": 0.01})
                assert round.seconds_left == float("inf") and not round.stopping
                weights["hidden.bias"] += 1
                return weights
            verisum.run(fit)
            """,
            str(folder),
        )
    )
    assert (status, err) == (0, "")
    assert json.loads(out) == {"loss": 0.25, "epoch": 1}
    tensors, metadata = read_safetensors((folder / "update.safetensors").read_bytes())
    assert metadata == {"kind": "weights", "round": "7", "base": BASE}
    assert np.array_equal(tensors["hidden.bias"], WEIGHTS["hidden.bias"] + 1)
    assert np.array_equal(tensors["hidden.weight"], WEIGHTS["hidden.weight"])
    assert sorted(path.name for path in folder.iterdir()) == ["base.safetensors", "config.json", "update.safetensors"]


def test_writes_a_difference_in_float64(start, make_folder):
    folder = make_folder()
    status, _, _ = ended(
        start(
            """
            def fit(weights, round):
                return verisum.Difference({name: np.full(w.shape, 0.5) for name, w in weights.items()})
            verisum.run(fit)
            """,
            str(folder),
        )
    )
    assert status == 0
    tensors, metadata = read_safetensors((folder / "update.safetensors").read_bytes())
    assert metadata["kind"] == "difference"
    assert tensors["hidden.bias"].dtype == np.float64 and (tensors["hidden.weight"] == 0.5).all()


def test_sits_out_with_status_10_and_fails_with_1_and_the_reason(start, make_folder):
    folder = make_folder()
    assert ended(start("verisum.run(lambda weights, round: verisum.SIT_OUT)", str(folder)))[0] == 10
    status, _, err = ended(start("verisum.run(lambda weights, round: open('patients.csv'))", str(folder)))
    assert status == 1 and "patients.csv" in err
    status, _, err = ended(start("verisum.run(lambda weights, round: {'hidden.weight': 1})", str(folder)))
    assert status == 1 and "the trained model lacks hidden.bias" in err
    assert not (folder / "update.safetensors").exists()


def test_says_how_it_is_started_without_a_folder(start):
    status, _, err = ended(start("verisum.run(lambda weights, round: weights)"))
    assert status == 2 and "fl-client join --trainer" in err


def test_refuses_a_base_of_another_round_or_format(start, make_folder, tmp_path):
    folder = make_folder(round="8")
    status, _, err = ended(start("verisum.run(lambda weights, round: weights)", str(folder)))
    assert status == 1 and "is of round 7" in err and "of round 8" in err
    (folder / "config.json").write_text('{"format": "verisum-trainer-2"}')
    status, _, err = ended(start("verisum.run(lambda weights, round: weights)", str(folder)))
    assert status == 1 and "verisum-trainer-2" in err


WAITS = """
def fit(weights, round):
    try:
        round.progress(ready=1)
        time.sleep(60)
    finally:
        print("cleaned up", file=sys.stderr, flush=True)
verisum.run(fit)
"""


def test_cleans_up_at_the_first_signal(start, make_folder):
    process = start(WAITS, str(make_folder()))
    assert process.stdout is not None and process.stderr is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 128 + signal.SIGTERM
    assert "cleaned up" in process.stderr.read()


def test_ends_when_the_client_is_gone(start, make_folder):
    process = start(WAITS, str(make_folder()))
    assert process.stdin is not None and process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    process.stdin.close()
    assert process.wait(10) == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 5


def test_measures_a_model_where_it_is_asked_to(start, make_folder):
    folder = make_folder(format="verisum-evaluator-1")
    body = """
    def evaluate(weights, round):
        return {"auc": 0.75, "weights": sum(w.size for w in weights.values())}
    verisum.run(lambda weights, round: weights, evaluate=evaluate)
    """
    status, out, _ = ended(start(body, str(folder)))
    assert status == 0 and json.loads(out) == {"auc": 0.75, "weights": 8}
    assert not (folder / "update.safetensors").exists()
    status, _, err = ended(start("verisum.run(lambda weights, round: weights)", str(folder)))
    assert status == 1 and "evaluate" in err
