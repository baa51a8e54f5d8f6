"""Model and data of the app: softmax regression on handwritten digits, in NumPy."""

import numpy as np
from sklearn.datasets import load_digits


def initial():
    """By name, as a state dictionary would be."""
    return {"coef": np.zeros((64, 10), np.float32), "intercept": np.zeros(10, np.float32)}


def load_data(partition_id, num_partitions):
    features, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(labels))
    test, train = order[: len(order) // 5], order[len(order) // 5 :][partition_id::num_partitions]
    return (features[train] / 16, labels[train]), (features[test] / 16, labels[test])


def probabilities(coef, intercept, features):
    scores = features @ coef + intercept
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def train(coef, intercept, data, epochs, learning_rate):
    """One step for each row, in the rows' order. Returns new weights and the mean loss of the last epoch."""
    features, labels = data
    coef, intercept = coef.astype(np.float64), intercept.astype(np.float64)
    for _ in range(epochs):
        loss = 0.0
        for x, label in zip(features, labels):
            p = probabilities(coef, intercept, x[None])[0]
            loss -= np.log(max(p[label], 1e-12))
            p[label] -= 1
            coef -= learning_rate * np.outer(x, p)
            intercept -= learning_rate * p
    return coef.astype(np.float32), intercept.astype(np.float32), loss / len(labels)


def test(coef, intercept, data):
    features, labels = data
    p = probabilities(coef, intercept, features)
    loss = -np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-12)).mean()
    return float(loss), float((p.argmax(axis=1) == labels).mean())
