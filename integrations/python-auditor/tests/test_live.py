"""What is read of an endpoint: all of it, whatever pages it takes, and nothing that it contradicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from server import RecordedEndpoint, serving

from verisum_auditor import transfer
from verisum_auditor.__main__ import main
from verisum_auditor.chain import Answers
from verisum_auditor.endpoint import Endpoint, parse_hex
from verisum_auditor.faults import Refused
from verisum_auditor.live import Wanted, read_live
from verisum_auditor.transfer import Unanswered, check_url, fetch, shown
from verisum_auditor.vector import read_answers


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "FIRST_PAUSE_SECONDS", 0.0)


@pytest.fixture()
def recorded(chain: dict[str, Any]) -> RecordedEndpoint:
    return RecordedEndpoint(chain)


def read(recorded: RecordedEndpoint, **wanted: Any) -> tuple[Answers, list[str]]:
    """What is read, and what is told beside it."""
    notes: list[str] = []
    contract = parse_hex(recorded.chain["contract"])
    with serving(recorded.answer) as url:
        answers = read_live(Endpoint(url), Wanted(contract, **{"block": "latest", **wanted}), notes.append)
    return answers, notes


def refusal(recorded: RecordedEndpoint, **wanted: Any) -> str:
    with pytest.raises(Refused) as caught:
        read(recorded, **wanted)
    return caught.value.code


@pytest.mark.parametrize("most_blocks", [1_000_000, 7, 1])
def test_all_is_read_in_pages(recorded: RecordedEndpoint, most_blocks: int) -> None:
    recorded.most_blocks = most_blocks
    answers, notes = read(recorded)
    assert answers == read_answers(recorded.chain)
    assert len(notes) == 1


@pytest.mark.parametrize("most_blocks", [1_000_000, 7])
def test_events_are_read_backwards_without_old_states(recorded: RecordedEndpoint, most_blocks: int) -> None:
    recorded.most_blocks, recorded.keeps_states = most_blocks, False
    answers, notes = read(recorded)
    assert answers == replace(read_answers(recorded.chain), deployed=None)
    assert "keeps no old states" in notes[0]


def test_a_first_block_is_where_events_begin(recorded: RecordedEndpoint) -> None:
    assert read(recorded, first_block=recorded.first)[0] == read_answers(recorded.chain)
    behind, notes = read(recorded, first_block=recorded.first + 1)
    assert behind.deployed is None
    assert "behind the deployment" in notes[0]


def test_the_deployment_is_left_out_where_this_is_asked_for(recorded: RecordedEndpoint) -> None:
    assert read(recorded, check_deployment=False)[0].deployed is None


def test_a_busy_endpoint_is_asked_again(recorded: RecordedEndpoint) -> None:
    recorded.failures = [(503, b""), (429, b"slowly"), (500, b"")]
    assert read(recorded)[0] == read_answers(recorded.chain)
    recorded.failures = [(503, b"")] * transfer.ATTEMPTS
    assert refusal(recorded) == "CHAIN_UNREACHABLE"


def test_an_endpoint_that_refuses_is_not_asked_again(recorded: RecordedEndpoint) -> None:
    recorded.failures = [(401, b"")]
    assert refusal(recorded) == "CHAIN_UNREACHABLE"
    assert recorded.asked == []


def log_of(change: Callable[[dict[str, Any]], object]) -> Callable[[RecordedEndpoint], None]:
    def spoil(recorded: RecordedEndpoint) -> None:
        change(recorded.chain["logs"][0])

    return spoil


def twice(recorded: RecordedEndpoint) -> None:
    recorded.chain["logs"].append(recorded.chain["logs"][0])


def another_parent(recorded: RecordedEndpoint) -> None:
    recorded.blocks[recorded.first - 1]["hash"] = "0x" + "11" * 32


def answers_with(method: str, result: Any) -> Callable[[RecordedEndpoint], None]:
    def spoil(recorded: RecordedEndpoint) -> None:
        recorded.replaced[method] = result

    return spoil


REFUSED = {
    "a log of another contract": (log_of(lambda log: log.update(address="0x" + "12" * 20)), "CHAIN_UNREACHABLE"),
    "a log that was taken back": (log_of(lambda log: log.update(removed=True)), "CHAIN_UNREACHABLE"),
    "a log without data": (log_of(lambda log: log.pop("data")), "CHAIN_UNREACHABLE"),
    "a log twice": (twice, "CHAIN_EVENTS_MISSING"),
    "no contract": (answers_with("eth_getCode", "0x"), "CHAIN_NO_CONTRACT"),
    "another contract": (answers_with("eth_call", "0x"), "CONTRACT_MISMATCH"),
    "no number": (answers_with("eth_chainId", 31337), "CHAIN_UNREACHABLE"),
    "a block before the deployment's that it does not follow": (another_parent, "CHAIN_UNREACHABLE"),
    "logs that are no list": (answers_with("eth_getLogs", 1), "CHAIN_UNREACHABLE"),
}


@pytest.mark.parametrize("spoil, code", REFUSED.values(), ids=REFUSED.keys())
def test_contradictions_are_refused(
    recorded: RecordedEndpoint, spoil: Callable[[RecordedEndpoint], None], code: str
) -> None:
    spoil(recorded)
    assert refusal(recorded) == code


def test_another_chain_is_refused(recorded: RecordedEndpoint) -> None:
    assert read(recorded, chain_id=31337)[0].chain_id == 31337
    assert refusal(recorded, chain_id=1) == "CHAIN_WRONG_NETWORK"


def test_a_block_that_changes_meanwhile_is_refused(recorded: RecordedEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = recorded.answer

    def reorganising(path: str, body: bytes) -> tuple[int, bytes]:
        result = answer(path, body)
        if recorded.asked[-1:] == ["eth_getLogs"]:
            recorded.blocks[recorded.last]["hash"] = "0x" + "22" * 32
        return result

    monkeypatch.setattr(recorded, "answer", reorganising)
    assert refusal(recorded) == "CHAIN_REORGANISED"


def test_an_answer_that_is_no_json_rpc_is_refused() -> None:
    for body in (b"<html>", b"[]", b"{}", b'{"id": 7, "result": "0x1"}'):
        with serving(lambda path, _, body=body: (200, body)) as url, pytest.raises(Refused) as caught:  # type: ignore[misc]
            Endpoint(url).ask("eth_chainId")
        assert caught.value.code == "CHAIN_UNREACHABLE"


def test_an_answer_has_a_most_length() -> None:
    with serving(lambda path, body: (200, b"x" * 9)) as url:
        assert fetch(url, 9, {}) == b"x" * 9
        with pytest.raises(Unanswered):
            fetch(url, 8, {})


def test_what_is_printed_of_a_url_has_no_secret() -> None:
    assert shown("https://user:word@node.example:8545/v3/secret?key=secret") == "https://node.example:8545"
    with pytest.raises(ValueError):
        check_url("file:///etc/passwd")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["folder", "--rpc", "http://127.0.0.1:9"],
        ["--rpc", "http://127.0.0.1:9", "--gateway", "http://127.0.0.1:9"],
        ["--rpc", "ftp://127.0.0.1:9", "--gateway", "http://127.0.0.1:9", "--contract", "0x" + "11" * 20],
        ["--rpc", "http://127.0.0.1:9", "--gateway", "http://127.0.0.1:9", "--contract", "0x11"],
    ],
)
def test_wrong_use_has_a_status_of_its_own(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 4
    assert "usage" in capsys.readouterr().err
