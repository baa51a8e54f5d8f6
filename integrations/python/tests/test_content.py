"""Published files: the same CIDs as the project's own, and nothing believed."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from verisum import ContentError, load
from verisum.content.build import directory_cid
from verisum.content.cid import DAG_PB, RAW, Cid, cid_of, decode_cid, parse_cid
from verisum.content.node import Link, decode_node, encode_directory, encode_file
from verisum.content.protobuf import decode_varint, encode_varint
from verisum.content.read import read_directory_file
from verisum.content.sources import car_blocks

EXTERNAL = {
    "format": "verisum-checkpoint-2",
    "round": 3,
    "inputs": {"shape": None, "table": None, "preprocessing": None},
    "outputs": None,
    "layers": None,
    "metrics": None,
}
FIXTURES = os.environ.get("VERISUM_PUBLISHED")


def read_all(root: Cid, name: str, blocks: dict[Cid, bytes], most: int = 1 << 30) -> bytes:
    def get(cid: Cid) -> bytes:
        if cid not in blocks:
            raise ContentError(f"no block {cid}")
        return blocks[cid]

    return read_directory_file(root, name, get, most)


def small_dag() -> tuple[Cid, dict[Cid, bytes]]:
    """A directory with a file `a` of two leaves."""
    leaves = [b"first ", b"second"]
    links = [Link(cid_of(RAW, leaf), "", len(leaf)) for leaf in leaves]
    file = encode_file(links, [len(leaf) for leaf in leaves])
    directory = encode_directory([Link(cid_of(DAG_PB, file), "a", len(file) + 12)])
    blocks = {cid_of(RAW, leaf): leaf for leaf in leaves}
    blocks[cid_of(DAG_PB, file)] = file
    blocks[cid_of(DAG_PB, directory)] = directory
    return cid_of(DAG_PB, directory), blocks


def test_reads_a_file_from_its_blocks():
    root, blocks = small_dag()
    assert read_all(root, "a", blocks) == b"first second"
    with pytest.raises(ContentError, match="no entry b"):
        read_all(root, "b", blocks)
    with pytest.raises(ContentError, match="longer than allowed"):
        read_all(root, "a", blocks, 11)


def test_refuses_every_block_with_another_byte():
    root, blocks = small_dag()
    for cid, block in blocks.items():
        with pytest.raises(ContentError, match="other bytes than its CID names"):
            read_all(root, "a", {**blocks, cid: block[:-1] + bytes([block[-1] ^ 1])})
        with pytest.raises(ContentError):
            read_all(root, "a", {held: data for held, data in blocks.items() if held != cid})


def test_refuses_sizes_that_a_parent_only_claims():
    leaf = b"four"
    for size in (3, 5):
        file = encode_file([Link(cid_of(RAW, leaf), "", 4)], [size])
        directory = encode_directory([Link(cid_of(DAG_PB, file), "a", 0)])
        blocks = {cid_of(RAW, leaf): leaf, cid_of(DAG_PB, file): file, cid_of(DAG_PB, directory): directory}
        with pytest.raises(ContentError, match=f"its parent claims {size}"):
            read_all(cid_of(DAG_PB, directory), "a", blocks)


def test_refuses_nodes_that_are_not_written_as_they_are_published():
    leaf = cid_of(RAW, b"x")
    for block in (
        b"",
        b"\x0a\x02\x08\x02",
        b"\x0a\x02\x08\x05",
        encode_directory([Link(leaf, "a", 1), Link(leaf, "a", 1)]),
        encode_directory([Link(leaf, "../a", 1)]),
        encode_file([Link(leaf, "", 1)], [1]) + b"\x0a\x00",
        encode_file([Link(leaf, "", 1)], [1, 1]),
        encode_file([Link(leaf, "", 1)], [0]),
    ):
        with pytest.raises(ContentError):
            decode_node(cid_of(DAG_PB, block), block)


def test_parses_canonical_cids_only():
    text = str(cid_of(DAG_PB, b""))
    assert str(parse_cid(text)) == text and text.startswith("bafybei")
    for other in ("", "b", text.upper(), text[:-1], text + "a", "Qm" + "a" * 44, "z" + text[1:]):
        with pytest.raises(ContentError):
            parse_cid(other)
    for data in (b"\x00" * 36, bytes((1, 0x71, 0x12, 32)) + bytes(32), bytes((1, 0x70, 0x12, 32)) + bytes(31)):
        with pytest.raises(ContentError):
            decode_cid(data)


def test_reads_numbers_as_they_are_written_and_no_other():
    for value in (0, 1, 127, 128, 300, 2**32, 2**62):
        assert decode_varint(encode_varint(value), 0) == (value, len(encode_varint(value)))
    for data in (b"", b"\x80", b"\x80\x00", b"\xff" * 10):
        with pytest.raises(ContentError):
            decode_varint(data, 0)


published = pytest.mark.skipif(FIXTURES is None, reason="VERISUM_PUBLISHED names no folder with published checkpoints")


@published
def test_makes_the_cids_that_are_published():
    assert FIXTURES is not None
    cases = json.loads((Path(FIXTURES) / "sizes.json").read_text())
    assert len(cases) >= 5
    for case in cases:
        files = {name: b"\x07" * size for name, size in case["files"].items()}
        assert str(directory_cid(files)) == case["cid"], case


@published
def test_loads_a_checkpoint_from_a_folder_a_car_and_a_gateway():
    assert FIXTURES is not None
    folder = Path(FIXTURES)
    cid = (folder / "cid.txt").read_text().strip()
    get = car_blocks((folder / "checkpoint.car").read_bytes())
    asked: list[str] = []

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            block = get(parse_cid(self.path.removeprefix("/ipfs/").removesuffix("?format=raw")))
            self.send_response(200)
            self.send_header("content-length", str(len(block)))
            self.end_headers()
            self.wfile.write(block)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        sources = [folder / "checkpoint", folder / "checkpoint.car", f"http://127.0.0.1:{server.server_port}/"]
        loaded = [load(source, cid) for source in sources]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked and all(path.endswith("?format=raw") for path in asked)
    for checkpoint in [*loaded, load(folder / "checkpoint")]:
        assert checkpoint.round == 3
        assert list(checkpoint.tensors) == ["w", "b"]
        assert np.array_equal(checkpoint.tensors["b"], np.array([1.5, -2], np.float32))


@published
def test_refuses_a_checkpoint_that_is_not_what_its_cid_names(tmp_path):
    assert FIXTURES is not None
    folder = Path(FIXTURES)
    cid = (folder / "cid.txt").read_text().strip()
    for entry in (folder / "checkpoint").iterdir():
        (tmp_path / entry.name).write_bytes(entry.read_bytes())
    assert load(tmp_path, cid).cid == cid
    (tmp_path / "config.json").write_bytes((tmp_path / "config.json").read_bytes() + b"\n")
    with pytest.raises(ContentError, match="have the CID"):
        load(tmp_path, cid)
    car = bytearray((folder / "checkpoint.car").read_bytes())
    car[-1] ^= 1
    damaged = tmp_path / "damaged.car"
    damaged.write_bytes(car)
    with pytest.raises(ContentError, match="other bytes than its CID names"):
        load(damaged, cid)
    damaged.write_bytes(car[:-1])
    with pytest.raises(ContentError, match="ends inside a block"):
        load(damaged, cid)


def test_needs_a_cid_for_what_others_deliver(tmp_path):
    with pytest.raises(ContentError, match="against a CID"):
        load("http://127.0.0.1:1")
    with pytest.raises(ContentError, match="does not deliver"):
        load("http://127.0.0.1:1", str(cid_of(DAG_PB, b"")))
    with pytest.raises(ContentError, match="cannot be read"):
        load(tmp_path / "absent.car", str(cid_of(DAG_PB, b"")))
    with pytest.raises(ContentError, match="holds no checkpoint"):
        load(tmp_path)


def test_refuses_a_published_folder_that_holds_something_else(tmp_path):
    task = tmp_path / "task"
    task.mkdir()
    (task / "task.json").write_bytes(b"{}")
    with pytest.raises(ContentError, match="lacks config.json, topology.json, model.safetensors"):
        load(task, str(directory_cid({"task.json": b"{}"})))
    topology = b'{"tensors": [], "model": {}}'
    config = json.dumps(EXTERNAL).encode()
    files = {"config.json": config, "topology.json": topology, "model.safetensors": save({})}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    task.joinpath("task.json").unlink()
    task.rmdir()
    assert load(tmp_path).round == 3
    third = json.dumps(EXTERNAL | {"round": "third"}).encode()
    for config in (b"[" * 100_000, b"[]", b"{}", third):
        (tmp_path / "config.json").write_bytes(config)
        with pytest.raises(ContentError, match="holds no checkpoint"):
            load(tmp_path)
