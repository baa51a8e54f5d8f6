"""Bytes over HTTP, with the package's limits: only http and https, so many bytes, tried so often."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

ATTEMPTS = 4
TIMEOUT_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
"""Doubles with each attempt."""
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that another attempt may change."""


class Unanswered(Exception):
    """A server gave no answer that can be used; the text says what it did instead."""


class TooLong(Unanswered):
    """An answer of more bytes than are read."""


def check_url(url: str) -> str:
    """The URL without a slash at its end. Raises `ValueError` for another scheme than http and https, or no host."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{shown(url)} is no http or https URL")
    return url.rstrip("/")


def shown(url: str) -> str:
    """A URL as it may be printed: without user, path and query, in which providers have their customers' keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def fetch(
    url: str,
    most_bytes: int,
    headers: Mapping[str, str],
    body: bytes | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> bytes:
    """The body of an answer with status 200: of a POST where there is a `body`. Raises `Unanswered`."""
    request = Request(url, data=body, headers={"User-Agent": "verisum-auditor", **headers})
    for attempt in range(ATTEMPTS):
        if attempt:
            pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return _once(request, most_bytes)
        except HTTPError as error:
            error.close()
            reason = f"status {error.code}"
            if error.code not in BUSY:
                break
        except (URLError, HTTPException, OSError) as error:
            reason = str(getattr(error, "reason", "") or error) or type(error).__name__
    raise Unanswered(f"{shown(url)}: {reason}")


def _once(request: Request, most_bytes: int) -> bytes:
    with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status != 200:
            raise HTTPException(f"status {answer.status}")
        data: bytes = answer.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise TooLong(f"{shown(request.full_url)}: an answer of more than {most_bytes} bytes")
    return data
