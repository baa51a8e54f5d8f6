"""Compares a task's models with plain averaging: trains again from each, and averages without shares and proofs.

python compare.py pytorch_cnn CLIENTS TASK.JSON GATEWAY CID

The module is the trainer, CID the latest checkpoint's; earlier ones are found from it. Beside them it averages from the
same start without ever rounding. Ends with status 1 if a coordinate is off by more than a step.
"""

import contextlib
import importlib
import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

import verisum
from verisum.round import Parameter, Round, Training

name, clients, task, gateway, latest = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
trainer = importlib.import_module(name)
document = json.loads(Path(task).read_text())["document"]
step = 2.0 ** -document["quantisation"]["stepBits"]
clip_norm = document["quantisation"]["clipSteps"] * step

lineage = [verisum.load(gateway, latest)]
while lineage[0].config["parentCid"] is not None:
    lineage.insert(0, verisum.load(gateway, lineage[0].config["parentCid"]))


def plain_mean(start, number):
    """The mean of what all clients make of a model, and the longest of their updates."""
    model, training = document["model"], document["training"]
    names = model.get("trainable", [entry["name"] for entry in model["parameters"]])
    parameters = tuple(Parameter(e["name"], tuple(e["shape"]), e["name"] in names) for e in model["parameters"])
    terms = Training(training["learningRate"], training["momentum"], training["batchSize"], training["localEpochs"])
    round = Round(number, "", parameters, terms, model.get("options", {}))
    longest, total = 0.0, {key: np.zeros(value.shape) for key, value in start.items()}
    for client in range(clients):
        base = {key: value.copy() for key, value in start.items()}
        with contextlib.redirect_stdout(io.StringIO()):
            trained = trainer.train(base, round, client, clients)
        updates = {key: np.asarray(trained[key], np.float64) - start[key] for key in start}
        longest = max(longest, np.sqrt(sum((update**2).sum() for update in updates.values())))
        for key, update in updates.items():
            total[key] += update / clients
    return {key: (start[key] + total[key]).astype(np.float32) for key in start}, longest


unrounded, worst = lineage[0].tensors, 0.0
for before, after in pairwise(lineage):
    number = after.round
    mean, longest = plain_mean(before.tensors, number)
    off = max(np.abs(after.tensors[key] - mean[key]).max() / step for key in mean)
    unrounded, _ = plain_mean(unrounded, number)
    apart = max(np.abs(after.tensors[key] - unrounded[key]).max() for key in mean)
    worst = max(worst, off)
    print(
        f"round {number}: off by {off:.2f} steps at most; longest update {longest:.2f} of {clip_norm:g}; {apart:.4f} from unrounded"
    )
if hasattr(trainer, "accuracy"):
    print(f"accuracy {trainer.accuracy(lineage[-1].tensors):.4f}, by plain averaging {trainer.accuracy(unrounded):.4f}")
sys.exit(1 if worst > 1 else 0)
