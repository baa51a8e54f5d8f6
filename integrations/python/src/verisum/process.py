"""A trainer that the client starts once in each round: `--trainer "python train.py"`."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from .errors import TrainerError
from .round import SIT_OUT, Evaluate, Fit, parse_round, progress_line
from .tensors import base_weights, encode_update, read_safetensors

DONE = 0
FAILED = 1
USAGE = 2
SAT_OUT = 10


def run(fit: Fit, *, evaluate: Evaluate | None = None) -> NoReturn:
    """Trains once, in the folder that is this program's last argument, and ends the program.

    :param fit: gets the base's weights by name and the `Round`; returns the trained weights by name, a `Difference`,
        or `SIT_OUT`. What it raises is the round's failure, and stands in the round's log
    :param evaluate: measures a model, where the client is told `--evaluator` with this program
    """
    sys.exit(main(fit, sys.argv[1:], evaluate=evaluate))


def main(fit: Fit, arguments: Sequence[str], *, evaluate: Evaluate | None = None) -> int:
    """`run` without the end: the exit status."""
    if not arguments or not Path(arguments[-1]).is_dir():
        print(
            "verisum: the last argument is the round's folder; start this program by "
            'fl-client join --trainer "python …"',
            file=sys.stderr,
        )
        return USAGE
    _end_with_the_client()
    previous = signal.signal(signal.SIGTERM, _terminated)
    try:
        return _train(fit, Path(arguments[-1]), evaluate or getattr(fit, "evaluate", None))
    except Exception:
        traceback.print_exc()
        return FAILED
    finally:
        signal.signal(signal.SIGTERM, previous)


def _train(fit: Fit, folder: Path, evaluate: Evaluate | None) -> int:
    tensors, metadata = read_safetensors((folder / "base.safetensors").read_bytes())
    round = parse_round(json.loads((folder / "config.json").read_text("utf-8")), metadata, time.monotonic())
    weights = base_weights(tensors, round)
    if round.evaluates:
        if evaluate is None:
            raise TrainerError("this program measures no models: give run() an evaluate function")
        print(progress_line(evaluate(weights, round)), flush=True)
        return DONE
    result = fit(weights, round)
    if result is SIT_OUT:
        return SAT_OUT
    # Whole or not there: a program that is ended meanwhile leaves no half of it.
    partial = folder / "update.partial"
    partial.write_bytes(encode_update(result, round))
    partial.rename(folder / "update.safetensors")
    return DONE


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """Ends the training as an exception, so that its `finally` blocks run; a second later the client kills."""
    raise SystemExit(128 + number)


def _end_with_the_client() -> None:
    """The client holds the other end of standard input: its end is the client's."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=_watch_standard_input, daemon=True).start()


def _watch_standard_input() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
