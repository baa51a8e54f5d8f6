"""Trainers of the tests, one for each way to take part: each adds the task's `step` to every weight.

python trainers.py command FOLDER, python trainers.py server PORT, and `client` as a Flower app.
"""

import sys

import numpy as np

import verisum


def fit(weights, round):
    round.progress(loss=0.5)
    return {name: array + np.float32(round.options["step"]) for name, array in weights.items()}


def evaluate(weights, round):
    return {"largest": float(max(array.max() for array in weights.values()))}


class Client:
    """A NumPyClient, as far as anybody asks."""

    def get_parameters(self, config):
        return [np.zeros((1000, 4), np.float32), np.zeros((5, 4), np.float32), np.zeros(4, np.float32)]

    def fit(self, parameters, config):
        return [array + config["step"] for array in parameters], 120, {"loss": 0.5}


client = Client()

if __name__ == "__main__":
    if sys.argv[1] == "server":
        verisum.serve(fit, int(sys.argv[2]))
    verisum.run(fit, evaluate=evaluate)
