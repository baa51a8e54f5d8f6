"""A task's document (§11), as far as an audit needs it."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from verisum_auditor.faults import Fault, Unreadable, require
from verisum_auditor.jsontext import Json, read_json
from verisum_auditor.parameters import Parameters


@dataclass(frozen=True)
class Dyadic:
    """`numerator/2^bits`."""

    numerator: int
    bits: int


@dataclass(frozen=True)
class Adaptive:
    """An adaptive clip norm (§10)."""

    quantile: Dyadic
    octaves_per_round: Dyadic
    max_octaves: int
    vote_steps: int


@dataclass(frozen=True)
class Quantisation:
    """Steps of `2^−step_bits`, and the clip norm in steps."""

    step_bits: int
    clip_steps: int
    adaptive: Adaptive | None


@dataclass(frozen=True)
class Server:
    """The rule that makes the next model. `numbers` are its dyadic numbers by name; `tau_bits` is 0 but for `fedadam`."""

    rule: str
    fractional_bits: int
    numbers: dict[str, Dyadic]
    tau_bits: int

    @property
    def kept(self) -> int:
        """How many vectors the rule keeps."""
        return 2 if self.rule == "fedadam" else 1


@dataclass(frozen=True)
class Document:
    """What an audit reads of `task.json`."""

    name: str
    model: Json
    quantisation: Quantisation
    server: Server
    private: bool


RULES = {"fedavgm": ("learningRate", "momentum"), "fedadam": ("learningRate", "beta1", "beta2")}


def read_document(data: bytes, parameters: Parameters) -> Document:
    """Decodes `task.json` and compares it with the contract. Raises `Fault`."""
    value = read_json(data, "task.json")
    try:
        return _read(value, parameters)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"task.json lacks something, or has it in another form: {error!r}") from error


def _read(value: Json, parameters: Parameters) -> Document:
    require(value["version"] == 1, f"task.json has version {value['version']}")
    require(
        value["preset"] == parameters.preset,
        f"task.json has the preset {value['preset']}, the contract {parameters.preset}",
    )
    if value.get("cells"):
        raise Fault("the task has cells, which this auditor does not audit")
    privacy = value["training"].get("privacy")
    document = Document(
        name=_text(value["name"]),
        model=value["model"],
        quantisation=read_quantisation(value["quantisation"]),
        server=read_server(value["server"]),
        private=privacy is not None,
    )
    if privacy is None or privacy.get("unit") == "example":
        bound = norm_bound_squared(document, parameters.numbers["dimension"])
        recorded = parameters.numbers["normBoundSquared"]
        require(bound == recorded, f"normBoundSquared is {recorded}, and of task.json {bound}")
    return document


def norm_bound_squared(document: Document, dimension: int) -> int:
    """`B²` without noise of clients: `c² + ⌈d/4⌉ + 2c + ⌈√d⌉`."""
    c, adaptive = document.quantisation.clip_steps, document.quantisation.adaptive
    if adaptive:
        c = ceil_sqrt(c**2 + adaptive.vote_steps**2)
    return c**2 + -(-dimension // 4) + 2 * c + ceil_sqrt(dimension)


def ceil_sqrt(value: int) -> int:
    """The least integer whose square is at least the value."""
    return isqrt(value - 1) + 1 if value > 0 else 0


def _whole(value: Json) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _dyadic(value: Json) -> Dyadic:
    return Dyadic(_whole(value["numerator"]), _whole(value["denominatorBits"]))


def _adaptive(value: Json) -> Adaptive:
    return Adaptive(
        _dyadic(value["quantile"]),
        _dyadic(value["octavesPerRound"]),
        _whole(value["maxOctaves"]),
        _whole(value["voteSteps"]),
    )


def read_quantisation(value: Json) -> Quantisation:
    """`quantisation` of the document. Raises `KeyError` or `TypeError` for another form, as `read_server` does."""
    adaptive = _adaptive(value["adaptive"]) if "adaptive" in value else None
    return Quantisation(_whole(value["stepBits"]), _whole(value["clipSteps"]), adaptive)


def read_server(value: Json) -> Server:
    """`server` of the document."""
    rule = value.get("rule", "fedavgm")
    numbers = {name: _dyadic(value[name]) for name in RULES[rule]}
    return Server(rule, _whole(value["fractionalBits"]), numbers, _whole(value["tauBits"]) if rule == "fedadam" else 0)
