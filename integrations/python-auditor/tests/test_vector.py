"""The published vector is green, step by step, and red with anything in it changed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROUND, load

from verisum_auditor.__main__ import main
from verisum_auditor.audit import Audit
from verisum_auditor.chain import read_contract
from verisum_auditor.content import Folder
from verisum_auditor.faults import Refused
from verisum_auditor.keys import read_keys
from verisum_auditor.submission import check_submissions
from verisum_auditor.vector import read_answers

WORD = 32
CHANGES: list[dict[str, Any]] = load(ROUND / "verdict.json")["changes"]


def verdict(chain: dict[str, Any], content: Path = ROUND / "content", missing: frozenset[str] = frozenset()) -> Any:
    """The first red finding, the code with which an audit did not begin, or green: as `verdict.json` writes it."""
    try:
        audit = Audit(read_answers(chain), Folder(content, missing))
    except Refused as refusal:
        return {"refused": refusal.code}
    if audit.run():
        return "green"
    red = next(finding for finding in audit.findings if not finding.ok)
    return {"round": red.round, "check": red.check, "code": red.code}


def replace_word(chain: dict[str, Any], path: str, word: int, value: bytes) -> None:
    """Puts a word in the place of another one in the bytes at a path of `chain.json`."""
    *parents, last = path.split("/")
    at: Any = chain
    for key in parents:
        at = at[int(key)] if isinstance(at, list) else at[key]
    key_ = int(last) if isinstance(at, list) else last
    data = bytes.fromhex(at[key_][2:])
    at[key_] = "0x" + (data[: word * WORD] + value + data[(word + 1) * WORD :]).hex()


def test_the_vector_is_green(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ROUND)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "green"
    assert all(line.startswith("ok ") for line in lines[:-1])


def test_all_findings_are_made(chain: dict[str, Any]) -> None:
    audit = Audit(read_answers(chain), Folder(ROUND / "content"))
    audit.run()
    published = load(ROUND / "verdict.json")["findings"]
    assert [(f.round, f.check, f.ok) for f in audit.findings] == [
        (f["round"], f["check"], f["ok"]) for f in published
    ] + [(0, "content", True)]


@pytest.mark.parametrize("change", CHANGES, ids=[change["what"] for change in CHANGES])
def test_published_changes(chain: dict[str, Any], change: dict[str, Any]) -> None:
    for word in change["words"]:
        replace_word(chain, word["path"], word["word"], bytes.fromhex(word["value"][2:]))
    assert verdict(chain, missing=frozenset(change["missing"])) == change["verdict"]


def test_a_norm_bound_off_by_one_in_the_proofs_alone(original: dict[str, Any]) -> None:
    """The bound is a public signal of the last chunk's proof: without the document's rule it is red as well."""
    answers = read_answers(original)
    contract = read_contract(answers)
    keys = read_keys(answers.keys_code, contract.parameters)
    numbers = contract.parameters.numbers
    larger = replace(contract.parameters, numbers={**numbers, "normBoundSquared": numbers["normBoundSquared"] + 1})
    round_ = contract.rounds[0]
    faults = check_submissions(round_.submissions[:1], contract.deployment, contract.models_before(1), larger, keys)
    assert faults == ["the proof of chunk 2 does not hold"]


FILES = sorted(path.relative_to(ROUND / "content") for path in (ROUND / "content").glob("*/*"))


def expected_check(file: Path, values: dict[str, Any]) -> Any:
    """What one changed byte in a file makes red."""
    directory, name = str(file.parent), file.name
    if name == "task.json":
        return {"refused": "TASK_DOCUMENT_INVALID"}
    if directory == values["cids"]["genesis"]:
        return {"round": 0, "check": "genesis", "code": "MODEL_DIGEST_MISMATCH"}
    for round_ in values["rounds"]:
        if directory == round_["result"]["aggregate"]:
            return {"round": round_["round"], "check": "aggregate", "code": "AGGREGATE_DIGEST_MISMATCH"}
        if directory == round_["result"]["model"]:
            return {"round": round_["round"], "check": "model", "code": "MODEL_DIGEST_MISMATCH"}
    return {"round": 0, "check": "content", "code": "AUDIT_FAILED"}


@pytest.mark.parametrize("file", FILES, ids=[f"{file.parent.name[-6:]}-{file.name}" for file in FILES])
def test_a_changed_byte_of_a_file(chain: dict[str, Any], tmp_path: Path, file: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROUND / "content", content)
    data = bytearray((content / file).read_bytes())
    data[len(data) // 2] ^= 1
    (content / file).write_bytes(data)
    assert verdict(chain, content) == expected_check(file, load(ROUND / "values.json"))


def test_a_file_that_no_check_reads_is_compared_with_its_cid(chain: dict[str, Any], tmp_path: Path) -> None:
    content = tmp_path / "content"
    shutil.copytree(ROUND / "content", content)
    bundle = next(content.glob("*/seat-1.bin"))
    bundle.with_name("seat-9.bin").write_bytes(b"")
    assert verdict(chain, content)["check"] == "content"
