"""Flower's `ClientApp`, called with the messages that Flower's server would send."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flwr.app import DEFAULT_TTL, Array, ArrayRecord, ConfigRecord, Context, Message, Metadata, RecordDict
from flwr.clientapp import ClientApp

from ..errors import TrainerError
from ..round import OptionValue, Round
from . import Arrays, round_config

_RUN = 1
_NODE = 1
_LEGACY = {"train": "fitins", "evaluate": "evaluateins"}


class MessageApp:
    """An app that is called with messages: `@app.train()`, or a `client_fn` inside."""

    def __init__(self, app: Any, node_config: Mapping[str, OptionValue], run_config: Mapping[str, OptionValue]) -> None:
        self._app = _client_app(app)
        self._run_config = dict(run_config)
        # One for all rounds of this process: an app keeps its state in it.
        self._context = Context(
            run_id=_RUN, node_id=_NODE, node_config=dict(node_config), state=RecordDict(), run_config=dict(run_config)
        )

    def train(self, arrays: Arrays, round: Round) -> tuple[Mapping[str, Any] | Sequence[Any], Mapping[str, Any]]:
        content = self._answer("train", arrays, round)
        records = list(content.array_records.values())
        if len(records) != 1:
            raise TrainerError(f"the app answers with {len(records)} array records, and one model is wanted")
        return {name: array.numpy() for name, array in records[0].items()}, _metrics(content)

    def evaluate(self, arrays: Arrays, round: Round) -> Mapping[str, Any]:
        return _metrics(self._answer("evaluate", arrays, round))

    def own_arrays(self) -> None:
        """Messages do not ask for it."""

    def _answer(self, kind: str, arrays: Arrays, round: Round) -> RecordDict:
        self._context.run_config = {**self._run_config, **round.options}
        content = self._content(kind, arrays, round)
        metadata = Metadata(
            run_id=_RUN,
            message_id="",
            src_node_id=0,
            dst_node_id=_NODE,
            reply_to_message_id="",
            group_id=str(round.number),
            created_at=time.time(),
            ttl=DEFAULT_TTL,
            message_type=kind,
        )
        reply = self._app(Message(content=content, metadata=metadata), self._context)
        if reply.has_error():
            raise TrainerError(f"the app answers with the error {reply.error.code}: {reply.error.reason}")
        return reply.content

    def _content(self, kind: str, arrays: Arrays, round: Round) -> RecordDict:
        if getattr(self._app, "_call", None) is None:
            named = ArrayRecord({name: Array(array) for name, array in arrays.items()})
            return RecordDict({"arrays": named, "config": ConfigRecord(round_config(round, "server-round"))})
        prefix = _LEGACY[kind]
        config = ConfigRecord(round_config(round, "server_round"))
        return RecordDict({f"{prefix}.parameters": ArrayRecord(list(arrays.values())), f"{prefix}.config": config})


def _client_app(app: Any) -> ClientApp:
    if isinstance(app, ClientApp):
        return app
    if not callable(app):
        client = app.to_client() if hasattr(app, "to_client") else app
        return ClientApp(client_fn=lambda context: client)
    return ClientApp(client_fn=app)


def _metrics(content: RecordDict) -> dict[str, Any]:
    # Where a client_fn answers, its metrics are a configuration, for they may hold texts.
    texts = [record for name, record in content.config_records.items() if name.endswith(".metrics")]
    return {key: value for record in [*content.metric_records.values(), *texts] for key, value in record.items()}
