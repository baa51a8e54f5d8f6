"""The four files of a checkpoint (§11)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import isfinite, prod

from verisum_auditor.chain import Contract
from verisum_auditor.cid import cid_text
from verisum_auditor.document import Document
from verisum_auditor.events import Finalised, RoundOpened, Submitted
from verisum_auditor.faults import Unreadable, require
from verisum_auditor.jsontext import SAFE_INTEGER, Json, read_json, write_compact, write_json
from verisum_auditor.model import LEVEL_BITS, Model, clip_level, model_bytes

FORMAT = "verisum-checkpoint-2"
PROFILE = "unixfs-v1-2025"
CONFIG, TENSORS, STATE, TOPOLOGY = "config.json", "model.safetensors", "state.bin", "topology.json"
DESCRIPTION = ("inputs", "outputs", "layers")
"""The parts of `config.json` that follow from the document alone; they are the genesis's."""
METRICS = (
    {"accuracy": True, "loss": True, "samples": True, "majority": False, "balancedAccuracy": False, "recall": False},
    {
        "rootMeanSquaredError": True,
        "meanAbsoluteError": True,
        "r2": True,
        "loss": True,
        "samples": True,
        "baselineError": False,
    },
)
"""The two forms of what is claimed of a model: the keys in order, and whether each has to be there."""
MOST_RECALLS = 100


def safetensors(weights: Sequence[int], fractional_bits: int, tensors: Sequence[Json]) -> bytes:
    """`model.safetensors` of weights in units of `2^−fractional_bits`."""
    header: dict[str, Json] = {"__metadata__": {"format": "verisum"}}
    at = 0
    for tensor in tensors:
        end = at + 4 * prod(tensor["shape"])
        header[tensor["name"]] = {"dtype": "F32", "shape": tensor["shape"], "data_offsets": [at, end]}
        at = end
    text = write_compact(header).encode("utf-8")
    text += b" " * (-len(text) % 8)
    values = (weight / 2**fractional_bits for weight in weights)
    return struct.pack("<Q", len(text)) + text + struct.pack(f"<{len(weights)}f", *values)


def read_metrics(claimed: Json) -> Json:
    """What the aggregator claims of the model, its keys in the order of §11. Raises `Fault`."""
    if claimed is None:
        return None
    require(isinstance(claimed, dict), "metrics are no object")
    form = METRICS[0] if "accuracy" in claimed else METRICS[1]
    needed = {key for key, is_needed in form.items() if is_needed}
    require(needed <= claimed.keys() <= form.keys(), f"metrics have the keys {', '.join(claimed)}")
    for key, value in claimed.items():
        require(_is_metric(key, value), f"{key} of the metrics is no such number")
    return {key: claimed[key] for key in form if key in claimed}


def _is_metric(key: str, value: Json) -> bool:
    if key == "recall":
        return (
            isinstance(value, list)
            and len(value) <= MOST_RECALLS
            and all(item is None or _is_number(item) for item in value)
        )
    if key == "samples":
        return _is_number(value) and value == int(value) and abs(value) < SAFE_INTEGER
    return _is_number(value) or (key == "r2" and value is None)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def read_topology(genesis: dict[str, bytes], document: Document, dimension: int) -> Json:
    """The genesis's topology, compared with the document and the contract. Raises `Fault`."""
    topology = read_json(genesis[TOPOLOGY], TOPOLOGY)
    try:
        require(topology["model"] == document.model, "topology.json has another model than task.json")
        count = sum(prod(tensor["shape"]) for tensor in topology["tensors"])
    except (KeyError, TypeError) as error:
        raise Unreadable("topology.json has another form") from error
    expected = dimension - (1 if document.quantisation.adaptive else 0)
    require(count == expected, f"topology.json has {count} weights and not {expected}")
    return topology


def checkpoint_files(
    contract: Contract,
    document: Document,
    genesis: dict[str, bytes],
    opened: RoundOpened,
    result: Finalised,
    included: Sequence[Submitted],
    model: Model,
    claimed: dict[str, Json],
) -> dict[str, bytes]:
    """The files of a round's checkpoint. `claimed` is the published `config.json`, of which metrics and privacy are taken."""
    topology = read_topology(genesis, document, contract.parameters.numbers["dimension"])
    first = read_json(genesis[CONFIG], CONFIG)
    count = len(model.weights) - (1 if document.quantisation.adaptive else 0)
    bits = document.server.fractional_bits
    config: dict[str, Json] = {
        "format": FORMAT,
        "cidProfile": PROFILE,
        "task": {
            "name": document.name,
            "chainId": str(contract.chain_id),
            "contract": f"0x{contract.address.hex()}",
            "taskCid": cid_text(contract.parameters.digests["taskCid"]),
        },
        "round": result.round,
        "parentCid": cid_text(opened.base_cid),
        "clients": [f"0x{submission.client.hex()}" for submission in included],
        "totalWeight": sum(submission.weight for submission in included),
        "aggregateCid": cid_text(result.aggregate_cid),
        "weights": {"count": count, "fractionalBits": bits},
    }
    if document.quantisation.adaptive:
        octaves, mantissa = clip_level(model.weights[-1], document.quantisation.adaptive)
        config["clipNorm"] = (
            document.quantisation.clip_steps
            * 2.0 ** (octaves - LEVEL_BITS - document.quantisation.step_bits)
            * mantissa
        )
    config["privacy"] = claimed.get("privacy") if document.private else None
    config |= {key: first[key] for key in DESCRIPTION}
    config["metrics"] = read_metrics(claimed.get("metrics"))
    return {
        CONFIG: write_json(config),
        TENSORS: safetensors(model.weights[:count], bits, topology["tensors"]),
        STATE: model_bytes(model),
        TOPOLOGY: genesis[TOPOLOGY],
    }
