"""A trainer that stays, such as one that holds a GPU: `--trainer http://127.0.0.1:8000`."""

from __future__ import annotations

import hmac
import json
import os
import select
import socket
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NoReturn

from .errors import TrainerError
from .round import SIT_OUT, Evaluate, Fit, Round, parse_round, progress_line
from .tensors import base_weights, encode_update, read_safetensors

TOKEN_VARIABLE = "VERISUM_TRAINER_TOKEN"
_LEAST_TOKEN = 16
_LARGEST_BODY = 1 << 30
_READ_SECONDS = 60
_LOOK_SECONDS = 0.5


def serve(fit: Fit, port: int, *, token: str | None = None, evaluate: Evaluate | None = None) -> NoReturn:
    """Serves training on 127.0.0.1 until the program is ended, one round at a time.

    :param token: at least 16 characters; from the environment's VERISUM_TRAINER_TOKEN if absent. Other users of this
        machine reach the port as well, and are refused without it
    """
    server = create_server(fit, port, token=token, evaluate=evaluate)
    try:
        server.serve_forever()
    finally:
        server.server_close()
    raise SystemExit(0)


def create_server(fit: Fit, port: int, *, token: str | None = None, evaluate: Evaluate | None = None) -> HTTPServer:
    """The server of `serve`, bound and not yet serving. Port 0 takes a free one.

    :raises TrainerError: without a token, or with one that is too short
    """
    secret = (token or os.environ.get(TOKEN_VARIABLE) or "").strip()
    if len(secret) < _LEAST_TOKEN:
        raise TrainerError(f"a server needs a token of {_LEAST_TOKEN} characters or more, or {TOKEN_VARIABLE}")
    measure: Evaluate | None = evaluate or getattr(fit, "evaluate", None)

    class Handler(BaseHTTPRequestHandler):
        timeout = _READ_SECONDS

        def do_POST(self) -> None:
            given = self.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
                return self._answer(401)
            length = self.headers.get("content-length", "")
            if not length.isdecimal() or int(length) > _LARGEST_BODY:
                return self._answer(413)
            body = self.rfile.read(int(length))
            try:
                tensors, metadata = read_safetensors(body)
                round = parse_round(json.loads(metadata.get("config", "null")), metadata, time.monotonic())
                weights = base_weights(tensors, round)
            except (TrainerError, ValueError) as error:
                return self._answer(400, str(error).encode())
            try:
                with _Watch(self.connection, round):
                    if round.evaluates:
                        if measure is None:
                            raise TrainerError("this server measures no models: give serve() an evaluate function")
                        return self._answer(200, progress_line(measure(weights, round)).encode())
                    result = fit(weights, round)
                    if result is SIT_OUT:
                        return self._answer(204)
                    update = encode_update(result, round)
            except Exception:
                traceback.print_exc()
                return self._answer(500)
            return self._answer(200, update)

        def _answer(self, status: int, body: bytes = b"") -> None:
            try:
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                # The client has gone; the next round is another request.
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Requests are no news."""

    return HTTPServer(("127.0.0.1", port), Handler)


class _Watch:
    """Tells a round to stop when the client closes its connection, as it does at the deadline."""

    def __init__(self, connection: socket.socket, round: Round) -> None:
        self._connection = connection
        self._round = round
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            readable, _, _ = select.select([self._connection], [], [], 0)
            try:
                closed = bool(readable) and self._connection.recv(1, socket.MSG_PEEK) == b""
            except OSError:
                closed = True
            if closed:
                self._round.stop()
                return
