"""What an endpoint answered (§3), and whether it left something out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from verisum_auditor.decode import Log, decode_log
from verisum_auditor.events import (
    Aborted,
    ChunksProven,
    ClientLeft,
    ClientRegistered,
    Event,
    Finalised,
    MemberRegistered,
    RoundOpened,
    Settled,
    Submitted,
)
from verisum_auditor.faults import Refused, Unreadable
from verisum_auditor.parameters import Parameters, read_parameters
from verisum_auditor.settlement import intake_of, settlement_of
from verisum_auditor.words import Words, hash_words, keccak, tag

FUNCTIONS = (
    "parameters",
    "parametersHash",
    "deployment",
    "keysPointer",
    "latestModel",
    "finalisedRounds",
    "listChanges",
    "privacySpent",
)
"""The functions of §3 whose answers an audit reads; none has arguments."""


@dataclass(frozen=True)
class Deployed:
    """Two fields of the deployment's block."""

    parent_hash: bytes
    prev_randao: bytes


@dataclass(frozen=True)
class Answers:
    """One contract as of one block: `calls` by function, the code at `keysPointer()`, all logs. `deployed` is None where nobody tells that block."""

    chain_id: int
    contract: bytes
    calls: dict[str, bytes]
    keys_code: bytes
    logs: Sequence[Log]
    deployed: Deployed | None


@dataclass
class Round:
    """The events of one round."""

    number: int
    opened: RoundOpened
    submissions: list[Submitted] = field(default_factory=list)
    settled: Settled | None = None
    finalised: Finalised | None = None
    aborted: bool = False


@dataclass(frozen=True)
class Contract:
    """A contract whose answers agree with each other."""

    chain_id: int
    address: bytes
    deployment: bytes
    parameters: Parameters
    keys_code: bytes
    members: Sequence[MemberRegistered]
    clients: Sequence[ClientRegistered | ClientLeft]
    rounds: Sequence[Round]
    latest_model: tuple[int, bytes, bytes]

    def models_before(self, number: int) -> list[bytes]:
        """The digests of the models that rounds before this one made, by number (§8): the genesis's is the first."""
        results = [round_.finalised for round_ in self.rounds if round_.number < number]
        return [self.parameters.digests["genesisDigest"], *(result.model_digest for result in results if result)]


def read_contract(answers: Answers) -> Contract:
    """Decodes all answers. Raises `Refused` with the codes of §14 where there is nothing to audit."""
    calls = answers.calls
    parameters_hash = keccak(calls["parameters"])
    _agree(
        calls["parametersHash"] == parameters_hash,
        "CONTRACT_MISMATCH",
        "parametersHash() is not the hash of parameters()",
    )
    try:
        parameters = read_parameters(calls["parameters"])
    except Unreadable as fault:
        raise Refused("PARAMETERS_INVALID", str(fault)) from fault
    try:
        events = [event for event in map(decode_log, answers.logs) if event is not None]
        latest, numbers = _latest(calls["latestModel"]), {name: _number(calls[name]) for name in FUNCTIONS[-3:]}
        rounds = _rounds(events)
    except Unreadable as fault:
        raise Refused("CHAIN_EVENTS_MISSING", str(fault)) from fault
    members = [event for event in events if isinstance(event, MemberRegistered)]
    clients = [event for event in events if isinstance(event, ClientRegistered | ClientLeft)]
    _complete(rounds, numbers, len(members) + len(clients), latest[0], parameters)
    return Contract(
        answers.chain_id,
        answers.contract,
        calls["deployment"],
        parameters,
        answers.keys_code,
        members,
        clients,
        rounds,
        latest,
    )


def check_deployment(answers: Answers) -> None:
    """Whether `deployment()` is the hash of §2, if its block is known: the last thing before an audit. Raises `Refused`."""
    if answers.deployed is None:
        return
    parameters_hash = answers.calls["parametersHash"]
    block = (answers.deployed.parent_hash, answers.deployed.prev_randao)
    expected = hash_words(tag("deployment"), answers.chain_id, answers.contract, parameters_hash, *block)
    reason = "deployment() is not the hash of the chain, the contract and its block"
    _agree(answers.calls["deployment"] == expected, "CONTRACT_MISMATCH", reason)


def _agree(holds: bool, code: str, reason: str) -> None:
    if not holds:
        raise Refused(code, reason)


