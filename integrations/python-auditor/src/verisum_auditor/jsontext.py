"""JSON as ECMAScript reads and writes it (§11)."""

from __future__ import annotations

import json
import re
from typing import Any

from verisum_auditor.faults import Unreadable

Json = Any
"""What JSON has: None, bool, int, float, str, list and dict."""

SAFE_INTEGER = 2**53


def read_json(data: bytes, what: str) -> Json:
    """Decodes a file. Raises `Unreadable` for a byte order mark, other UTF-8, a key that is there twice, and what is no JSON."""
    try:
        if data.startswith(b"\xef\xbb\xbf"):
            raise ValueError("a byte order mark")
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{what} is no JSON: {error}") from error


def _without_repeats(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _integer(text: str) -> int | float:
    value = int(text)
    return value if abs(value) < SAFE_INTEGER and text != "-0" else float(text)


def _refuse_constant(text: str) -> Json:
    raise ValueError(text)


def write_json(value: Json) -> bytes:
    """A file: two spaces of indentation, and one newline at the end."""
    return (_text(value, "\n") + "\n").encode("utf-8")


def write_compact(value: Json) -> str:
    """JSON without spaces between its parts."""
    return _text(value, None)


def _text(value: Json, newline: str | None) -> str:
    if isinstance(value, float):
        return write_number(value)
    if not isinstance(value, list | dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = None if newline is None else newline + "  "
    if isinstance(value, list):
        opening, closing, parts = "[", "]", [_text(item, inner) for item in value]
    else:
        colon = ":" if newline is None else ": "
        opening, closing = "{", "}"
        parts = [f"{json.dumps(key, ensure_ascii=False)}{colon}{_text(item, inner)}" for key, item in value.items()]
    return opening + (inner or "") + f",{inner or ''}".join(parts) + (newline or "") + closing


def write_number(value: float) -> str:
    """A finite double as ECMAScript's `Number::toString` writes it."""
    if value == 0:
        return "0"
    match = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?", repr(value))
    if match is None:
        raise ValueError(f"{value} is no number of JSON")
    sign, whole, fraction, exponent = match[1], match[2], match[3] or "", int(match[4] or 0)
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + exponent - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 1 else '-'}{abs(point - 1)}"
