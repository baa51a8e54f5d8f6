"""A trainer that stays, over HTTP on this machine."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import WEIGHTS, base_bytes, make_config

from verisum import SIT_OUT, TrainerError
from verisum.server import create_server
from verisum.tensors import read_safetensors

TOKEN = "0123456789abcdef"


@contextmanager
def serving(fit, **options) -> Iterator[int]:
    server = create_server(fit, 0, token=TOKEN, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def body(**changes) -> bytes:
    return base_bytes(config=json.dumps(make_config(**changes)))


def post(port: int, data: bytes, token: str = TOKEN) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", data, {"authorization": f"Bearer {token}"})
    response = connection.getresponse()
    return response.status, response.read()


def test_answers_each_round_with_an_update():
    def fit(weights, round):
        return {name: array + round.options["lr"] for name, array in weights.items()}

    with serving(fit) as port:
        for _ in range(2):
            status, update = post(port, body())
            assert status == 200
            tensors, metadata = read_safetensors(update)
            assert metadata["kind"] == "weights" and metadata["round"] == "7"
            assert np.allclose(tensors["hidden.bias"], WEIGHTS["hidden.bias"] + 0.01)


def test_refuses_who_does_not_know_the_token_and_what_is_no_round(capfd):
    called = []
    with serving(lambda weights, round: called.append(1) or weights) as port:
        assert post(port, body(), "f" * 16)[0] == 401
        assert post(port, b"not safetensors")[0] == 400
        assert post(port, base_bytes())[0] == 400
        assert b"round 8" in post(port, body(round="8"))[1]
    assert not called


def test_sits_out_and_fails_without_ending():
    answers = iter([SIT_OUT, None, WEIGHTS])
    with serving(lambda weights, round: next(answers)) as port:
        assert [post(port, body())[0] for _ in range(3)] == [204, 500, 200]


def test_measures_a_model():
    with serving(lambda weights, round: weights, evaluate=lambda weights, round: {"auc": 0.5}) as port:
        status, answer = post(port, body(format="verisum-evaluator-1"))
        assert status == 200 and json.loads(answer) == {"auc": 0.5}


def test_tells_a_training_that_nobody_waits_for_it():
    begun, stopped = threading.Event(), threading.Event()

    def fit(weights, round):
        begun.set()
        deadline = time.monotonic() + 10
        while not round.stopping and time.monotonic() < deadline:
            time.sleep(0.05)
        if round.stopping:
            stopped.set()
        return weights

    with serving(fit) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/", body(), {"authorization": f"Bearer {TOKEN}"})
        assert begun.wait(5)
        connection.close()
        assert stopped.wait(5)
        assert post(port, body(secondsLeft=0))[0] == 200


def test_needs_a_token(monkeypatch):
    monkeypatch.delenv("VERISUM_TRAINER_TOKEN", raising=False)
    with pytest.raises(TrainerError, match="VERISUM_TRAINER_TOKEN"):
        create_server(lambda weights, round: weights, 0)
    with pytest.raises(TrainerError, match="16 characters"):
        create_server(lambda weights, round: weights, 0, token="short")
