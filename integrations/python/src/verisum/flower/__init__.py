"""Takes part in a Verisum task with a Flower client app, of which no line changes.

What differs from Flower: nobody but this machine sees the update; how much it counts is its registered weight, whatever
`num_examples` says; and what Flower's server configures in each round comes from the options in the task's document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import TrainerError
from ..round import OptionValue, Result, Round, Weights, say_once
from ..tensors import TRAINABLE_TYPES, as_array, type_name

__all__ = ["FlowerTrainer", "from_flower"]

Arrays = Mapping[str, NDArray[Any]]


class FlowerApp(Protocol):
    """What is asked of a Flower app in one round."""

    def train(self, arrays: Arrays, round: Round) -> tuple[Mapping[str, Any] | Sequence[Any], Mapping[str, Any]]:
        """Arrays after training, by name or in the order given, and metrics."""

    def evaluate(self, arrays: Arrays, round: Round) -> Mapping[str, Any]:
        """Metrics of a model."""

    def own_arrays(self) -> Sequence[Any] | None:
        """The app's own model, if it tells: the values of what is frozen."""


class FlowerTrainer:
    """A Flower app as a training function for `run` and `serve`; `evaluate` measures a model by the same app."""

    def __init__(self, app: FlowerApp, frozen: Mapping[str, Any]) -> None:
        self._app = app
        self._frozen = dict(frozen)

    def __call__(self, weights: Weights, round: Round) -> Result:
        given = self._complete(weights, round)
        trained, metrics = self._app.train(given, round)
        _say_metrics(metrics, round)
        return _trained_only(_named(trained, round), round)

    def evaluate(self, weights: Weights, round: Round) -> Mapping[str, float]:
        return _numbers(self._app.evaluate(self._complete(weights, round), round))

    def _complete(self, weights: Weights, round: Round) -> dict[str, NDArray[Any]]:
        """All of the model's tensors in the task's order, frozen ones included."""
        absent = [p.name for p in round.parameters if not p.trained and p.name not in self._frozen]
        if absent:
            own = self._app.own_arrays()
            if own is None or len(own) != len(round.parameters):
                raise TrainerError(
                    f"the app needs the frozen tensors {', '.join(absent)}: name a safetensors file that holds them"
                )
            for parameter, value in zip(round.parameters, own, strict=True):
                if not parameter.trained:
                    self._frozen.setdefault(parameter.name, value)
        complete: dict[str, NDArray[Any]] = {}
        for parameter in round.parameters:
            array = (
                weights[parameter.name] if parameter.trained else as_array(parameter.name, self._frozen[parameter.name])
            )
            if array.shape != parameter.shape:
                raise TrainerError(
                    f"the frozen tensor {parameter.name} has the shape {array.shape}, and the task's {parameter.shape}"
                )
            complete[parameter.name] = array
        return complete


def from_flower(
    app: Any,
    *,
    node_config: Mapping[str, OptionValue] | None = None,
    run_config: Mapping[str, OptionValue] | None = None,
    frozen: Mapping[str, Any] | None = None,
) -> FlowerTrainer:
    """A Flower app as a training function: `run(from_flower(app))`.

    :param app: a `NumPyClient`, a `Client`, a `client_fn`, or a `ClientApp`, with a `client_fn` or `@app.train()`
    :param node_config: what Flower's supernode would be told, such as `{"partition-id": 0, "num-partitions": 2}`
    :param run_config: defaults of the run's configuration; the task's options come before them
    :param frozen: values of frozen tensors by name, where the app's own model does not tell them
    :raises TrainerError: for anything else
    """
    if _has_numpy_methods(app):
        return FlowerTrainer(_NumPyApp(app), frozen or {})
    if not callable(app) and not hasattr(app, "to_client") and not hasattr(app, "fit"):
        raise TrainerError(f"{type(app).__name__} is no Flower client, client_fn or ClientApp")
    from .messages import MessageApp

    return FlowerTrainer(MessageApp(app, node_config or {}, run_config or {}), frozen or {})


class _NumPyApp:
    """A `NumPyClient`, by its methods alone: Flower need not be there."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def train(self, arrays: Arrays, round: Round) -> tuple[Sequence[Any], Mapping[str, Any]]:
        result = self._client.fit(list(arrays.values()), round_config(round, "server_round"))
        if not isinstance(result, tuple) or len(result) != 3:
            raise TrainerError("fit of a NumPyClient returns (arrays, num_examples, metrics)")
        trained, examples, metrics = result
        return trained, {"num_examples": examples, **metrics}

    def evaluate(self, arrays: Arrays, round: Round) -> Mapping[str, Any]:
        loss, examples, metrics = self._client.evaluate(list(arrays.values()), round_config(round, "server_round"))
        return {"loss": loss, "num_examples": examples, **metrics}

    def own_arrays(self) -> Sequence[Any] | None:
        try:
            own = self._client.get_parameters({})
        except (AttributeError, NotImplementedError):
            return None
        return list(own) if own else None


def _has_numpy_methods(app: Any) -> bool:
    """A `Client` has the same methods over messages, and no `to_client` that wraps it."""
    return callable(getattr(app, "fit", None)) and not hasattr(app, "numpy_client") and not _is_message_client(app)


def _is_message_client(app: Any) -> bool:
    return any(base.__name__ == "Client" and base.__module__.startswith("flwr.") for base in type(app).__mro__)


def round_config(round: Round, round_key: str) -> dict[str, Any]:
    """What Flower's server would configure: the task's options, and the round's number."""
    return {round_key: round.number, **round.options}


def _named(trained: Mapping[str, Any] | Sequence[Any], round: Round) -> Mapping[str, Any]:
    names = [parameter.name for parameter in round.parameters]
    if isinstance(trained, Mapping):
        # Flower counts arrays that have no names.
        if list(trained) != names and list(trained) == [str(index) for index in range(len(trained))]:
            trained = list(trained.values())
        else:
            return trained
    if len(trained) != len(names):
        raise TrainerError(
            f"the app returns {len(trained)} arrays, and the task has {len(names)} tensors: describe the app's whole "
            "model in the task, counters of batches included, so that what is not trained is listed as frozen"
        )
    return dict(zip(names, trained, strict=True))


def _trained_only(trained: Mapping[str, Any], round: Round) -> Mapping[str, Any]:
    """Without what the task freezes, which is said by name; what is no floating point number and not listed is refused."""
    frozen = {parameter.name for parameter in round.parameters if not parameter.trained}
    known = {parameter.name for parameter in round.parameters}
    for name, value in trained.items():
        if name in frozen:
            say_once(f"{name} is frozen in this task: what the app made of it is left out")
        elif name not in known and (array := as_array(name, value)).dtype not in TRAINABLE_TYPES:
            raise TrainerError(f"the app's {name} is {type_name(array)}, which is not trained: list it as frozen")
    return {name: value for name, value in trained.items() if name not in frozen}


def _say_metrics(metrics: Mapping[str, Any], round: Round) -> None:
    for name in ("num_examples", "num-examples"):
        if name in metrics:
            say_once(
                f"{name} does not change how much this client counts: that is its registered weight, which the chain "
                "holds and everybody sees"
            )
    round.progress(**_numbers(metrics))


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, int | float | np.number) and not isinstance(value, bool)
    }
