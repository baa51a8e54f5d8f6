"""Logistic regression of scikit-learn on its handwritten digits: own data, own model, own metric.

python sklearn_digits.py task                  # writes task.json and first.safetensors
python sklearn_digits.py CLIENT CLIENTS FOLDER # trains in a round, as the client calls it
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier

import verisum

CLASSES = np.arange(10)


def split(client, clients):
    """A fifth of all rows to test by; of the rest every client has its own."""
    features, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(labels))
    test, train = order[: len(order) // 5], order[len(order) // 5 :][client::clients]
    return features[train] / 16, labels[train], features[test] / 16, labels[test]


def accuracy(weights):
    _, _, test_x, test_y = split(0, 1)
    return float(((test_x @ weights["coef"].T + weights["intercept"]).argmax(1) == test_y).mean())


def train(weights, round, client, clients):
    train_x, train_y, _, _ = split(client, clients)
    model = SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=round.options["eta0"], random_state=round.number
    )
    model.partial_fit(train_x[:1], train_y[:1], classes=CLASSES)
    model.coef_, model.intercept_ = weights["coef"].astype(float), weights["intercept"].astype(float)
    round.progress(accuracy_before=accuracy(weights))
    for _ in range(round.training.local_epochs):
        model.partial_fit(train_x, train_y)
    return {"coef": model.coef_, "intercept": model.intercept_}


if __name__ == "__main__" and sys.argv[1] == "task":
    zeros = {"coef": np.zeros((10, 64), np.float32), "intercept": np.zeros(10, np.float32)}
    model = verisum.describe(zeros, options={"eta0": 0.01}, initial=Path(sys.argv[2], "first.safetensors"))
    specification = verisum.task("digits by scikit-learn", model, clip_norm=8, step_bits=10)
    Path(sys.argv[2], "task.json").write_text(json.dumps(specification, indent=2))
elif __name__ == "__main__":
    verisum.run(lambda weights, round: train(weights, round, int(sys.argv[1]), int(sys.argv[2])))