def _number(answer: bytes) -> int:
    words = Words(answer, "an answer")
    value = words.uint()
    words.end()
    return value


def _latest(answer: bytes) -> tuple[int, bytes, bytes]:
    words = Words(answer, "latestModel()")
    latest = words.uint(64), words.bytes32(), words.bytes32()
    words.end()
    return latest


def _rounds(events: Sequence[Event]) -> list[Round]:
    """Sorts events by round. Chunks of `ChunksProven` are put into the submission that they led to (§6)."""
    rounds: dict[int, Round] = {}
    steps: dict[tuple[int, bytes], list[ChunksProven]] = defaultdict(list)
    for event in events:
        match event:
            case RoundOpened():
                if event.round in rounds:
                    raise Unreadable(f"round {event.round} opened twice")
                rounds[event.round] = Round(event.round, event)
            case ChunksProven():
                steps[event.round, event.client].append(event)
            case Submitted():
                _round(rounds, event.round).submissions.append(
                    _with_chunks(event, steps.pop((event.round, event.client), []))
                )
            case Settled():
                _once(_round(rounds, event.round).settled)
                rounds[event.round].settled = event
            case Finalised():
                _once(_round(rounds, event.round).finalised)
                rounds[event.round].finalised = event
            case Aborted():
                _round(rounds, event.round).aborted = True
            case _:
                pass
    return sorted(rounds.values(), key=lambda round_: round_.number)


def _round(rounds: dict[int, Round], number: int) -> Round:
    if number not in rounds:
        raise Unreadable(f"an event of round {number}, which did not open before it")
    return rounds[number]


def _once(event: Event | None) -> None:
    if event is not None:
        raise Unreadable("a round settled or finalised twice")


def _with_chunks(event: Submitted, steps: Sequence[ChunksProven]) -> Submitted:
    if event.chunks:
        return event
    chunks = list(event.chunks)
    for step in steps:
        before = step.count - len(step.chunks)
        if not 0 <= before <= len(chunks):
            raise Unreadable("a step of a submission does not follow the one before it")
        chunks[before:] = step.chunks
    return Submitted(**{**event.__dict__, "chunks": chunks})


def _complete(
    rounds: Sequence[Round], numbers: dict[str, int], changes: int, latest: int, parameters: Parameters
) -> None:
    """The rules of §3's last paragraph."""
    missing = "CHAIN_EVENTS_MISSING"
    finalised = [round_.number for round_ in rounds if round_.finalised]
    settled = sum(round_.settled is not None for round_ in rounds)
    _agree(changes == numbers["listChanges"], missing, f"{changes} changes of lists, and not {numbers['listChanges']}")
    _agree(
        len(finalised) == numbers["finalisedRounds"],
        missing,
        f"{len(finalised)} results, and not {numbers['finalisedRounds']}",
    )
    _agree(
        (finalised or [0])[-1] == latest,
        missing,
        f"the latest model is not of the last finalised round but of {latest}",
    )
    spent = settled * parameters.numbers["privacyCostPerRound"]
    _agree(spent == numbers["privacySpent"], missing, f"{settled} settlements do not spend {numbers['privacySpent']}")
    _agree([round_.number for round_ in rounds] == list(range(1, len(rounds) + 1)), missing, "rounds are left out")
    for round_ in rounds:
        before = sum(number < round_.number for number in finalised)
        reason = f"round {round_.number} starts from model {round_.opened.base_model} after {before} results"
        _agree(round_.opened.base_model == before, missing, reason)
        _round_complete(round_, missing, last=round_ is rounds[-1])


def _round_complete(round_: Round, missing: str, last: bool) -> None:
    name = f"round {round_.number}"
    _agree(last or round_.aborted or round_.finalised is not None, missing, f"{name} has no end")
    indices = [submission.index for submission in round_.submissions]
    _agree(indices == list(range(len(indices))), missing, f"{name}'s submissions are not 0, 1, 2, …")
    if round_.finalised is None:
        return
    settled = round_.settled
    if settled is None:
        raise Refused(missing, f"{name} is finalised and not settled")
    _agree(settled.settlement == round_.finalised.settlement, missing, f"{name} is finalised with another settlement")
    _agree(settled.settlement == settlement_of(settled), missing, f"{name}'s settlement is not the hash of its fields")
    _agree(settled.intake == intake_of(round_.submissions), missing, f"{name}'s intake is not that of its submissions")
