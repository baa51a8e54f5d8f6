"""A contract's events from an endpoint, in pages (§3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from verisum_auditor.decode import Log, decode_log
from verisum_auditor.endpoint import Declined, Endpoint, parse_hex, parse_quantity
from verisum_auditor.events import MemberRegistered
from verisum_auditor.faults import Refused, Unreadable

MOST_BLOCKS = 10_000
"""Blocks of a page. Endpoints that take fewer, or whose answer would be too long, are asked for half as many."""

Placed = tuple[tuple[int, int], Log]
"""A log with its block and its index."""


class Pages:
    """Pages of one contract's logs. The width is what the endpoint took last."""

    def __init__(self, endpoint: Endpoint, contract: bytes) -> None:
        self._endpoint = endpoint
        self._contract = contract
        self._width = MOST_BLOCKS

    def forwards(self, first: int, last: int) -> list[Log]:
        """All logs of these blocks, in chain order. Raises `Refused`."""
        logs: list[Placed] = []
        while first <= last:
            end = min(last, first + self._width - 1)
            page = self._page(first, end)
            if page is not None:
                logs += page
                first = end + 1
        return _in_order(logs)

    def backwards(self, last: int) -> list[Log]:
        """All logs from the registration of the first seat for round 0 on, which no round comes before (§3). Raises `Refused`."""
        logs: list[Placed] = []
        while last >= 0:
            first = max(0, last - self._width + 1)
            page = self._page(first, last)
            if page is None:
                continue
            logs = page + logs
            if any(map(_is_first_seat, page)):
                return _in_order(logs)
            last = first - 1
        raise Refused("CHAIN_EVENTS_MISSING", "no block has the registration of seat 1 for round 0")

    def _page(self, first: int, last: int) -> list[Placed] | None:
        """The logs of these blocks; None where the next page has to be narrower."""
        try:
            answer = self._endpoint.ask(
                "eth_getLogs",
                {"address": f"0x{self._contract.hex()}", "fromBlock": hex(first), "toBlock": hex(last)},
            )
        except Declined as fault:
            if first == last:
                raise Refused("CHAIN_UNREACHABLE", f"block {first}: {fault}") from fault
            self._width = (last - first + 1) // 2
            return None
        self._width = min(MOST_BLOCKS, 2 * self._width)
        try:
            return list(self._read(answer, first, last))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Refused(
                "CHAIN_UNREACHABLE", f"{self._endpoint.name} answers eth_getLogs with another form: {error!r}"
            ) from error

    def _read(self, answer: Any, first: int, last: int) -> Iterator[Placed]:
        for log in answer:
            block = parse_quantity(log["blockNumber"])
            if not first <= block <= last or parse_hex(log["address"]) != self._contract or log.get("removed"):
                raise ValueError(f"a log that was not asked for, of block {block}")
            topics = [parse_hex(topic) for topic in log["topics"]]
            yield (block, parse_quantity(log["logIndex"])), Log(topics, parse_hex(log["data"]))


def _is_first_seat(placed: Placed) -> bool:
    try:
        event = decode_log(placed[1])
    except Unreadable:
        return False
    return isinstance(event, MemberRegistered) and event.seat == 1 and event.from_round == 0


def _in_order(logs: list[Placed]) -> list[Log]:
    places = [place for place, _ in logs]
    if len(set(places)) != len(places):
        raise Refused("CHAIN_EVENTS_MISSING", "the endpoint tells two logs of one place in a block")
    return [log for _, log in sorted(logs, key=lambda placed: placed[0])]
