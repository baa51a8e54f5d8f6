"""Submissions: Groth16 proofs with committed wires, and the opening of the commitment (§8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verisum_auditor.curve import (
    G1,
    GENERATOR2,
    Equation,
    all_hold,
    combine,
    is_infinity,
    negate,
    opening_equation,
    read_g1,
)
from verisum_auditor.events import ChunkProof, Submitted
from verisum_auditor.faults import Fault, require
from verisum_auditor.keys import Keys, KindKey
from verisum_auditor.parameters import Parameters
from verisum_auditor.settlement import shares_digest, xy
from verisum_auditor.words import FIELD_ORDER, Words, chain, hash_words, reduced, tag

FIRST_ACCUMULATOR_HASH = 0x2098F5FB9E239EAB3CEAC3F27B81E481DC3124D55FFED523A839EE8446B64864
NORM_ACCUMULATOR_BITS = 48


@dataclass(frozen=True)
class Challenge:
    """What a submission's proofs are about: hashes and points of §8, and `Y`."""

    wires_digest: bytes
    challenge: bytes
    alpha: int
    z: int
    y: int


def challenge_of(submission: Submitted, deployment: bytes, base_digest: bytes, parameters: Parameters) -> Challenge:
    """The hashes of a submission (§2), and the value `Y` to which its commitment opens at `z`."""
    wires_digest = chain(xy(chunk.d) for chunk in submission.chunks)
    challenge = hash_words(
        tag("challenge"),
        deployment,
        submission.round,
        submission.client,
        submission.weight,
        base_digest,
        submission.base,
        *xy(submission.commitment),
        shares_digest(submission),
        submission.shares_cid,
        wires_digest,
        len(submission.evaluations),
        len(submission.chunks),
    )
    alpha, z = reduced(hash_words(tag("alpha"), challenge)), reduced(hash_words(tag("z"), challenge))
    places = (chunk.first_element for chunk in parameters.chunks)
    y = sum(pow(z, place, FIELD_ORDER) * chunk.y for place, chunk in zip(places, submission.chunks)) % FIELD_ORDER
    return Challenge(wires_digest, challenge, alpha, z, y)


def submission_equations(
    submission: Submitted, deployment: bytes, models: Sequence[bytes], parameters: Parameters, keys: Keys
) -> list[Equation]:
    """The equations of one submission: one for each chunk, and the opening. Raises `Fault` for what they cannot be written with.

    `models` are the digests of all models up to the round's base, by number.
    """
    numbers = parameters.numbers
    require(len(submission.chunks) == len(parameters.chunks), f"{len(submission.chunks)} chunks")
    require(len(submission.share_hashes) == numbers["committeeSize"], f"{len(submission.share_hashes)} share hashes")
    require(len(submission.evaluations) == numbers["threshold"] - 1, f"{len(submission.evaluations)} share evaluations")
    commitment = read_g1(Words(submission.commitment, "C"))
    require(not is_infinity(commitment), "the commitment is infinity")
    latest = len(models) - 1
    oldest = max(0, latest - numbers["maxStaleness"])
    require(oldest <= submission.base <= latest, f"starts from model {submission.base}, not of {oldest} to {latest}")
    facts = challenge_of(submission, deployment, models[submission.base], parameters)
    equations = []
    previous = FIRST_ACCUMULATOR_HASH
    for place, (chunk, proof) in enumerate(zip(parameters.chunks, submission.chunks)):
        last = place == len(parameters.chunks) - 1
        bound = numbers["normBoundSquared"] if last else 2**NORM_ACCUMULATOR_BITS - 1
        require(proof.y < FIELD_ORDER and proof.h < FIELD_ORDER, f"y or h of chunk {place + 1} is not below r")
        signals = [proof.y, proof.h, facts.alpha, facts.z, bound, previous]
        equations.append(_proof_equation(proof, signals, keys, keys.kinds[chunk.kind]))
        previous = proof.h
    opening = read_g1(Words(submission.opening, "the opening"))
    equations.append(opening_equation(commitment, facts.z, facts.y, opening, keys.tau))
    return equations


def _proof_equation(proof: ChunkProof, signals: Sequence[int], keys: Keys, key: KindKey) -> Equation:
    d, a, b, pi = proof.points()
    require(not (is_infinity(d) or is_infinity(a) or is_infinity(b)), "a proof's D, A or B is infinity")
    public: G1 = combine([(1, key.bases[0]), *zip(signals, key.bases[1:])])
    return Equation([(negate(a), b), (keys.alpha, keys.beta), (public, GENERATOR2), (d, key.sigma), (pi, key.delta)])


def check_submissions(
    submissions: Sequence[Submitted], deployment: bytes, models: Sequence[bytes], parameters: Parameters, keys: Keys
) -> list[str]:
    """What is wrong with each submission of a round; empty text where it holds. All are checked in one batch first."""
    faults: list[str] = []
    readable: list[tuple[int, list[Equation]]] = []
    for place, submission in enumerate(submissions):
        try:
            readable.append((place, submission_equations(submission, deployment, models, parameters, keys)))
            faults.append("")
        except Fault as fault:
            faults.append(str(fault))
    if readable and not all_hold([equation for _, equations in readable for equation in equations]):
        for place, equations in readable:
            wrong = [number for number, equation in enumerate(equations) if not all_hold([equation])]
            names = ["the opening" if n == len(equations) - 1 else f"the proof of chunk {n + 1}" for n in wrong]
            faults[place] = "; ".join(f"{name} does not hold" for name in names)
    return faults
