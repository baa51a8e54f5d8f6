"""Audits a task of Verisum, live or as a published vector has it, and prints a checklist.

Ends 0 when all is green; 1 when something is red, or the contract is no task's; 2 when what is needed cannot be had: the
endpoint, the right chain, all events, or content, with nothing else red; 3 when interrupted; 4 for wrong use.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from verisum_auditor.audit import Audit
from verisum_auditor.chain import Answers
from verisum_auditor.content import Content, Folder
from verisum_auditor.endpoint import Endpoint
from verisum_auditor.faults import UNAVAILABLE, Finding, Refused
from verisum_auditor.gateway import Gateways
from verisum_auditor.live import Wanted, read_live
from verisum_auditor.transfer import check_url
from verisum_auditor.vector import load_chain, read_answers

GREEN, RED, UNREACHED, INTERRUPTED, WRONG_USE = range(5)
"""The exit statuses, those of docs/errors.md."""
AWAY = frozenset({"CHAIN_UNREACHABLE", "CHAIN_WRONG_NETWORK", "CHAIN_EVENTS_MISSING", UNAVAILABLE})
"""Codes that blame nobody of the task: another endpoint or gateway may help."""


class Parser(argparse.ArgumentParser):
    """Ends with `WRONG_USE`, where argparse would end with 2."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and what was wrong, and ends."""
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def _address(text: str) -> bytes:
    if not text.startswith("0x") or len(text) != 42:
        raise ValueError(text)
    return bytes.fromhex(text[2:])


def _block(text: str) -> int | str:
    return text if text in ("latest", "safe", "finalized") else _number(text)


def _number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _parser() -> Parser:
    parser = Parser(
        prog="verisum_auditor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("vector", type=Path, nargs="?", help="a folder with chain.json and content/ (docs/formats.md, 15)")
    live = parser.add_argument_group("a live task, instead of a folder")
    live.add_argument("--rpc", type=check_url, metavar="URL", help="a JSON-RPC endpoint of the chain")
    live.add_argument("--contract", type=_address, metavar="0x…", help="the task's contract")
    live.add_argument(
        "--gateway", type=check_url, metavar="URL", action="append", default=[],
        help="a trustless IPFS gateway, or a node of the task; several are asked in turn",
    )  # fmt: skip
    live.add_argument("--chain-id", type=_number, metavar="N", help="the chain that the endpoint has to serve")
    live.add_argument(
        "--block", type=_block, metavar="N", default="finalized",
        help="as of which block: a number, latest, safe or finalized (the default)",
    )  # fmt: skip
    live.add_argument(
        "--from-block", type=_number, metavar="N", help="no event is older; without it the deployment's block is looked for"
    )
    live.add_argument(
        "--skip-deployment", action="store_true",
        help="does not compare deployment() with its block: for chains whose contracts see other blocks than JSON-RPC tells",
    )  # fmt: skip
    return parser


def _tell(text: str) -> None:
    print(f"note {text}", file=sys.stderr, flush=True)


def _inputs(parser: Parser, arguments: list[str]) -> tuple[Answers, Content]:
    options = parser.parse_args(arguments)
    live = bool(options.rpc or options.contract or options.gateway)
    if live == (options.vector is not None) or (live and not (options.rpc and options.contract and options.gateway)):
        parser.error("give a folder, or all of --rpc, --contract and --gateway")
    if not live:
        return read_answers(load_chain(options.vector)), Folder(options.vector / "content")
    wanted = Wanted(
        options.contract, options.block, options.from_block, options.chain_id, not options.skip_deployment
    )
    return read_live(Endpoint(options.rpc), wanted, _tell), Gateways(options.gateway, _tell)


def print_finding(finding: Finding) -> None:
    """One line of the checklist."""
    where = f"round {finding.round}" if finding.round else "task"
    code = "" if finding.ok else f" [{finding.code}]"
    print(f"{'ok ' if finding.ok else 'RED'}  {where:9} {finding.check}: {finding.detail}{code}", flush=True)


def main(arguments: list[str]) -> int:
    """Audits; the exit status."""
    try:
        answers, content = _inputs(_parser(), arguments)
        audit = Audit(answers, content, print_finding)
        green = audit.run()
    except Refused as refusal:
        print(f"RED  nothing to audit: {refusal.reason} [{refusal.code}]")
        return UNREACHED if refusal.code in AWAY else RED
    except KeyboardInterrupt:
        return INTERRUPTED
    red = [finding for finding in audit.findings if not finding.ok]
    print("green" if green else f"red: {red[0].check} of round {red[0].round}")
    if green:
        return GREEN
    return UNREACHED if all(finding.code in AWAY for finding in red) else RED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
