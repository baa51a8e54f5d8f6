"""A chain's endpoint: JSON-RPC over HTTP (§3)."""

from __future__ import annotations

import json
from typing import Any

from verisum_auditor.faults import Refused, Unreadable
from verisum_auditor.transfer import TooLong, Unanswered, fetch, shown
from verisum_auditor.jsontext import Json, read_json

MOST_ANSWER_BYTES = 128 * 1024 * 1024


class Declined(Exception):
    """The endpoint answered a call with an error, or with more bytes than are read."""


def parse_hex(text: Any) -> bytes:
    """Bytes from `0x` and hexadecimal digits. Raises `ValueError`."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"{str(text)[:20]!r} does not begin with 0x")
    return bytes.fromhex(text[2:])


def parse_quantity(text: Any) -> int:
    """An integer from `0x` and hexadecimal digits. Raises `ValueError`."""
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError(f"{str(text)[:20]!r} does not begin with 0x")
    return int(text[2:], 16)


class Endpoint:
    """JSON-RPC calls to one URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._calls = 0

    @property
    def name(self) -> str:
        """The endpoint, as it may be printed."""
        return shown(self._url)

    def ask(self, method: str, *params: Json) -> Json:
        """A call's result. Raises `Declined`, or `Refused` where the endpoint cannot be reached or is none."""
        self._calls += 1
        call = {"jsonrpc": "2.0", "id": self._calls, "method": method, "params": params}
        try:
            data = fetch(
                self._url, MOST_ANSWER_BYTES, {"Content-Type": "application/json"}, json.dumps(call).encode("ascii")
            )
            answer = read_json(data, f"the answer to {method}")
        except TooLong as fault:
            raise Declined(str(fault)) from fault
        except (Unanswered, Unreadable) as fault:
            raise Refused("CHAIN_UNREACHABLE", f"{self.name} gives no answer to {method}: {fault}") from fault
        if not isinstance(answer, dict) or not {"result", "error"} & answer.keys():
            raise Refused("CHAIN_UNREACHABLE", f"{self.name} answers {method} with something else than JSON-RPC")
        if answer.get("error") is not None:
            raise Declined(f"{self.name} declines {method}: {json.dumps(answer['error'])[:300]}")
        if answer.get("id") != self._calls:
            raise Refused("CHAIN_UNREACHABLE", f"{self.name} answers {method} with the answer to another call")
        return answer.get("result")

    def data(self, method: str, *params: Json) -> bytes:
        """A call's result as bytes. Raises as `ask` does."""
        try:
            return parse_hex(self.ask(method, *params))
        except ValueError as error:
            raise Refused("CHAIN_UNREACHABLE", f"{self.name} answers {method} with {error}") from error

    def quantity(self, method: str, *params: Json) -> int:
        """A call's result as an integer. Raises as `ask` does."""
        try:
            return parse_quantity(self.ask(method, *params))
        except ValueError as error:
            raise Refused("CHAIN_UNREACHABLE", f"{self.name} answers {method} with {error}") from error
