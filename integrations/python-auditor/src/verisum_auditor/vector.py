"""The published vector (§15)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from verisum_auditor.chain import FUNCTIONS, Answers, Deployed
from verisum_auditor.decode import Log
from verisum_auditor.endpoint import parse_hex
from verisum_auditor.faults import Refused
from verisum_auditor.jsontext import read_json


def read_answers(chain: dict[str, Any]) -> Answers:
    """What `chain.json` has. Raises `Refused` where it is something else."""
    try:
        contract = parse_hex(chain["contract"])
        deployed = chain["deployed"]
        logs = [log for log in chain["logs"] if parse_hex(log["address"]) == contract and not log.get("removed")]
        return Answers(
            chain_id=int(chain["chainId"], 16),
            contract=contract,
            calls={name: parse_hex(chain["calls"][name]) for name in FUNCTIONS},
            keys_code=parse_hex(chain["keysCode"]),
            logs=[Log([parse_hex(topic) for topic in log["topics"]], parse_hex(log["data"])) for log in logs],
            deployed=Deployed(parse_hex(deployed["parentHash"]), parse_hex(deployed["mixHash"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused("CHAIN_EVENTS_MISSING", f"chain.json has another form: {error!r}") from error


def load_chain(folder: Path) -> dict[str, Any]:
    """`chain.json` of a vector's folder."""
    chain = read_json((folder / "chain.json").read_bytes(), "chain.json")
    if not isinstance(chain, dict):
        raise Refused("CHAIN_EVENTS_MISSING", "chain.json is no object")
    return chain
