"""Settlements: who took part, what was taken in, and the sum of commitments (§7, §9)."""

from __future__ import annotations

from collections.abc import Sequence

from verisum_auditor.curve import G1, affine, combine, read_g1
from verisum_auditor.events import ClientLeft, ClientRegistered, MemberRegistered, Settled, Submitted
from verisum_auditor.faults import require
from verisum_auditor.parameters import Parameters
from verisum_auditor.words import Words, chain, hash_words, tag

MAX_TOTAL_WEIGHT = 511


def xy(point: bytes) -> tuple[bytes, bytes]:
    """The two words of a point or of a signature."""
    return point[:32], point[32:]


def shares_digest(submission: Submitted) -> bytes:
    """`sharesDigest` of §2."""
    return hash_words(*submission.share_hashes)


def record_of(submission: Submitted) -> bytes:
    """`record` of §2."""
    return hash_words(
        submission.round,
        submission.client,
        submission.weight,
        *xy(submission.commitment),
        shares_digest(submission),
        submission.shares_cid,
    )


def intake_of(submissions: Sequence[Submitted]) -> bytes:
    """`intake` of a round's submissions by index (§2)."""
    return chain([record_of(submission)] for submission in submissions)


def settlement_of(settled: Settled) -> bytes:
    """`settlement` from the other fields of `Settled` (§2)."""
    return hash_words(
        tag("settlement"), settled.round, settled.intake, settled.included, settled.total_weight, *xy(settled.sum)
    )


def member_of(members: Sequence[MemberRegistered], seat: int, round_: int) -> bytes | None:
    """The address of a seat's member in a round (§7); None if the seat has nobody."""
    terms = [event.member for event in members if event.seat == seat and event.from_round <= round_]
    return terms[-1] if terms and any(terms[-1]) else None


def belongs(clients: Sequence[ClientRegistered | ClientLeft], submission: Submitted) -> bool:
    """Whether the client was of the round with the weight that it submitted with (§7)."""
    terms: list[tuple[int, int, int | None]] = []
    for event in clients:
        if event.client != submission.client:
            continue
        if isinstance(event, ClientRegistered):
            terms.append((event.from_round, event.weight, None))
        else:
            require(bool(terms) and terms[-1][2] is None, "a client left that was none")
            terms[-1] = (*terms[-1][:2], event.until_round)
    return any(
        weight == submission.weight and start <= submission.round and (end is None or submission.round < end)
        for start, weight, end in terms
    )


def included_of(settled: Settled, submissions: Sequence[Submitted]) -> list[Submitted]:
    """`U`, by index."""
    return [submission for submission in submissions if settled.included >> submission.index & 1]


def check_settlement(
    settled: Settled,
    submissions: Sequence[Submitted],
    parameters: Parameters,
    clients: Sequence[ClientRegistered | ClientLeft],
) -> str:
    """The check `settlement` of §14; the result is a line for the list. Raises `Fault`."""
    numbers = parameters.numbers
    require([s.index for s in submissions] == list(range(len(submissions))), "an index is missing or twice")
    require(len({s.client for s in submissions}) == len(submissions), "a client submitted twice")
    for submission in submissions:
        name = f"0x{submission.client.hex()}"
        require(1 <= submission.weight <= numbers["maxWeight"], f"{name}'s weight is {submission.weight}")
        require(belongs(clients, submission), f"{name} was not of the round with weight {submission.weight}")
    require(sum(s.weight for s in submissions) <= MAX_TOTAL_WEIGHT, f"weights add up to more than {MAX_TOTAL_WEIGHT}")
    attested, counted = settled.members.bit_count(), settled.included.bit_count()
    require(attested >= numbers["quorum"], f"{attested} members attested, fewer than {numbers['quorum']}")
    require(settled.members >> numbers["committeeSize"] == 0, "somebody attested who has no seat")
    fewest = max(numbers["minClients"], len(submissions) - numbers["maxCorrupt"])
    require(counted >= fewest, f"{counted} clients are included, fewer than {fewest}")
    require(settled.included >> len(submissions) == 0, "somebody is included who did not submit")
    weight = sum(submission.weight for submission in included_of(settled, submissions))
    require(settled.total_weight == weight, f"totalWeight is {settled.total_weight} and not {weight}")
    require(settled.intake == intake_of(submissions), "intake is not that of the submissions")
    require(settled.settlement == settlement_of(settled), "settlement is not the hash of its fields")
    return f"{counted} of {len(submissions)} clients, attested by {attested} members"


def check_sum(settled: Settled, submissions: Sequence[Submitted]) -> G1:
    """The check `sum of commitments`: `C_Σ`. Raises `Fault` where it is not that of `Settled`."""
    total = combine((s.weight, read_g1(Words(s.commitment, "C"))) for s in included_of(settled, submissions))
    recorded = tuple(int.from_bytes(word, "big") for word in xy(settled.sum))
    require(affine(total) == recorded, "the weighted sum of the commitments is not that of Settled")
    return total
