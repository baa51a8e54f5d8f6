"""The checklist of an audit (§14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from verisum_auditor.aggregate import AGGREGATE_FILE, aggregate_bytes, decode_sums, find_aggregate
from verisum_auditor.chain import Answers, Contract, Round, check_deployment, read_contract
from verisum_auditor.checkpoint import CONFIG, STATE, TENSORS, TOPOLOGY, checkpoint_files, read_topology
from verisum_auditor.cid import cid_text, directory_digest
from verisum_auditor.content import Content, check_directories, only_file
from verisum_auditor.curve import G1, all_hold, opening_equation, read_g1
from verisum_auditor.document import Document, read_document
from verisum_auditor.events import Finalised, Settled
from verisum_auditor.faults import UNAVAILABLE, Fault, Finding, Missing, Refused, require
from verisum_auditor.jsontext import Json, read_json
from verisum_auditor.keys import Keys, read_keys
from verisum_auditor.model import Model, model_bytes, next_model, read_model
from verisum_auditor.settlement import check_settlement, check_sum, included_of, member_of
from verisum_auditor.signatures import RELEASE, RESULT, separator, signed_hash, signer
from verisum_auditor.submission import check_submissions
from verisum_auditor.words import Words, hash_words, leaf_digest, reduced, tag

T = TypeVar("T")

CODES = {
    "keys": "KEY_REFUSED",
    "genesis": "MODEL_DIGEST_MISMATCH",
    "submission": "SUBMISSION_INVALID",
    "sum of commitments": "AGGREGATE_COMMITMENT_MISMATCH",
    "opening": "AGGREGATE_EVALUATION_MISMATCH",
    "aggregate": "AGGREGATE_DIGEST_MISMATCH",
    "model": "MODEL_DIGEST_MISMATCH",
}
"""The codes of checks; all others have `AUDIT_FAILED`, and missing content `UNAVAILABLE`."""


class Audit:
    """One audit. `run` makes all checks and leaves them in `findings`; each is told to `report` as soon as it is made."""

    def __init__(
        self, answers: Answers, content: Content, report: Callable[[Finding], None] = lambda finding: None
    ) -> None:
        self._content = content
        self._report = report
        self.findings: list[Finding] = []
        self._contract: Contract = read_contract(answers)
        self._document: Document = self._read_document()
        check_deployment(answers)
        self._genesis: Mapping[str, bytes] = {}
        self._keys: Keys | None = None
        self._domain = separator(answers.chain_id, answers.contract, self._contract.deployment)

    def _read_document(self) -> Document:
        parameters = self._contract.parameters
        try:
            return read_document(only_file(self._content, parameters.digests["taskCid"], "task.json"), parameters)
        except Missing as fault:
            raise Refused(UNAVAILABLE, str(fault)) from fault
        except Fault as fault:
            raise Refused("TASK_DOCUMENT_INVALID", str(fault)) from fault

    def _note(self, round_: int, check: str, fault: str, detail: str) -> None:
        """Writes a finding down. `fault` is the code of a red one, and empty for a green one."""
        finding = Finding(round_, check, not fault, detail, fault)
        self.findings.append(finding)
        self._report(finding)

    def _check(self, round_: int, check: str, make: Callable[[], tuple[T, str]]) -> T | None:
        try:
            value, detail = make()
        except Fault as fault:
            code = UNAVAILABLE if isinstance(fault, Missing) else CODES.get(check, "AUDIT_FAILED")
            self._note(round_, check, code, str(fault))
            return None
        self._note(round_, check, "", detail)
        return value

    def run(self) -> bool:
        """Makes all checks; whether all are green."""
        self._keys = self._check(0, "keys", self._check_keys)
        model = self._check(0, "genesis", self._check_genesis)
        digests = self._contract.parameters.digests
        last = (0, digests["genesisCid"], digests["genesisDigest"])
        for round_ in self._contract.rounds:
            if round_.finalised is None or round_.settled is None:
                continue
            if model is None or self._keys is None:
                break
            model = self._round(round_, round_.settled, round_.finalised, model, last)
            last = (round_.number, round_.finalised.model_cid, round_.finalised.model_digest)
        if model is not None and self._keys is not None:
            self._check(last[0], "latest model", lambda: self._check_latest(last))
        if self._content.digests():
            self._check(0, "content", lambda: (True, check_directories(self._content)))
        return all(finding.ok for finding in self.findings)

    def _check_keys(self) -> tuple[Keys, str]:
        keys = read_keys(self._contract.keys_code, self._contract.parameters)
        return keys, f"{len(keys.kinds)} keys, hash as recorded, none degenerate"

    def _check_genesis(self) -> tuple[Model, str]:
        parameters, document = self._contract.parameters, self._document
        digest = parameters.digests["genesisCid"]
        files = dict(self._content.directory(digest))
        absent = [name for name in (CONFIG, TENSORS, STATE, TOPOLOGY) if name not in files]
        if absent:
            raise Missing(f"nobody has {cid_text(digest)}/{absent[0]}")
        model = read_model(files[STATE], parameters.numbers["dimension"], document.server.kept)
        require(
            leaf_digest("model", files[STATE]) == parameters.digests["genesisDigest"], "state.bin has not genesisDigest"
        )
        require(directory_digest(files) == digest, f"what lies at {cid_text(digest)} is not what the CID names")
        read_topology(files, document, parameters.numbers["dimension"])
        self._genesis = files
        return model, f"{len(model.weights)} weights at {cid_text(digest)}"

    def _round(
        self, round_: Round, settled: Settled, result: Finalised, base: Model, last: tuple[int, bytes, bytes]
    ) -> Model | None:
        """All checks of a finalised round; its model, or None where no later round can be looked at."""
        number, parameters = round_.number, self._contract.parameters
        started = self._check(number, "base model", lambda: self._check_base(round_, last))
        self._submissions(round_)
        fixed = self._check(
            number,
            "settlement",
            lambda: (True, check_settlement(settled, round_.submissions, parameters, self._contract.clients)),
        )
        included = included_of(settled, round_.submissions)
        total = self._check(
            number,
            "sum of commitments",
            lambda: (check_sum(settled, round_.submissions), f"Σ w·C of {len(included)} commitments"),
        )
        self._check(number, "releases", lambda: self._check_releases(result))
        self._check(number, "signatures", lambda: self._check_signatures(result))
        point = reduced(
            hash_words(
                tag("result"),
                self._contract.deployment,
                number,
                result.settlement,
                result.aggregate_digest,
                result.model_digest,
            )
        )
        if total is not None:
            self._check(number, "opening", lambda: self._check_opening(total, point, result))
        elements = self._check(number, "aggregate", lambda: find_aggregate(self._content, result, point, parameters))
        if elements is None:
            return None
        model = self._check(number, "model", lambda: self._check_model(round_, result, base, elements))
        return model if started and fixed else None

    def _check_base(self, round_: Round, last: tuple[int, bytes, bytes]) -> tuple[bool, str]:
        opened = round_.opened
        require(opened.base_cid == last[1], f"starts from {cid_text(opened.base_cid)} and not from {cid_text(last[1])}")
        require(opened.base_digest == last[2], "starts from a model with another digest than the last one")
        return True, f"starts from {cid_text(opened.base_cid)}"

    def _submissions(self, round_: Round) -> None:
        assert self._keys is not None
        contract = self._contract
        faults = check_submissions(
            round_.submissions,
            contract.deployment,
            contract.models_before(round_.number),
            contract.parameters,
            self._keys,
        )
        for submission, fault in zip(round_.submissions, faults):
            detail = fault or f"{len(submission.chunks)} proofs and the opening verify"
            code = CODES["submission"] if fault else ""
            self._note(round_.number, "submission", code, f"0x{submission.client.hex()}: {detail}")

    def _signed(self, round_: int, seat: int, digest: bytes, signature: bytes) -> None:
        member = member_of(self._contract.members, seat, round_)
        require(member is not None, f"seat {seat} has nobody in the round")
        require(signer(digest, signature) == member, f"the signature of seat {seat} is not its member's")

    def _check_releases(self, result: Finalised) -> tuple[bool, str]:
        seats = sorted({release.seat for release in result.releases})
        fewest = self._contract.parameters.numbers["threshold"]
        require(len(seats) >= fewest, f"releases of {len(seats)} seats, fewer than {fewest}")
        for release in result.releases:
            digest = signed_hash(self._domain, RELEASE, result.round, result.settlement, release.cid)
            self._signed(result.round, release.seat, digest, release.signature)
        return True, f"seats {', '.join(map(str, seats))} signed where their sums of shares are"

    def _check_signatures(self, result: Finalised) -> tuple[bool, str]:
        seats = [seat for seat in range(1, 33) if result.signers >> (seat - 1) & 1]
        fewest = self._contract.parameters.numbers["threshold"]
        require(len(seats) >= fewest, f"{len(seats)} seats signed, fewer than {fewest}")
        require(len(seats) == len(result.signatures), f"{len(result.signatures)} signatures of {len(seats)} seats")
        fields = (result.aggregate_cid, result.aggregate_digest, result.model_cid, result.model_digest)
        digest = signed_hash(self._domain, RESULT, result.round, result.settlement, *fields)
        for seat, signature in zip(seats, result.signatures):
            self._signed(result.round, seat, digest, signature)
        return True, f"seats {', '.join(map(str, seats))} signed the result"

    def _check_opening(self, total: G1, point: int, result: Finalised) -> tuple[bool, str]:
        assert self._keys is not None
        proof = read_g1(Words(result.opening, "the opening"))
        equation = opening_equation(total, point, result.evaluation, proof, self._keys.tau)
        require(all_hold([equation]), "the sum of the commitments does not open at z' to y'")
        return True, "the sum opens at z' to y'"

    def _check_model(self, round_: Round, result: Finalised, base: Model, elements: list[int]) -> tuple[Model, str]:
        contract, document, settled = self._contract, self._document, round_.settled
        assert settled is not None
        sums = decode_sums(elements, contract.parameters)
        model = next_model(base, sums, settled.total_weight, document)
        require(leaf_digest("model", model_bytes(model)) == result.model_digest, "the model has another digest")
        named = directory_digest({AGGREGATE_FILE: aggregate_bytes(elements)})
        require(named == result.aggregate_cid, "aggregate.bin has another CID than aggregateCid")
        text = cid_text(result.model_cid)
        published = self._content.directory(result.model_cid)
        if CONFIG not in published:
            return model, f"{len(model.weights)} weights recomputed; {text}/{CONFIG} is gone, so its CID is not checked"
        claimed: Json = read_json(published[CONFIG], CONFIG)
        require(isinstance(claimed, dict), "config.json is no object")
        made = checkpoint_files(
            contract,
            document,
            dict(self._genesis),
            round_.opened,
            result,
            included_of(settled, round_.submissions),
            model,
            claimed,
        )
        require(directory_digest(made) == result.model_cid, f"the checkpoint's files have not the CID {text}")
        for name, data in published.items():
            require(made.get(name) == data, f"what lies at {text}/{name} is not what the CID names")
        return model, f"{len(model.weights)} weights recomputed bit for bit: {text}"

    def _check_latest(self, last: tuple[int, bytes, bytes]) -> tuple[bool, str]:
        require(self._contract.latest_model == last, "latestModel() is not the last model that was checked")
        return True, "the contract's model is the audited one"
