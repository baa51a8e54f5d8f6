"""A convolutional network of PyTorch on handwritten digits, batch normalisation included.

python pytorch_cnn.py task                  # writes task.json and first.safetensors
python pytorch_cnn.py CLIENT CLIENTS FOLDER # trains in a round, as the client calls it
"""

import json
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_digits
from torch import nn

import verisum


def network():
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


def split(client, clients):
    """A fifth of all rows to test by; of the rest every client has its own."""
    features, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    images, order = (
        (features / 16).float().reshape(-1, 1, 8, 8),
        torch.randperm(len(labels), generator=torch.manual_seed(7)),
    )
    test, train = order[: len(order) // 5], order[len(order) // 5 :][client::clients]
    return images[train], labels[train], images[test], labels[test]


def loaded(weights):
    """Counters of batches are frozen in the task: they keep what the network starts with."""
    model = network()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()}, strict=False)
    return model


def accuracy(weights):
    _, _, test_x, test_y = split(0, 1)
    with torch.no_grad():
        return (loaded(weights).eval()(test_x).argmax(1) == test_y).double().mean().item()


def train(weights, round, client, clients):
    train_x, train_y, _, _ = split(client, clients)
    round.progress(accuracy_before=accuracy(weights))
    model = loaded(weights)
    optimiser = torch.optim.SGD(model.parameters(), lr=round.options["lr"], momentum=0.9)
    torch.manual_seed(round.number)
    model.train()
    for _ in range(round.training.local_epochs):
        for batch in torch.randperm(len(train_y)).split(round.training.batch_size):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(model(train_x[batch]), train_y[batch])
            loss.backward()
            optimiser.step()
    round.progress(loss=loss.item())
    return {name: value for name, value in model.state_dict().items() if name in weights}


if __name__ == "__main__" and sys.argv[1] == "task":
    first = Path(sys.argv[2], "first.safetensors")
    model = verisum.describe(network().state_dict(), options={"lr": 0.05}, initial=first)
    specification = verisum.task("digits by PyTorch", model, clip_norm=64)
    Path(sys.argv[2], "task.json").write_text(json.dumps(specification, indent=2))
elif __name__ == "__main__":
    verisum.run(lambda weights, round: train(weights, round, int(sys.argv[1]), int(sys.argv[2])))
