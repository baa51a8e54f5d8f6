"""An HTTP server that a test answers for, and answers of the published vector as JSON-RPC."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from verisum_auditor.words import keccak

Answer = tuple[int, bytes]
"""Status and body."""
Failure = dict[str, Any]


@contextmanager
def serving(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """The URL of a server that gives what `answer` makes of path and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class RecordedEndpoint:
    """An endpoint that knows one contract, from its deployment to the latest block. Tests change what it does."""

    def __init__(self, chain: dict[str, Any]) -> None:
        self.chain = chain
        self.most_blocks = 1_000_000
        self.keeps_states = True
        self.failures: list[Answer] = []
        self.replaced: dict[str, Any] = {}
        self.asked: list[str] = []
        self.blocks = {int(block["number"], 16): block for block in (chain["deployed"], chain["latest"])}
        self.first, self.last = sorted(self.blocks)
        before = {"number": hex(self.first - 1), "hash": chain["deployed"]["parentHash"], "parentHash": "0x00"}
        self.blocks[self.first - 1] = {**before, "mixHash": "0x00"}

    def answer(self, path: str, body: bytes) -> Answer:
        """The HTTP answer to one call."""
        if self.failures:
            return self.failures.pop(0)
        call = json.loads(body)
        self.asked.append(call["method"])
        try:
            result = self.replaced.get(call["method"]) or self._result(call["method"], call["params"])
            reply: Failure = {"result": result}
        except LookupError as error:
            reply = {"error": {"code": -32000, "message": str(error)}}
        return 200, json.dumps({"jsonrpc": "2.0", "id": call["id"], **reply}).encode()

    def _result(self, method: str, params: list[Any]) -> Any:
        match method:
            case "eth_chainId":
                return self.chain["chainId"]
            case "eth_getBlockByNumber":
                number = self.last if params[0] == "latest" else int(params[0], 16)
                return self.blocks.get(number)
            case "eth_getCode":
                pointer = "0x" + self.chain["calls"]["keysPointer"][-40:]
                return self.chain["keysCode"] if params[0] == pointer else "0x00"
            case "eth_getTransactionCount":
                number = int(params[1], 16)
                if not self.keeps_states and number < self.last:
                    raise LookupError("missing trie node")
                return hex(number >= self.first)
            case "eth_call":
                names = {"0x" + keccak(f"{name}()".encode())[:4].hex(): name for name in self.chain["calls"]}
                return self.chain["calls"][names[params[0]["data"]]]
            case "eth_getLogs":
                first, last = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
                if last - first >= self.most_blocks:
                    raise LookupError("too many blocks")
                return [log for log in self.chain["logs"] if first <= int(log["blockNumber"], 16) <= last]
        raise LookupError(f"{method} is unknown")
