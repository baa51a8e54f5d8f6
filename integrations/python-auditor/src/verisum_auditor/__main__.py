"""`python -m verisum_auditor VECTOR_DIR`: prints a checklist, and ends 0 when all is green."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from verisum_auditor.audit import Audit
from verisum_auditor.content import Folder
from verisum_auditor.faults import Finding, Refused
from verisum_auditor.vector import load_chain, read_answers


def print_finding(finding: Finding) -> None:
    """One line of the checklist."""
    where = f"round {finding.round}" if finding.round else "task"
    code = "" if finding.ok else f" [{finding.code}]"
    print(f"{'ok ' if finding.ok else 'RED'}  {where:9} {finding.check}: {finding.detail}{code}", flush=True)


def main(arguments: list[str]) -> int:
    """Audits; 0 when green, 1 when red."""
    parser = argparse.ArgumentParser(prog="verisum_auditor", description=__doc__)
    parser.add_argument(
        "vector", type=Path, help="a folder with chain.json and content/, as docs/formats.md has them in section 15"
    )
    options = parser.parse_args(arguments)
    try:
        audit = Audit(read_answers(load_chain(options.vector)), Folder(options.vector / "content"), print_finding)
    except Refused as refusal:
        print(f"RED  nothing to audit: {refusal.reason} [{refusal.code}]")
        return 1
    green = audit.run()
    red = [finding for finding in audit.findings if not finding.ok]
    print("green" if green else f"red: {red[0].check} of round {red[0].round}")
    return 0 if green else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
