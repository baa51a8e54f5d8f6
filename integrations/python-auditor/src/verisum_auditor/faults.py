"""What an audit finds (§14)."""

from __future__ import annotations

from dataclasses import dataclass


class Fault(Exception):
    """What makes one check red. Whoever runs the check adds its name and its code."""


UNAVAILABLE = "IPFS_UNAVAILABLE"
"""The code of each check for which content is missing."""


class Missing(Fault):
    """Content that nobody has, so that a check cannot be made: red, and nobody's fault yet."""


class Unreadable(Fault):
    """Bytes that are not of the form that §1 to §6 give them."""


class Refused(Exception):
    """There is nothing to audit: what §14 asks for before anything does not hold."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class Finding:
    """One line of the checklist. `round` 0 is the task; `code` is empty where it is green."""

    round: int
    check: str
    ok: bool
    detail: str
    code: str = ""


def require(holds: bool, reason: str) -> None:
    """Raises `Fault` with the reason unless the condition holds."""
    if not holds:
        raise Fault(reason)
