"""Softmax regression in NumPy: `task FOLDER` writes the task; the client calls it with CLIENT CLIENTS FOLDER."""

import json
import sys
from pathlib import Path

import numpy as np

import verisum

rows = np.loadtxt(Path(__file__).parents[2] / "data" / "digits" / "digits.csv.gz", delimiter=",")
rows = np.random.default_rng(7).permutation(rows)
test, rest = np.split(rows, [len(rows) // 5])


def probabilities(weights, features):
    scores = np.exp(features / 16 @ weights["coef"] + weights["intercept"])
    return scores / scores.sum(axis=1, keepdims=True)


def fit(weights, round):
    own = rest[int(sys.argv[1]) :: int(sys.argv[2])]
    for row in np.tile(own, (round.training.local_epochs, 1)):
        error = probabilities(weights, row[None, :64]) - (np.arange(10) == row[64])
        weights["coef"] -= round.training.learning_rate * row[:64, None] / 16 * error
        weights["intercept"] -= round.training.learning_rate * error[0]
    return weights


def evaluate(weights, round):
    right = probabilities(weights, test[:, :64]).argmax(axis=1) == test[:, 64]
    return {"accuracy": right.mean(), "worst_digit": min(right[test[:, 64] == digit].mean() for digit in range(10))}


if sys.argv[1] == "task":
    first = {"coef": np.zeros((64, 10), np.float32), "intercept": np.zeros(10, np.float32)}
    model = verisum.describe(first, initial=Path(sys.argv[2], "first.safetensors"))
    Path(sys.argv[2], "task.json").write_text(json.dumps(verisum.task("digits by NumPy", model, clip_norm=8)))
else:
    verisum.run(fit, evaluate=evaluate)
